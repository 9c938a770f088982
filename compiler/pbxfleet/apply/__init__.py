"""Perform a plan on a host: one wave at a time, each step checked before it, undone if the wave fails."""
