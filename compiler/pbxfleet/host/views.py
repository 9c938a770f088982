"""Looking at files: what lies at a path, and its content. Nothing here changes anything."""

from __future__ import annotations

import errno
import os
import stat

from pbxfleet.core.digest import Digest, sha256
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.owners import Owners
from pbxfleet.host.refusals import refused
from pbxfleet.host.rooted import Root
from pbxfleet.model.observed import ABSENT, Seen, What

# O_NONBLOCK: opening a FIFO that nobody writes to must not wait for ever.
LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
CHUNK_BYTES = 1 << 20
NOT_THERE = (errno.ENOENT, errno.ENOTDIR)


class FileView:
    """The files below a root folder, for reading."""

    def __init__(self, root: Root, owners: Owners) -> None:
        self.root = root
        self.owners = owners

    def look(self, path: HostPath) -> Seen:
        """What lies at `path`, with the digest of a regular file's content; `ABSENT` if nothing."""
        place = self.root.machine_path(path)
        try:
            file = os.open(place, LOOK)
        except OSError as error:
            if error.errno in NOT_THERE:
                return ABSENT
            return self._look_closed(path, place, error)
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                return self._seen(found)
            size_bytes, digest = self.digest_at(path, file, found)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(file)
        owner = self.owners.name(found.st_uid, found.st_gid)
        return Seen(What.FILE, found.st_mode & 0o7777, owner, size_bytes, digest)

    def digest_at(self, path: HostPath, file: int, found: os.stat_result) -> tuple[int, Digest]:
        """Length and digest of an open file, of which `found` is known."""
        return digest_of_open(file, found.st_size)

    def _look_closed(self, path: HostPath, place: str, why: OSError) -> Seen:
        """What lies at a path that cannot be opened: a link, a socket, a foreign directory."""
        try:
            found = os.lstat(place)
        except OSError as error:
            if error.errno in NOT_THERE:
                return ABSENT
            raise refused(path, error) from error
        if stat.S_ISREG(found.st_mode):
            raise refused(path, why) from why
        return self._seen(found)

    def _seen(self, found: os.stat_result) -> Seen:
        if stat.S_ISDIR(found.st_mode):
            what = What.DIRECTORY
        elif stat.S_ISLNK(found.st_mode):
            what = What.SYMLINK
        elif stat.S_ISREG(found.st_mode):
            what = What.FILE
        else:
            what = What.OTHER
        owner = self.owners.name(found.st_uid, found.st_gid)
        return Seen(what, found.st_mode & 0o7777, owner, found.st_size, None)

    def read(self, path: HostPath) -> bytes | None:
        """Content of a regular file, None if nothing is there; HostError for anything else."""
        try:
            file = os.open(self.root.machine_path(path), LOOK)
        except OSError as error:
            if error.errno in NOT_THERE:
                return None
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise not_regular(path) from error
            raise refused(path, error) from error
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise not_regular(path)
            return read_open(file, found.st_size)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(file)

    def identity(self, path: HostPath) -> tuple[int, int, int, int, int] | None:
        """(device, inode, bytes, mtime ns, ctime ns) of a regular file, None if none is there."""
        try:
            found = os.lstat(self.root.machine_path(path))
        except OSError as error:
            if error.errno in NOT_THERE:
                return None
            raise refused(path, error) from error
        if not stat.S_ISREG(found.st_mode):
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def names(self, directory: HostPath) -> tuple[str, ...]:
        """Names in a directory, sorted; empty if there is no such directory."""
        try:
            return tuple(sorted(os.listdir(self.root.machine_directory(directory))))
        except OSError as error:
            if error.errno in NOT_THERE:
                return ()
            raise refused(directory, error) from error

    def link_target(self, path: HostPath) -> str | None:
        """What the link at `path` says, None if there is no link."""
        try:
            return os.readlink(self.root.machine_path(path))
        except OSError as error:
            if error.errno in (*NOT_THERE, errno.EINVAL):
                return None
            raise refused(path, error) from error


def not_regular(path: str) -> HostError:
    """The refusal of a path that shall be a regular file and is something else."""
    return HostError(path, "not a regular file", errno.EINVAL, code="HST103")


def read_open(file: int, size_bytes: int) -> bytes:
    """Everything that an open file holds, also if it grows or shrinks meanwhile."""
    content = os.read(file, size_bytes + 1)
    if len(content) <= size_bytes < CHUNK_BYTES:
        return content  # a short read of a regular file is its end
    parts = [content]
    while part := os.read(file, CHUNK_BYTES):
        parts.append(part)
    return b"".join(parts)


def digest_of_open(file: int, size_bytes: int) -> tuple[int, Digest]:
    """Length and digest of everything that an open file holds; small files in one read."""
    state = sha256()
    length = 0
    if size_bytes < CHUNK_BYTES:
        content = os.read(file, size_bytes + 1)
        if len(content) <= size_bytes:
            return len(content), Digest("sha256:" + sha256(content).hexdigest())
        length = len(content)
        state.update(content)
    while part := os.read(file, CHUNK_BYTES):
        length += len(part)
        state.update(part)
    return length, Digest("sha256:" + state.hexdigest())
