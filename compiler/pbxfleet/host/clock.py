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


def in_utc(moment_ns: int) -> str:
    """A moment, in nanoseconds since 1970, as YYYY-MM-DDTHH:MM:SSZ."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_ns // 1_000_000_000))


def started_ns(ticks: int) -> int:
    """The moment, in nanoseconds since 1970, of `ticks` of the kernel after the machine was started.

    proc_pid_stat(5): `starttime`. A clock that was set since then is the one that counts.
    """
    booted_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return booted_ns + ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def now_s() -> int:
    """This moment in seconds since 1970, UTC."""
    return int(time.time())


def new_token() -> str:
    """A name that no other run or change has: 12 hexadecimal digits."""
    return os.urandom(6).hex()
