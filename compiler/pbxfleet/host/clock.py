"""What day it is."""

from __future__ import annotations

import time


def today() -> str:
    """The day in UTC as YYYY-MM-DD, so that it is the same wherever a fleet is looked at."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def now() -> str:
    """This moment in UTC as YYYY-MM-DDTHH:MM:SSZ."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
