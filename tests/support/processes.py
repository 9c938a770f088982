"""Real processes for tests: waited for with a bound, and ended by their numbers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

PATIENCE_S = 30.0


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Until the condition holds; fails with `what` if that takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not seen in {PATIENCE_S:g} s: {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def running(
    argv: Sequence[str], *, cwd: str = "/", own_session: bool = True
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that a person started; it and its session are gone afterwards."""
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=own_session,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            if own_session:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait(PATIENCE_S)
