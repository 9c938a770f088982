"""Starting a process that outlives us: its own session, no terminal, no descriptor of ours."""

from __future__ import annotations

import os
from typing import NamedTuple, NoReturn

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import PATH

UMASK = 0o022  # what systemd and init give a service; ours is none of its business
MOST_FILES = 1 << 16


class Launch(NamedTuple):
    """A process to start: `argv` with the path of its executable, `cores` empty for all of them.

    `log` is a descriptor that takes its output; it stays open.
    """

    argv: tuple[str, ...]
    directory: str
    cores: tuple[int, ...]
    log: int


def launch(wanted: Launch) -> int:
    """The number of the new process, once it executes its program; HST108 if that cannot be.

    Two forks: the process in between ends at once, so that the new one belongs to the machine's
    first process and leaves no zombie behind when it ends.
    """
    reading, writing = os.pipe()  # the kernel closes `writing` when the program is executed
    between = os.fork()
    if between == 0:
        _between(wanted, writing)
    os.close(writing)
    os.waitpid(between, 0)
    with os.fdopen(reading, "rb") as pipe:
        number, *trouble = pipe.read().decode("ascii").split(" ", 2)
    if not number:
        raise HostError(wanted.argv[0], "the new process died before it began", code="HST108")
    if trouble:
        errno, doing = int(trouble[0]), trouble[1]
        reason = f"{doing}: {os.strerror(errno).lower()}"
        raise HostError(wanted.argv[0], reason, errno, code="HST108")
    return int(number)


def _between(wanted: Launch, report: int) -> NoReturn:
    try:
        os.setsid()
        if os.fork() == 0:
            _begin(wanted, report)
    except OSError as error:
        os.write(report, b"0 %d no new process" % (error.errno or 0))
    finally:
        os._exit(0)


def _begin(wanted: Launch, report: int) -> NoReturn:
    """In the new process: become the program, or report what could not be done and why."""
    doing = f"cannot use {wanted.directory}"
    try:
        os.write(report, b"%d" % os.getpid())
        os.chdir(wanted.directory)
        os.umask(UMASK)
        doing = f"cannot run on core {', '.join(map(str, wanted.cores))}"
        if wanted.cores:
            os.sched_setaffinity(0, wanted.cores)
        doing = "cannot be executed"
        _keep_only(wanted.log, report)
        _default_signals()
        os.execve(wanted.argv[0], wanted.argv, _environment())  # noqa: S606  no shell is the point
    except OSError as error:
        os.write(report, f" {error.errno or 0} {doing}".encode("ascii", "replace"))
    finally:
        os._exit(127)


def _keep_only(log: int, report: int) -> None:
    """Nothing to read, everything said goes to the log, and no descriptor of ours."""
    null = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((null, 0), (log, 1), (log, 2)):
        os.dup2(ours, standard, inheritable=True)
    os.closerange(3, report)
    os.closerange(report + 1, MOST_FILES)


def _default_signals() -> None:
    """What we ignore or block (Python ignores SIGPIPE) the program would ignore for ever."""
    import signal

    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _environment() -> dict[str, str]:
    """PATH and LANG only. PATH is the caller's: only that one may lead to an interpreter."""
    return {"PATH": os.environ.get("PATH", PATH), "LANG": "C"}
