"""Vocabulary that every layer may use: places, problems, digests, host paths, exit codes."""
