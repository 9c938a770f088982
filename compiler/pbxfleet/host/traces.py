"""Traces that people and programs leave: whom a file belongs to, and which login a process came from."""

from __future__ import annotations

import os

from pbxfleet.core.paths import HostPath
from pbxfleet.host.clock import in_utc
from pbxfleet.host.owners import Owners
from pbxfleet.host.procdir import ProcDir
from pbxfleet.host.rooted import Root
from pbxfleet.model.evidence import FileTrace, ProcessTrace

NO_LOGIN = 2**32 - 1  # what /proc/PID/loginuid says of a process that no login began (proc(5))
SAME_MOMENT_S = 5.0  # between what an editor leaves, and the writing of the file
TTY_FIELD = 4  # of /proc/PID/stat, counted from the state


def file_trace(root: Root, owners: Owners, path: HostPath) -> FileTrace | None:
    """Whom the file (or link) belongs to and when it was written; None if that cannot be told."""
    try:
        found = os.lstat(root.machine_path(path))
    except OSError:
        return None
    account = _account(owners, found.st_uid, found.st_gid)
    editor = _left_by_editor(root, path, found.st_mtime)
    return FileTrace(
        found.st_uid, account, in_utc(found.st_mtime_ns), in_utc(found.st_ctime_ns), editor
    )


def _left_by_editor(root: Root, path: HostPath, written_s: float) -> str:
    """What an editor has left beside a file when it was written, "" if nothing.

    A copy of the text before (`NAME~`: emacs, vim, nano), a swap file or a lock of one that is open.
    """
    folder, _, name = path.rpartition("/")
    for left in (f"{name}~", f".{name}.swp", f".#{name}", f"#{name}#"):
        try:
            found = os.lstat(root.machine_path(HostPath(f"{folder}/{left}")))
        except OSError:
            continue
        if abs(found.st_ctime - written_s) < SAME_MOMENT_S:
            return left
    return ""


def process_trace(proc: ProcDir, owners: Owners, pid: int) -> ProcessTrace | None:
    """Where a process came from; None if it is gone, or may not be looked into."""
    try:
        fields = proc.content(f"{pid}/stat").rpartition(b")")[2].split()
        has_terminal = int(fields[TTY_FIELD]) != 0
    except (OSError, ValueError, IndexError):
        return None
    try:
        number = int(proc.content(f"{pid}/loginuid"))
    except (OSError, ValueError):  # a kernel without audit
        number = NO_LOGIN
    login = None if number == NO_LOGIN else number
    account = "" if login is None else _account(owners, login, 0)
    return ProcessTrace(pid, login, account, has_terminal)


def process_owner(proc: ProcDir, pid: int) -> int | None:
    """The number of the account that a process runs as; None if it is gone."""
    try:
        return os.stat(f"{proc.folder}/{pid}").st_uid
    except OSError:
        return None


def _account(owners: Owners, uid: int, gid: int) -> str:
    name = owners.name(uid, gid).partition(":")[0]
    return name if name == str(uid) else f"{name} ({uid})"
