"""Write a folder of the fleet repository: only what differs, each file whole, no link followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.host.refusals import refused
from pbxfleet.host.rooted import LAST
from pbxfleet.host.temporary import NOT_EMPTY, Attributes, put, write_all
from pbxfleet.host.views import LOOK, NOT_THERE, read_open

FILE_MODE, PROGRAM_MODE, FOLDER_MODE = 0o644, 0o755, 0o755


class TreeChange(NamedTuple):
    """What `write_tree` did, as sorted names relative to the folder."""

    written: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.written or self.removed)


def write_tree(
    directory: str,
    files: Mapping[str, bytes],
    *,
    programs: Collection[str] = (),
    prune: bool = True,
) -> TreeChange:
    """Make a folder hold `files` (by relative name), and with `prune` nothing else.

    Files are replaced one by one, each whole; one that is as it should be is not touched. Those in
    `programs` are 0755, others 0644, whatever the umask. Nothing outside the folder is changed, and
    no link is followed. An empty folder that is left behind goes too. Nothing is forced to the disk:
    it can be compiled again, and a fsync per file would take minutes.
    """
    removed = tuple(sorted(_prune(directory, "", frozenset(files)))) if prune else ()
    if not files:
        if prune:
            _remove_if_empty(directory)
        return TreeChange((), removed)
    try:
        os.makedirs(directory, exist_ok=True)
        writer = _Writer(directory)
    except OSError as error:
        raise refused(directory, error) from error
    try:
        # Neighbours follow each other, so each folder is opened once.
        ordered = sorted(files, key=lambda name: (os.path.dirname(name), name))
        written = [name for name in ordered if writer.put(name, files[name], name in programs)]
    finally:
        writer.close()
    return TreeChange(tuple(sorted(written)), removed)


def holds_exactly(directory: str, digests: Mapping[str, Digest]) -> bool:
    """Whether `write_tree` with files of these digests, none of them a program, would do nothing."""
    try:
        if not stat.S_ISDIR(os.lstat(directory).st_mode):
            return False
        found = {name: digest_of(content) for name, content in _plain_files(directory, "")}
    except (OSError, _NotPlain):
        return False
    return found == digests


class _NotPlain(Exception):
    """Something that `write_tree` would replace or remove."""


def _plain_files(directory: str, folder: str) -> Iterator[tuple[str, bytes]]:
    entries = list(os.scandir(os.path.join(directory, folder)))
    if folder and not entries:
        raise _NotPlain
    for entry in entries:
        name = f"{folder}/{entry.name}" if folder else entry.name
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            yield from _plain_files(directory, name)
        elif stat.S_ISREG(mode) and not mode & 0o100:
            with open(entry.path, "rb") as stream:
                yield name, stream.read()
        else:
            raise _NotPlain


class _Writer:
    """Keeps the folder of the last file open, and the folders that lead there."""

    def __init__(self, directory: str) -> None:
        self._names: list[str] = []
        self._open = [os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]

    def close(self) -> None:
        """Close every folder that is still open."""
        while self._open:
            os.close(self._open.pop())

    def put(self, name: str, content: bytes, program: bool) -> bool:
        """Make the file so; False if it was."""
        folder, base = os.path.split(name)
        mode = PROGRAM_MODE if program else FILE_MODE
        try:
            here = self._enter(folder.split("/") if folder else [])
            if _is_so(here, base, content, program):
                return False
            attributes = Attributes(mode, -1, -1)
            put(here, base, attributes, lambda file: write_all(file, content), _leave_to_kernel)
        except HostError:
            raise
        except OSError as error:
            raise refused(name, error) from error
        return True

    def _enter(self, names: list[str]) -> int:
        """A handle of the folder, made where it is missing; links on the way are refused."""
        same = 0
        for ours, theirs in zip(self._names, names, strict=False):
            if ours != theirs:
                break
            same += 1
        while len(self._names) > same:
            self._names.pop()
            os.close(self._open.pop())
        for name in names[same:]:
            self._open.append(_folder(self._open[-1], name))
            self._names.append(name)
        return self._open[-1]


def _folder(holder: int, name: str) -> int:
    try:
        return os.open(name, LAST, dir_fd=holder)
    except FileNotFoundError:
        os.mkdir(name, FOLDER_MODE, dir_fd=holder)
        made = os.open(name, LAST, dir_fd=holder)
        os.fchmod(made, FOLDER_MODE)  # whatever the umask
        return made


def _is_so(holder: int, name: str, content: bytes, program: bool) -> bool:
    """Whether the file is there with this content and may be run or not as it should."""
    try:
        found = os.stat(name, dir_fd=holder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    # Group's and others' bits follow the umask of whoever checked the repository out.
    same_kind = stat.S_ISREG(found.st_mode) and bool(found.st_mode & 0o100) is program
    if not same_kind or found.st_size != len(content):
        return False
    file = os.open(name, LOOK, dir_fd=holder)
    try:
        return read_open(file, found.st_size) == content
    finally:
        os.close(file)


def _leave_to_kernel(_: int) -> None:
    """In place of fsync."""


def _prune(directory: str, folder: str, wanted: frozenset[str]) -> Iterator[str]:
    """Remove what is not wanted, and folders that hold nothing then; names of what was removed."""
    place = os.path.join(directory, folder)
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise refused(place, error) from error
    for entry in entries:
        name = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_dir(follow_symlinks=False):
            removed = [*_prune(directory, name, wanted)]
            yield from removed
            _remove_if_empty(os.path.join(directory, name))
        elif name not in wanted:
            try:
                os.unlink(entry.path)
            except OSError as error:
                raise refused(entry.path, error) from error
            yield name


def _remove_if_empty(directory: str) -> None:
    try:
        os.rmdir(directory)
    except OSError as error:
        if error.errno not in (*NOT_EMPTY, *NOT_THERE):
            raise refused(directory, error) from error
