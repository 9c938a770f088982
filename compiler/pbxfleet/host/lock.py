"""One run at a time: a kernel lock on the host, which dies with the process that holds it."""

from __future__ import annotations

import os
import time
from types import TracebackType

from pbxfleet.core.errors import LockHeld
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.base import HostView
from pbxfleet.host.files import Files
from pbxfleet.host.refusals import refused
from pbxfleet.host.state import FOLDER

LOCK = join(FOLDER, "lock")
TRY_EVERY_S = 0.1
LOCKS = "/proc/locks"


class HostLock:
    """A context in which this process alone changes the host.

    The file is made once and never written, so that taking the lock changes nothing on the disk.
    LockHeld (exit 4) if another process has it for longer than `timeout_s`.
    """

    def __init__(self, files: Files, path: HostPath = LOCK, *, timeout_s: float = 0.0) -> None:
        self._files = files
        self._path = path
        self._timeout_s = timeout_s
        self._file = -1

    def __enter__(self) -> HostLock:
        deadline = time.monotonic() + self._timeout_s
        while not self._take():
            if time.monotonic() >= deadline:
                raise self._held()
            time.sleep(TRY_EVERY_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        self._file = -1

    def _take(self) -> bool:
        import fcntl

        file = self._files.open_lock(self._path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        except OSError as error:
            os.close(file)
            raise refused(self._path, error) from error
        # Somebody may have removed the file and made another one between open and lock.
        here = self._files.identity(self._path)
        if here is None or here[:2] != _identity(file):
            os.close(file)
            return False
        self._file = file
        return True

    def _held(self) -> LockHeld:
        pid = holder(self._files, self._path)
        who = f"process {pid}" if pid else "another run"
        return LockHeld(
            f"{who} holds the lock of this host",
            hint="wait until it is done; the lock goes with the process that holds it",
        )


def holder(files: Files | HostView, path: HostPath = LOCK) -> int | None:
    """Number of the other process that holds the lock; None if none does, or it cannot be told."""
    here = files.identity(path)
    pid = None if here is None else _holder(here[0], here[1])
    return None if pid == os.getpid() else pid


def _identity(file: int) -> tuple[int, int]:
    found = os.fstat(file)
    return found.st_dev, found.st_ino


def _holder(device: int, inode: int) -> int | None:
    try:
        with open(LOCKS, "rb") as file:
            return parse_holder(file.read(), os.major(device), os.minor(device), inode)
    except OSError:
        return None


def parse_holder(content: bytes, major: int, minor: int, inode: int) -> int | None:
    """The process that holds the flock of a file, from the text of /proc/locks.

    None if it is not listed, or lives where its number means nothing here. Format: proc_locks(5).
    """
    wanted = f"{major:02x}:{minor:02x}:{inode}".encode()
    for line in content.splitlines():
        fields = line.split()
        # A waiting process stands under the holder, with an arrow where the holder has its kind.
        if len(fields) >= 6 and fields[1] == b"FLOCK" and fields[5] == wanted:
            pid = int(fields[4])
            return pid if pid > 0 else None
    return None
