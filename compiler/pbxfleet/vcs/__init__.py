"""Who wrote what, and when: the only package that knows git (through GitPython)."""
