"""Run a command on a terminal of its own and type an answer to its question, as a person would."""

from __future__ import annotations

import os
import select
import time

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import Ran


def run_on_terminal(argv: tuple[str, ...], answer: str, timeout_s: float) -> Ran:
    """What came of a command that was given a terminal as its input and output.

    `answer` is typed at once; the terminal keeps it until it is read. HostError if it takes longer
    than `timeout_s`.
    """
    import pty
    import subprocess

    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
    finally:
        os.close(theirs)
    try:
        os.write(ours, answer.encode())
        text = _read_all(ours, time.monotonic() + timeout_s)
        return Ran(argv, process.wait(timeout_s), text, "")
    except (OSError, subprocess.TimeoutExpired) as error:
        process.kill()
        process.wait()
        raise HostError(argv[0], f"not done after {timeout_s:g} s") from error
    finally:
        os.close(ours)


def _read_all(terminal: int, deadline: float) -> str:
    """Everything that is written until the other side closes; TimeoutError at the deadline."""
    parts: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        ready, _, _ = select.select([terminal], [], [], max(left, 0))
        if not ready:
            raise TimeoutError
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux answers EIO once nobody holds the other side any more
            part = b""
        if not part:
            return b"".join(parts).decode("utf-8", "replace").replace("\r\n", "\n")
        parts.append(part)
