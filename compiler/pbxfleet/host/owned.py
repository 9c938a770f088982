"""Which instance a process belongs to: the one whose own executable it executes."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from typing import NamedTuple

from pbxfleet.host.clock import started_ns
from pbxfleet.host.procdir import ProcDir
from pbxfleet.host.procfs import ProcStat
from pbxfleet.host.rooted import Root
from pbxfleet.model.target import InstanceTarget

DELETED = " (deleted)"  # what the kernel adds to the path of a file that has no name any more

# Programs that run a script named by their first word that is no option. A text editor or a
# checksum program that has the same file in its command line is none of them.
SHELLS = frozenset({"sh", "ash", "bash", "dash", "ksh", "mksh", "zsh"})
INTERPRETERS = SHELLS | {"python", "pypy", "perl", "ruby", "node", "nodejs", "lua", "php"}
VERSION = "0123456789."  # as in python3.11
SHEBANG_BYTES = 256
# File times are taken from a clock that ticks up to 100 times a second, as do start times.
CLOCK_TOLERANCE_NS = 100_000_000


class Claim(NamedTuple):
    """A process and the instance it belongs to.

    `replaced`: what it executes is not the file on disk any more. `readable` False: its command
    line names the executable, but it is another user's, and what it executes cannot be told.
    """

    instance: str
    replaced: bool
    readable: bool


class Executables:
    """The executables of some instances, by the path under which the kernel knows them."""

    def __init__(self, root: Root, instances: Sequence[InstanceTarget], proc: ProcDir) -> None:
        self._proc = proc
        self._by_path = {root.kernel_path(i.executable): i.name for i in instances}
        self._names = {posixpath.basename(path) for path in self._by_path}
        self._mounts: str | None = None  # our own mount namespace, once it was asked for

    def claim(self, stat: ProcStat) -> Claim | None:
        """The instance a living process belongs to, None for all the others."""
        try:
            executed = self._proc.link(f"{stat.pid}/exe")
        except PermissionError:
            return self._claim_unread(stat.pid)
        except OSError:  # a thread of the kernel, or gone
            return None
        path, replaced = self._meant(stat, executed)
        if path is None or not self._sees_the_same(stat.pid, path):
            return None
        return Claim(self._by_path[path], replaced, readable=True)

    def _meant(self, stat: ProcStat, executed: str) -> tuple[str | None, bool]:
        """The known executable that a process executes, and whether it is another file by now."""
        if executed in self._by_path:
            return executed, self._is_other_file(stat.pid, executed)
        if executed.endswith(DELETED):
            executed = executed.removesuffix(DELETED)
            if executed in self._by_path:
                return executed, True
        words = self._proc.words(stat.pid)
        if not words:
            return None, False
        path = self._named(stat.pid, words[0])
        if path is not None:
            if os.path.realpath(path) == executed:  # a link to a file that instances share
                return path, False
            if posixpath.dirname(executed) == posixpath.dirname(path):
                # Started by its name and renamed since, as people do before they copy a new one in.
                return path, True
        path = self._named(stat.pid, _script(words))
        if path is not None and _interprets(executed, words[0], path):
            return path, _is_newer(path, stat)
        return None, False

    def _sees_the_same(self, pid: int, path: str) -> bool:
        """Whether the process finds our directory under that path, and not one of its container."""
        if self._mounts is None:
            self._mounts = self._link("self/ns/mnt")
        if self._link(f"{pid}/ns/mnt") == self._mounts:
            return True
        folder = posixpath.dirname(path)
        try:
            theirs = os.stat(f"{self._proc.folder}/{pid}/root{folder}")
            return os.path.samestat(theirs, os.stat(folder))
        except OSError:
            return False

    def _link(self, name: str) -> str:
        try:
            return self._proc.link(name)
        except OSError:
            return ""

    def _claim_unread(self, pid: int) -> Claim | None:
        words = self._proc.words(pid)
        for word in (*words[:1], _script(words)):
            if word.startswith("/"):
                path = self._named(pid, word)
                if path is not None:
                    return Claim(self._by_path[path], replaced=False, readable=False)
        return None

    def _named(self, pid: int, word: str) -> str | None:
        """The known executable that a word of a command line means, None for any other file."""
        if word in self._by_path:
            return word
        folder, name = posixpath.split(word)
        if name not in self._names:
            return None
        try:
            start = "/" if word.startswith("/") else self._proc.link(f"{pid}/cwd")
        except OSError:
            return None
        path = posixpath.join(os.path.realpath(posixpath.join(start, folder)), name)
        return path if path in self._by_path else None

    def _is_other_file(self, pid: int, path: str) -> bool:
        try:
            executed = os.stat(f"{self._proc.folder}/{pid}/exe")
            on_disk = os.stat(path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return not os.path.samestat(executed, on_disk)


def _script(words: Sequence[str]) -> str:
    """The first word after an interpreter that is no option of it; "" if there is none."""
    return next((word for word in words[1:] if not word.startswith("-")), "")


def _interprets(executed: str, called: str, script: str) -> bool:
    """Whether a program is an interpreter, by its name, or by the first line of `script`."""
    kind = posixpath.basename(executed).rstrip(VERSION)
    if kind == "busybox":  # a hundred programs in one, told apart by what they are called
        kind = posixpath.basename(called)
    if kind in INTERPRETERS:
        return True
    try:
        with open(script, "rb") as file:
            first = file.read(SHEBANG_BYTES).partition(b"\n")[0]
    except OSError:
        return False
    if not first.startswith(b"#!"):
        return False
    interpreter = os.fsdecode(first[2:].split(None, 1)[0]) if first[2:].split() else ""
    return os.path.realpath(interpreter) == executed


def _is_newer(script: str, stat: ProcStat) -> bool:
    """Whether a script was written after the process began to run it."""
    try:
        written_ns = os.stat(script).st_mtime_ns
    except OSError:
        return True
    return written_ns > started_ns(stat.started_ticks) + CLOCK_TOLERANCE_NS
