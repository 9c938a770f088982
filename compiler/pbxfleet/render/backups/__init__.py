"""Backups: what belongs to an instance, in the language of each program, and a script for each program."""
