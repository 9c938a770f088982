"""One run at a time, and no trace of it on the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError, LockHeld
from pbxfleet.core.paths import HostPath
from pbxfleet.host.local import LocalHost
from pbxfleet.host.lock import LOCK, HostLock
from support.processes import PATIENCE_S, wait_for

HOLDER = """
import sys, time
from pbxfleet.host.local import LocalHost
from pbxfleet.host.lock import HostLock
with HostLock(LocalHost(sys.argv[1], "direct")):
    print("held", flush=True)
    sys.stdin.read(1)
"""


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    argv = (sys.executable, "-c", HOLDER, str(root))
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    return LocalHost(str(tmp_path), "direct")


def test_the_second_one_is_told_who_has_it(host: LocalHost, tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(LockHeld, match=f"process {process.pid} holds") as refusal:
            HostLock(host).__enter__()
        assert refusal.value.exit_code == 4
        with pytest.raises(LockHeld):
            HostLock(host, timeout_s=0.2).__enter__()


def test_it_goes_with_the_process_that_holds_it(host: LocalHost, tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        with HostLock(host, timeout_s=PATIENCE_S):
            pass


def test_waiting_for_it(host: LocalHost, tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert process.stdin is not None
        process.stdin.close()
        with HostLock(host, timeout_s=PATIENCE_S):
            wait_for(lambda: process.poll() is not None, "its end")


def test_taking_it_again_changes_nothing(host: LocalHost, tmp_path: Path) -> None:
    with HostLock(host):
        pass
    folder, file = tmp_path / "var/lib/pbxfleet", tmp_path / LOCK.lstrip("/")
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    before = [os.lstat(path) for path in (folder, file)]
    for _ in range(2):
        with HostLock(host):
            pass
    after = [os.lstat(path) for path in (folder, file)]
    assert [(s.st_ino, s.st_mtime_ns, s.st_ctime_ns) for s in before] == [
        (s.st_ino, s.st_mtime_ns, s.st_ctime_ns) for s in after
    ]


def test_it_is_given_back_after_an_error(host: LocalHost) -> None:
    with pytest.raises(RuntimeError), HostLock(host):
        raise RuntimeError
    with HostLock(host):
        pass


def test_a_lock_file_that_was_removed_is_not_a_second_lock(host: LocalHost, tmp_path: Path) -> None:
    with HostLock(host):
        os.unlink(tmp_path / LOCK.lstrip("/"))
        with HostLock(host):  # whoever removes the file takes the lock away: nobody is misled
            pass


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_lies_in_its_place_is_refused(host: LocalHost, tmp_path: Path, kind: str) -> None:
    place = tmp_path / LOCK.lstrip("/")
    place.parent.mkdir(parents=True)
    if kind == "link":
        place.symlink_to(tmp_path / "target")
    else:
        place.mkdir()
    with pytest.raises(HostError):
        HostLock(host).__enter__()
    assert not (tmp_path / "target").exists()


def test_a_lock_of_another_name(host: LocalHost) -> None:
    host.make_directory(HostPath("/x"), 0o755, "")
    with HostLock(host), HostLock(host, HostPath("/x/lock")):
        assert host.names(HostPath("/x")) == ("lock",)
