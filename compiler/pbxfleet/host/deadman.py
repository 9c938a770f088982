"""A timer on the host that outlives the command, the connection and the person who set it.

Where systemd runs the services it is a transient timer (systemd-run(1)), elsewhere a process of its
own. Both start the same program, which waits for the deadline and the host's lock by itself, so a
timer that fires early does no harm.
"""

from __future__ import annotations

import os
import time

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import Runner
from pbxfleet.host.launch import Launch, launch
from pbxfleet.host.procdir import ProcDir
from pbxfleet.model.pending import Timer

BOOT_ID = "/proc/sys/kernel/random/boot_id"


def boot_id() -> str:
    """What tells this boot of the machine from every other."""
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


def boottime_s() -> float:
    """Seconds since boot, with those in which the machine was suspended; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def utc_in(seconds: float) -> str:
    """What the clock on the wall will show then, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def connection() -> str:
    """The connection over which we were called (sshd(8), SSH_CONNECTION), "" for a console."""
    return os.environ.get("SSH_CONNECTION", "")


def start_timer(argv: tuple[str, ...], seconds: int, unit: str) -> Timer:
    """Set the timer: by systemd under the name `unit`, or as a process where that is ""."""
    if unit:
        Runner().check(
            (
                "systemd-run",
                "--quiet",
                "--collect",
                f"--unit={unit}",
                f"--on-active={seconds}",
                "--timer-property=AccuracySec=100ms",
                *argv,
            )
        )
        return Timer(unit, 0, 0)
    log = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        pid = launch(Launch(argv, "/", (), log))
    finally:
        os.close(log)
    stat = ProcDir().stat(pid)
    return Timer("", pid, 0 if stat is None else stat.started_ticks)


def is_alive(timer: Timer) -> bool:
    """Whether somebody will take the change back at the deadline."""
    if timer.unit:
        return any(_is_active(f"{timer.unit}.{kind}") for kind in ("timer", "service"))
    stat = ProcDir().stat(timer.pid)
    return stat is not None and not stat.ended and stat.started_ticks == timer.started_ticks


def stop_timer(timer: Timer) -> None:
    """Let go of a timer that is not needed any more; a process finds that out by itself."""
    if timer.unit:
        Runner().run(("systemctl", "stop", f"{timer.unit}.timer"))


def _is_active(unit: str) -> bool:
    try:
        said = Runner().run(("systemctl", "is-active", unit)).stdout.strip()
    except HostError:
        return False
    return said in ("active", "activating", "reloading")


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
