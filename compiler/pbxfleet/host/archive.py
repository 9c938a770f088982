"""A directory as one tar file that was read back before it counts."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Callable, Iterator

from pbxfleet.core.digest import sha256
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import DIGEST_ENDING, HostPath, parent
from pbxfleet.host.exchange import NOREPLACE, renamed
from pbxfleet.host.files import NEW_FILE_MODE, stat_in
from pbxfleet.host.refusals import refused
from pbxfleet.host.temporary import Attributes, discard, made, write_all
from pbxfleet.host.trees import Entry, Trees, walk
from pbxfleet.host.views import CHUNK_BYTES, LOOK

FOLDER_MODE = 0o700
UNNAMED = "surrogateescape"  # names are bytes; what is no UTF-8 comes back as it was


class _Members:
    """What is in an archive, as one digest: names, kinds, sizes and contents in their order."""

    def __init__(self) -> None:
        self.state = sha256()
        self.count = 0

    def add(self, member: tarfile.TarInfo, content: str) -> None:
        size = member.size if member.isreg() else 0
        kind = member.type.decode("ascii", "replace")
        text = f"{member.name}\0{kind}\0{size}\0{member.linkname}\0{content}\n"
        self.state.update(text.encode("utf-8", UNNAMED))
        self.count += 1


class _Through:
    """An open file for tarfile, and the digest of everything that went through."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.state = sha256()

    def write(self, part: bytes) -> int:
        self.state.update(part)
        write_all(self.file, part)
        return len(part)

    def read(self, size: int = -1) -> bytes:
        part = os.read(self.file, CHUNK_BYTES if size < 0 else size)
        self.state.update(part)
        return part

    @property
    def digest(self) -> str:
        return self.state.hexdigest()


def archive(host: Trees, path: HostPath, to: HostPath) -> None:
    """Pack the directory `path` into the new file `to`, 0600, with `to`.sha256 as sha256sum has it.

    The file gets its name only when it is complete, on the disk, and was read back: every member with
    its size and the digest of its content. Never over anything. Sockets are left out, extended
    attributes are not kept. HostError if a file changes meanwhile; nothing is left then.
    """
    top = host.root.open_directory(path)
    try:
        host.make_directory(parent(to), FOLDER_MODE, "")
        folder, name = host.open_parent(to)
        try:
            if stat_in(folder, name) is not None:
                raise HostError(to, "is there already", errno.EEXIST)
            _archive(host, top, path, folder, name)
            host.sync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise refused(to, error) from error
    finally:
        os.close(top)


def _archive(host: Trees, top: int, path: HostPath, folder: int, name: str) -> None:
    digests: list[str] = []

    def fill(file: int) -> None:
        digests.append(_pack(top, path, file, host.sync))

    attributes = Attributes(NEW_FILE_MODE, -1, -1)
    temporary, _ = made(folder, attributes, fill, host.sync)
    try:
        line = f"{digests[0]}  {name}\n".encode("utf-8", UNNAMED)
        listed, _ = made(folder, attributes, lambda file: write_all(file, line), host.sync)
        try:
            _name(folder, listed, name + DIGEST_ENDING)
        finally:
            discard(folder, listed)
        _name(folder, temporary, name)
    finally:
        discard(folder, temporary)


def _name(folder: int, temporary: str, name: str) -> None:
    """Give a temporary file its name, which nobody may have yet."""
    if not renamed(folder, temporary, name, NOREPLACE):
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


def _pack(top: int, path: HostPath, file: int, sync: Callable[[int], None]) -> str:
    """Write the tar file, read it back from the disk, and give its digest."""
    base = path.rpartition("/")[2]
    members, sink = _Members(), _Through(file)
    with tarfile.open(
        fileobj=sink,  # type: ignore[call-overload]
        mode="w|",
        format=tarfile.PAX_FORMAT,
        errors=UNNAMED,
    ) as tar:
        for member, content in _contents(top, path, base):
            if content is None:
                tar.addfile(member)
                members.add(member, "")
                continue
            try:
                source = _Through(content)
                tar.addfile(member, source)
                _must_be_at_its_end(content, member, path)
                members.add(member, source.digest)
            finally:
                os.close(content)
    sync(file)
    found, digest = _read_back(file)
    if (found, digest) != (members.state.hexdigest(), sink.digest):
        raise HostError(path, "the archive does not read back as it was written", errno.EIO)
    return digest


def _contents(top: int, path: HostPath, base: str) -> Iterator[tuple[tarfile.TarInfo, int | None]]:
    """Every member with its open file, if it is one."""
    yield _member(base, os.fstat(top), tarfile.DIRTYPE), None
    for entry in walk(top, path):
        name = f"{base}/{entry.path}"
        mode = entry.state.st_mode
        if stat.S_ISREG(mode):
            file = os.open(entry.name, LOOK, dir_fd=entry.holder)
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode):
                os.close(file)
                raise HostError(path, f"{entry.path} changed while it was read", errno.EAGAIN)
            member = _member(name, state, tarfile.REGTYPE)
            member.size = state.st_size
            yield member, file
        elif (special := _special(name, entry)) is not None:
            yield special, None


def _special(name: str, entry: Entry) -> tarfile.TarInfo | None:
    """A directory, link, FIFO or device; None for a socket, which no tar file can hold."""
    mode = entry.state.st_mode
    if stat.S_ISDIR(mode):
        return _member(name, entry.state, tarfile.DIRTYPE)
    if stat.S_ISLNK(mode):
        member = _member(name, entry.state, tarfile.SYMTYPE)
        member.linkname = os.readlink(entry.name, dir_fd=entry.holder)
        return member
    if stat.S_ISFIFO(mode):
        return _member(name, entry.state, tarfile.FIFOTYPE)
    if stat.S_ISSOCK(mode):
        return None
    member = _member(name, entry.state, tarfile.CHRTYPE if stat.S_ISCHR(mode) else tarfile.BLKTYPE)
    member.devmajor, member.devminor = os.major(entry.state.st_rdev), os.minor(entry.state.st_rdev)
    return member


def _member(name: str, state: os.stat_result, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.mode = stat.S_IMODE(state.st_mode)
    member.uid, member.gid = state.st_uid, state.st_gid
    member.mtime = int(state.st_mtime)
    return member


def _must_be_at_its_end(file: int, member: tarfile.TarInfo, path: HostPath) -> None:
    state = os.fstat(file)
    if os.read(file, 1) or state.st_size != member.size or int(state.st_mtime) != member.mtime:
        raise HostError(path, f"{member.name} changed while it was packed", errno.EAGAIN)


def _read_back(file: int) -> tuple[str, str]:
    """Digests of the members and of the bytes, as they lie on the disk now."""
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)  # not what the kernel still has in memory
    again = os.open(f"/proc/self/fd/{file}", LOOK & ~os.O_NOFOLLOW)
    try:
        members, source = _Members(), _Through(again)
        with tarfile.open(
            fileobj=source,  # type: ignore[call-overload]
            mode="r|",
            errors=UNNAMED,
        ) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isreg() else None
                state = sha256()
                while stream is not None and (part := stream.read(CHUNK_BYTES)):
                    state.update(part)
                members.add(member, "" if stream is None else state.hexdigest())
                tar.members = []  # a million files would stay in memory
        while source.read():
            pass
        return members.state.hexdigest(), source.digest
    except tarfile.TarError as error:
        raise HostError("the archive", f"cannot be read back: {error}", errno.EIO) from error
    finally:
        os.close(again)
