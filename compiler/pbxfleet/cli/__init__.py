"""The command line: parser, exit codes, and where output goes. Heavy imports stay inside commands."""
