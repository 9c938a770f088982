"""Exit codes, one table for all commands, and the same outcomes in words for the JSON output."""

from enum import IntEnum


class Exit(IntEnum):
    """What the exit code of any command means."""

    DONE = 0
    REFUSED = 1
    DIFFERENCES = 2
    STALE_PLAN = 3
    LOCK_HELD = 4
    PARTLY_APPLIED = 5
    ROLLED_BACK = 6
    RESTART_OWED = 7
    DENIED = 8
    USAGE = 64
    BUG = 70
    INTERRUPTED = 130

    @property
    def word(self) -> str:
        """The outcome as it stands in JSON: `done`, `refused`, `stale_plan`, ..."""
        return self.name.lower()
