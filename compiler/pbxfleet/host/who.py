"""Who is doing this, for the history of a host."""

from __future__ import annotations

import os


def operator() -> str:
    """Name of the person behind sudo, else of the account; its number where it has no name."""
    behind = os.environ.get("SUDO_USER", "")
    if behind.isprintable() and behind:
        return behind
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
