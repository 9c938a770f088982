"""One form for everything the operating system refuses."""

from __future__ import annotations

import os

from pbxfleet.core.errors import HostError


def refused(subject: str, error: OSError, *, code: str = "HST100") -> HostError:
    """The system's refusal with its own words and number; `subject` is a host path or a command."""
    text = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
    return HostError(subject, text[:1].lower() + text[1:], error.errno or 0, code=code)
