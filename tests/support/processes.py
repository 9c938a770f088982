"""Real processes for tests: waited for with a bound, and ended by their numbers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pbxfleet.core.errors import HostError
from pbxfleet.host.local import LocalHost
from pbxfleet.model.target import InstanceTarget
from support.instances import install

PATIENCE_S = 60


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


SLEEP = shutil.which("sleep") or "/bin/sleep"


def place(host: LocalHost, owner: InstanceTarget) -> str:
    """Where the machine has the executable of an instance."""
    return host.root.machine_path(owner.executable)


def pids(host: LocalHost, owner: InstanceTarget) -> list[tuple[int, ...]]:
    """The processes of each tree of an instance."""
    return [tree.pids for tree in host.runtime((owner,))[owner.name].trees]


def install_sleep(host: LocalHost, owner: InstanceTarget) -> None:
    """A real executable of the instance's own: the machine's `sleep`."""
    install(host, owner, Path(SLEEP).read_bytes())


@contextlib.contextmanager
def ended_at_last(host: LocalHost, *owners: InstanceTarget) -> Iterator[LocalHost]:
    """A host whose instances are all ended afterwards, however stubborn they are."""
    try:
        yield host
    finally:
        for trees in host.processes.table(owners).trees.values():
            for tree in trees:
                for member in tree.members:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(member.pid, signal.SIGKILL)
        for owner in owners:
            with contextlib.suppress(HostError):
                host.stop(owner, 5)
