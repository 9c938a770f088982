"""Whole directories: how large they are, and how they are moved aside.

Trees are walked by descriptors, and no link is followed: what lies in an instance's directory is the
PBX's, and whoever has broken into it may change it while it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, parent
from pbxfleet.host.files import Files, stat_in
from pbxfleet.host.refusals import refused
from pbxfleet.host.rooted import LAST
from pbxfleet.model.observed import TreeSize, What

DEEPEST = 128  # levels of directories; the PBX itself has a handful


class Entry(NamedTuple):
    """One name in a tree: the open directory that holds it, and its path below the top."""

    holder: int
    name: str
    path: str
    state: os.stat_result


class Trees(Files):
    """The directories below a root folder."""

    def tree_size(self, path: HostPath) -> TreeSize:
        """How much lies in a directory, without the directory itself; links are not followed."""
        top = self.root.open_directory(path)
        try:
            above = self.root.open_directory(parent(path))
            try:
                is_mount = os.fstat(above).st_dev != os.fstat(top).st_dev
            finally:
                os.close(above)
            count = size_bytes = 0
            for entry in walk(top, path):
                count += 1
                size_bytes += entry.state.st_size if stat.S_ISREG(entry.state.st_mode) else 0
            return TreeSize(count, size_bytes, is_mount)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(top)

    def free_bytes(self, folder: HostPath) -> int:
        """How much more a file in `folder` may have, or in the folder where that one will be made."""
        place = folder
        while place != "/" and self.look(place).what is What.ABSENT:
            place = parent(place)
        directory = self.root.open_directory(place)
        try:
            found = os.fstatvfs(directory)
            return found.f_bavail * found.f_frsize
        except OSError as error:
            raise refused(folder, error) from error
        finally:
            os.close(directory)

    def move_directory(self, path: HostPath, to: HostPath) -> None:
        """Give a directory another name in the same folder, atomically; never over anything.

        An empty directory at `to` is no hindrance, as a killed run may have left it.
        """
        if parent(to) != parent(path):
            raise HostError(to, f"is not beside {path}", errno.EXDEV)
        directory, name = self._open_parent(path)
        new = to.rpartition("/")[2]
        try:
            found = stat_in(directory, name)
            if found is None or not stat.S_ISDIR(found.st_mode):
                raise HostError(path, "is no directory", errno.ENOTDIR)
            made = _make_empty(directory, new)
            try:
                # Over a directory rename(2) puts only a directory, and only where that one is empty.
                os.rename(name, new, src_dir_fd=directory, dst_dir_fd=directory)
            except OSError:
                if made:
                    os.rmdir(new, dir_fd=directory)
                raise
            self._sync(directory)
        except OSError as error:
            raise refused(to, error) from error
        finally:
            os.close(directory)

    def archive(self, path: HostPath, to: HostPath) -> None:
        """Pack a directory into the new tar file `to`, proven, with its digest in `to`.sha256."""
        from pbxfleet.host.archive import archive

        archive(self, path, to)

    def open_parent(self, path: HostPath) -> tuple[int, str]:
        """A descriptor of the directory that holds `path`, no link followed, and the last name."""
        return self._open_parent(path)

    def sync(self, file: int) -> None:
        """Bring an open file or directory onto the disk."""
        self._sync(file)


def _make_empty(directory: int, name: str) -> bool:
    """Make an empty directory; False if something is there already, which rename will tell of."""
    try:
        os.mkdir(name, 0o700, dir_fd=directory)
    except FileExistsError:
        return False
    return True


def walk(top: int, subject: str, below: str = "", depth: int = 0) -> Iterator[Entry]:
    """Every name in an open directory and below it, sorted, each directory before what is in it."""
    if depth > DEEPEST:
        raise HostError(subject, f"has more than {DEEPEST} levels of directories", errno.ELOOP)
    for name in sorted(os.listdir(top)):
        state = os.stat(name, dir_fd=top, follow_symlinks=False)
        path = f"{below}{name}"
        yield Entry(top, name, path, state)
        if stat.S_ISDIR(state.st_mode):
            inner = os.open(name, LAST, dir_fd=top)
            try:
                yield from walk(inner, subject, f"{path}/", depth + 1)
            finally:
                os.close(inner)
