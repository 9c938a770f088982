"""What time it is, and names that are given only once."""

from __future__ import annotations

import os
import time


def today() -> str:
    """The day in UTC as YYYY-MM-DD, so that it is the same wherever a fleet is looked at."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def now() -> str:
    """This moment in UTC as YYYY-MM-DDTHH:MM:SSZ."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def new_token() -> str:
    """A name that no other run or change has: 12 hexadecimal digits."""
    return os.urandom(6).hex()
