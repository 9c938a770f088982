"""How urgently the kernel runs us: telephone calls are heard in real time, and we are in no hurry.

SCHED_IDLE takes what nobody else wants, and is still given a 300th part of a core that others keep busy
(sched(7)). The idle class of the disk is said as well, though a process without one inherits the class
of its CPU policy (ionice(1)). PBXFLEET_PRIORITY=normal switches it off, for hosts that are never idle.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

SWITCH = "PBXFLEET_PRIORITY"
LEAST = 19
INIT = 1  # the process whose priority services have
CAP_SYS_NICE = 1 << 23
# System calls ioprio_set and ioprio_get, which no library offers; 64-bit programs only, since 32-bit ones
# have other numbers on the same machine.
IO_CALLS = {"x86_64": (251, 252), "aarch64": (30, 31)}
IO_WHO_PROCESS = 1
IO_IDLE = 3 << 13  # class 3, no level
IO_UNSAID = 0


class Priority(NamedTuple):
    """What the kernel knows about this process: policy, real-time level, nice value, class of the disk."""

    policy: int
    level: int
    nice: int
    io: int


def give_way() -> None:
    """Run only on what nobody else wants, from here on.

    Where that could not be taken back for a start (without CAP_SYS_NICE), or is refused, everything stays
    as it is, silently: it would be a courtesy, and nothing depends on it.
    """
    if os.environ.get(SWITCH) != "normal" and _may_come_back():
        _become(Priority(os.SCHED_IDLE, 0, LEAST, IO_IDLE))


class Ordinary:
    """Within it, this process and what it starts have the priority that services have at boot."""

    def __enter__(self) -> None:
        policy, level = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
        nice, io = os.getpriority(os.PRIO_PROCESS, 0), _io_call(1, 0)
        self._before = Priority(policy, level, nice, io)
        _become(Priority(os.SCHED_OTHER, 0, os.getpriority(os.PRIO_PROCESS, INIT), IO_UNSAID))

    def __exit__(self, *_: object) -> None:
        _become(self._before)


def _become(wanted: Priority) -> None:
    try:
        os.sched_setscheduler(0, wanted.policy, os.sched_param(wanted.level))
        os.setpriority(os.PRIO_PROCESS, 0, wanted.nice)
    except OSError:
        return
    _io_call(0, wanted.io)


def _io_call(which: int, value: int) -> int:
    """ioprio_set (0) or ioprio_get (1) for this process; 0 or less where there is no such thing."""
    calls = IO_CALLS.get(os.uname().machine)
    if calls is None or sys.maxsize < 1 << 32:
        return IO_UNSAID
    import ctypes  # four thousandths of a second, in commands that look around for longer

    arguments = (IO_WHO_PROCESS, 0) if which else (IO_WHO_PROCESS, 0, value)
    return int(ctypes.CDLL(None).syscall(calls[which], *arguments))


def _may_come_back() -> bool:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            lines = [line for line in file if line.startswith("CapEff:")]
    except OSError:
        return False
    return bool(lines) and bool(int(lines[0].split()[1], 16) & CAP_SYS_NICE)
