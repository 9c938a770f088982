"""The exceptions of the program; everything else that reaches the top is a bug (exit 70)."""


class Refused(Exception):
    """The request cannot be done as asked; the text says why and what to do (exit 1)."""

    exit_code = 1
    code = "PLN100"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class WrongUsage(Refused):
    """The words of the command line do not fit together (exit 64)."""

    exit_code = 64


class StalePlan(Refused):
    """The host or the target is no longer what the plan was made from (exit 3)."""

    exit_code = 3
    code = "PLN101"


class LockHeld(Refused):
    """Another run holds the lock of this host (exit 4)."""

    exit_code = 4
    code = "PLN102"


class Denied(Refused):
    """A policy of the fleet forbids this (exit 8)."""

    exit_code = 8
    code = "PLN103"


class HostError(Exception):
    """The machine said no. `subject` is the path or the command, `errno` is 0 if there is none.

    `code` names the page that explains it; HST100 is the plain refusal of the system.
    """

    def __init__(self, subject: str, message: str, errno: int = 0, *, code: str = "HST100") -> None:
        super().__init__(f"{subject}: {message}")
        self.subject = subject
        self.message = message
        self.errno = errno
        self.code = code
