"""Commands of the machine: argument tuples in, exit code and text out, never a shell string."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.core.errors import HostError

if TYPE_CHECKING:
    import subprocess

# Where systems keep what an administrator runs; the caller's own PATH has no say in it.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT_S = 60.0
OUTPUT_BYTES = 1 << 24


class Ran(NamedTuple):
    """What came of a command; `returncode` is negative if a signal ended it."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class Runner:
    """Runs commands with a clean environment, no input but what is given, and a time limit."""

    def run(self, argv: tuple[str, ...], timeout_s: float = TIMEOUT_S, given: bytes = b"") -> Ran:
        """What came of the command, whatever its exit code; HostError if it cannot be run at all.

        It reads `given`. A command that takes longer than `timeout_s` is killed with its process group
        (HST105).
        """
        import subprocess

        # A daemon that a start script leaves behind keeps its output open: reading a pipe to its
        # end would wait for that daemon. A memory file can be read when the command itself ends.
        with (
            os.fdopen(_memory("stdout"), "r+b") as out,
            os.fdopen(_memory("stderr"), "r+b") as err,
            os.fdopen(_memory("stdin"), "r+b") as source,
        ):
            source.write(given)
            source.seek(0)
            try:
                process = subprocess.Popen(
                    argv,
                    stdin=source if given else subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd="/",
                    env={"PATH": PATH, "LANG": "C"},
                    start_new_session=True,
                )
            except OSError as error:
                reason = "there is no such command" if error.errno == errno.ENOENT else str(error)
                raise HostError(argv[0], reason, error.errno or 0, code="HST105") from error
            try:
                returncode = process.wait(timeout_s)
            except BaseException as error:
                _kill(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise _late(argv, timeout_s, _text(err.fileno())) from None
                raise
            return Ran(argv, returncode, _text(out.fileno()), _text(err.fileno()))

    def check(self, argv: tuple[str, ...], timeout_s: float = TIMEOUT_S) -> Ran:
        """Like `run`, but any exit code other than 0 is a HostError (HST105) with what was said."""
        ran = self.run(argv, timeout_s)
        if ran.returncode != 0:
            raise failed(ran)
        return ran


def failed(ran: Ran) -> HostError:
    """The error for a command that ended badly: its exit code and the end of what it said."""
    said = (ran.stderr.strip() or ran.stdout.strip()).splitlines()[-5:]
    how = f"exit code {ran.returncode}" if ran.returncode >= 0 else f"signal {-ran.returncode}"
    return HostError(" ".join(ran.argv), "; ".join([how, *said]), code="HST105")


def _late(argv: tuple[str, ...], timeout_s: float, said: str) -> HostError:
    lines = [f"not done after {timeout_s:g} s", *said.strip().splitlines()[-5:]]
    return HostError(" ".join(argv), "; ".join(lines), errno.ETIMEDOUT, code="HST105")


def _memory(name: str) -> int:
    return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def _text(file: int) -> str:
    """What was written so far; nothing more can be, or a daemon would fill the memory for ever."""
    import fcntl

    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return os.pread(file, OUTPUT_BYTES, 0).decode("utf-8", "replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the command and what it started in its own process group."""
    import contextlib
    import signal

    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
