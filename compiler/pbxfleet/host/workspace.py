"""Folders of the fleet repository: read whatever is in them without ever hanging.

A pull request may put anything into a repository: links that lead out of it, loops, FIFOs, endless
files. None of them is followed or waited for; each is a problem with its name, and the rest is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.host.views import CHUNK_BYTES, LOOK

LARGEST_BYTES = 16 << 20  # a desired file of 10 MB is read; what is larger was put there by mistake

REASONS = {
    errno.ELOOP: "is a link that leads to itself",
    errno.ENOENT: "is a link that leads nowhere",
    errno.EACCES: "cannot be read: permission denied",
    errno.ENXIO: "is not a regular file",
    errno.ENAMETOOLONG: "lies too deep to be read",
}


class ReadProblem(NamedTuple):
    """Why a file could not be read, as the end of a sentence that begins with its name."""

    reason: str


def read_tree(
    directory: str,
    subfolder: str = "",
    *,
    file_suffixes: tuple[str, ...] = (),
    hidden: bool = False,
    largest_bytes: int = LARGEST_BYTES,
) -> dict[str, bytes | ReadProblem]:
    """Every file below `directory`/`subfolder`, sorted by its name relative to `directory`.

    Links are followed inside `directory` only. A directory whose name ends in one of `file_suffixes`
    is a problem instead of being read. Names that begin with a dot are left out unless `hidden`.
    Empty if there is no such folder.
    """
    reader = _Reader(directory, file_suffixes, hidden, largest_bytes)
    return dict(sorted(reader.read(subfolder.strip("/"))))


class _Reader:
    """One reading of a repository folder; no folder is read twice, so links cannot multiply it."""

    def __init__(
        self, directory: str, file_suffixes: tuple[str, ...], hidden: bool, largest_bytes: int
    ) -> None:
        self._top = os.path.realpath(directory)
        self._suffixes = file_suffixes
        self._hidden = hidden
        self._largest = largest_bytes
        self._known: set[str] = set()
        self._folders: list[tuple[str, str]] = []  # name, real path
        self._linked: list[tuple[str, str]] = []  # the same, reached by a link: read last

    def read(self, subfolder: str) -> Iterator[tuple[str, bytes | ReadProblem]]:
        start = os.path.join(self._top, subfolder) if subfolder else self._top
        if not os.path.lexists(start):
            return
        real = os.path.realpath(start)
        if not os.path.isdir(real) or not self._is_inside(real):
            yield _shown(subfolder) or ".", ReadProblem("is not a folder of this repository")
            return
        self._folders.append((subfolder, real))
        while self._folders or self._linked:
            while self._folders:
                yield from self._read_folder(*self._folders.pop())
            self._linked.sort(reverse=True)
            if self._linked:
                name, real = self._linked.pop()
                if real in self._known:
                    yield name, ReadProblem("is a link to a folder that is read already")
                else:
                    self._folders.append((name, real))

    def _read_folder(self, folder: str, real: str) -> Iterator[tuple[str, bytes | ReadProblem]]:
        if real in self._known:
            return
        self._known.add(real)
        try:
            entries = list(os.scandir(real))
        except OSError as error:
            yield _shown(folder) or ".", _problem(error)
            return
        for entry in entries:
            if self._hidden or not entry.name.startswith("."):
                name = f"{folder}/{entry.name}" if folder else entry.name
                content = self._entry(name, entry)
                if content is not None:
                    yield _shown(name), content

    def _entry(self, name: str, entry: os.DirEntry[str]) -> bytes | ReadProblem | None:
        """Content of a file or what is wrong with it; None for a folder, which is kept for later."""
        if _shown(name) != name:
            return ReadProblem("has a name with characters that cannot be printed")
        linked = entry.is_symlink()
        real = os.path.realpath(entry.path) if linked else entry.path
        if linked and not self._is_inside(real):
            return ReadProblem("is a link that leads out of the repository")
        try:
            if not entry.is_dir():
                return self._content_of(real, linked)
        except OSError as error:
            return _problem(error)
        if self._suffixes and name.endswith(self._suffixes):
            return ReadProblem("is a folder, not a file")
        (self._linked if linked else self._folders).append((name, real))
        return None

    def _content_of(self, real: str, linked: bool) -> bytes | ReadProblem | None:
        """Content of a file by its real path, None if it vanished."""
        try:
            file = os.open(real, LOOK)
        except FileNotFoundError as error:
            return _problem(error) if linked else None
        except OSError as error:
            return _problem(error)
        try:
            found = os.fstat(file)
            if stat.S_ISDIR(found.st_mode):
                return ReadProblem("is a folder, not a file")
            if not stat.S_ISREG(found.st_mode):
                return ReadProblem("is not a regular file")
            return self._content(file)
        except OSError as error:
            return _problem(error)
        finally:
            os.close(file)

    def _content(self, file: int) -> bytes | ReadProblem:
        parts: list[bytes] = []
        left = self._largest + 1
        while left > 0 and (part := os.read(file, min(left, CHUNK_BYTES))):
            parts.append(part)
            left -= len(part)
        if left <= 0:
            return ReadProblem(f"is larger than {self._largest:,} bytes")
        return b"".join(parts)

    def _is_inside(self, real: str) -> bool:
        return real == self._top or real.startswith(self._top.rstrip("/") + "/")


def _problem(error: OSError) -> ReadProblem:
    reason = REASONS.get(error.errno or 0)
    return ReadProblem(reason or f"cannot be read: {str(error.strerror).lower()}")


def _shown(name: str) -> str:
    """A name that can be printed: what cannot is written as an escape."""
    if name.isprintable() and name.isascii():
        return name
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
