"""Starting a process that outlives us: its own session, no terminal, no descriptor of ours."""

from __future__ import annotations

import os
from typing import NamedTuple

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import PATH
from pbxfleet.host.refusals import refused

UMASK = 0o022  # what systemd and init give a service; ours is none of its business


class Launch(NamedTuple):
    """A process to start: `argv` with the path of its executable, `cores` empty for all of them.

    `log` is a descriptor that takes its output; it stays open.
    """

    argv: tuple[str, ...]
    directory: str
    cores: tuple[int, ...]
    log: int


# Until we end, the processes we started are our children; when one ends, somebody has to ask how.
_started: list[int] = []


def launch(wanted: Launch) -> int:
    """The number of the new process, once it executes its program; HST108 if that cannot be."""
    import subprocess

    reap()
    before = os.sched_getaffinity(0)
    try:
        if wanted.cores:
            _run_on(wanted.cores)  # the new process inherits it from its first moment on
        process = subprocess.Popen(
            wanted.argv,
            cwd=wanted.directory,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=wanted.log,
            stderr=wanted.log,
            start_new_session=True,
            umask=UMASK,
        )
    except OSError as error:
        raise refused(wanted.argv[0], error, code="HST108") from error
    finally:
        if wanted.cores:
            os.sched_setaffinity(0, before)
    process.returncode = 0  # it outlives us, so the object shall not complain that nobody waited
    _started.append(process.pid)
    return process.pid


def reap() -> None:
    """Let go of processes we started that have ended, which stay zombies until then."""
    _started[:] = [pid for pid in _started if _is_ours(pid)]


def _is_ours(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


def _run_on(cores: tuple[int, ...]) -> None:
    try:
        os.sched_setaffinity(0, cores)
    except OSError as error:
        names = ", ".join(map(str, cores))
        raise HostError(
            f"core {names}", "not a core that can be used here", code="HST108"
        ) from error


def _environment() -> dict[str, str]:
    """PATH and LANG only. PATH is the caller's: only that one may lead to an interpreter."""
    return {"PATH": os.environ.get("PATH", PATH), "LANG": "C"}
