"""Temporary files that become the real ones: made beside them, renamed over them, or removed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from itertools import count
from typing import NamedTuple, TypeVar

T = TypeVar("T")

PREFIX = ".pbxfleet-"
DISPLACED = f"{PREFIX}displaced-"
MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)  # POSIX lets rmdir say either

_numbers = count()


class Attributes(NamedTuple):
    """What a new file gets: permission bits, owner (-1: as it comes), extended attributes."""

    mode: int
    uid: int
    gid: int
    extended: tuple[tuple[str, bytes], ...] = ()


KEPT_AS = Attributes(0o600, -1, -1)
LINK_FROM_BYTES = 1_000_000  # release files; nobody's pbx.xml
# Another file system, one without hard links, too many names, a kernel that protects them (proc(5),
# protected_hardlinks), or a container's overlay that cannot.
NO_SECOND_NAME = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES)


def is_temporary(name: str) -> bool:
    """Whether a name in a directory is one of ours; left over only by a run that was killed."""
    pid, _, number = name.removeprefix(PREFIX).partition("-")
    return name.startswith(PREFIX) and pid.isdecimal() and number.isdecimal()


def beside(directory: int, temporary: str, inode: int) -> str:
    """The temporary file under a name that no sweep removes: it is about to change places with another.

    The name has the inode of ours, so that whoever finds it knows which of the two it is.
    """
    name = f"{DISPLACED}{inode}-{temporary.removeprefix(PREFIX)}"
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    return name


def ours_beside(name: str) -> int | None:
    """The inode in a name from `beside`, None if it is another name."""
    inode = name.removeprefix(DISPLACED).partition("-")[0]
    return int(inode) if name.startswith(DISPLACED) and inode.isdecimal() else None


def give(file: int, attributes: Attributes) -> None:
    """Set owner, extended attributes and mode, in the only order that keeps all three."""
    # A change of owner clears set-user-ID bits and capabilities, so it comes before both.
    if attributes.uid != -1 or attributes.gid != -1:
        os.fchown(file, attributes.uid, attributes.gid)
    for key, value in attributes.extended:
        try:
            os.setxattr(file, key, value)
        except OSError:
            continue  # the file system or our rights do not have it; mode and owner decide access
    os.fchmod(file, attributes.mode)


def put(
    directory: int,
    name: str,
    attributes: Attributes,
    fill: Callable[[int], None],
    sync: Callable[[int], None],
) -> None:
    """Replace `name` in an open directory by a new file that `fill` writes, or not at all.

    The mode is set before the content: the file may hold a password, and the moment between
    create and chmod is enough for another user to open it.
    """
    temporary, _ = made(directory, attributes, fill, sync)
    _take_place(directory, temporary, name, sync)


def made(
    directory: int,
    attributes: Attributes,
    fill: Callable[[int], None],
    sync: Callable[[int], None],
) -> tuple[str, int]:
    """A temporary file that `fill` wrote, on the disk for good; its name and inode."""
    temporary, file = _fresh(lambda free: os.open(free, MAKE, 0o600, dir_fd=directory))
    try:
        try:
            give(file, attributes)
            fill(file)
            if attributes.mode & (stat.S_ISUID | stat.S_ISGID):
                # Writing clears these bits for everybody but the superuser.
                os.fchmod(file, attributes.mode)
            sync(file)
            return temporary, os.fstat(file).st_ino
        finally:
            os.close(file)
    except BaseException:
        discard(directory, temporary)
        raise


def write_all(file: int, content: bytes) -> None:
    """Write everything: one write may take only a part of it."""
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def discard(directory: int, temporary: str) -> None:
    """Remove a temporary file; where that fails, `Files.sweep` finds it later."""
    _discard(lambda: os.unlink(temporary, dir_fd=directory))


def _take_place(directory: int, temporary: str, name: str, sync: Callable[[int], None]) -> None:
    """Rename a temporary file or link to its name, durably, or remove it."""
    try:
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        discard(directory, temporary)
        raise
    sync(directory)


def put_link(directory: int, name: str, target: str, sync: Callable[[int], None]) -> None:
    """Replace `name` in an open directory by a symbolic link."""
    temporary, _ = _fresh(lambda free: os.symlink(target, free, dir_fd=directory))
    _take_place(directory, temporary, name, sync)


def put_name(
    directory: int, name: str, source: tuple[int, str], sync: Callable[[int], None]
) -> None:
    """Replace `name` in an open directory by a further name of the file `source`."""
    there, known_as = source

    def link(free: str) -> None:
        os.link(known_as, free, src_dir_fd=there, dst_dir_fd=directory, follow_symlinks=False)

    temporary, _ = _fresh(link)
    try:
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    finally:
        # rename(2) leaves both names where they are one file already
        _discard(lambda: os.unlink(temporary, dir_fd=directory))
    sync(directory)


def put_kept(
    directory: int,
    name: str,
    source: tuple[int, str],
    file: int,
    fill: Callable[[int], None],
    sync: Callable[[int], None],
) -> None:
    """Keep the open file `file`, known as `source`, as `name`: a copy that `fill` writes, or a link.

    A small file is always copied: whoever writes it in place would change what is kept with it.
    """
    found = os.fstat(file)
    sync(file)  # whoever wrote it may not have; what is kept must outlive a power cut
    if found.st_size >= LINK_FROM_BYTES:
        try:
            put_name(directory, name, source, sync)
        except OSError as error:
            if error.errno not in NO_SECOND_NAME:
                raise
        else:
            if os.path.samestat(os.stat(name, dir_fd=directory, follow_symlinks=False), found):
                return  # else somebody renamed another file to the source meanwhile
    put(directory, name, KEPT_AS, fill, sync)


def put_directory(
    directory: int, name: str, attributes: Attributes, sync: Callable[[int], None]
) -> None:
    """Make an empty directory that has its mode and owner from the first moment on."""
    temporary, _ = _fresh(lambda free: os.mkdir(free, 0o700, dir_fd=directory))
    try:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        made = os.open(temporary, flags, dir_fd=directory)
        try:
            give(made, attributes)
            sync(made)
        finally:
            os.close(made)
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        _discard(lambda: os.rmdir(temporary, dir_fd=directory))
        raise
    sync(directory)


def discarded(directory: int, name: str, sync: Callable[[int], None]) -> bool:
    """Remove a file, a link or an empty directory; False for a directory that is not empty."""
    try:
        os.unlink(name, dir_fd=directory)
    except IsADirectoryError:
        try:
            os.rmdir(name, dir_fd=directory)
        except OSError as error:
            if error.errno in NOT_EMPTY:
                return False
            raise
    sync(directory)
    return True


def _fresh(make: Callable[[str], T]) -> tuple[str, T]:
    """The first name that is free, and what `make` made of it."""
    while True:
        name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
        try:
            return name, make(name)
        except FileExistsError:  # left by a killed run whose process number is ours now
            continue


def _discard(remove: Callable[[], None]) -> None:
    try:
        remove()
    except OSError:
        return  # the first error is the one to tell; `Files.sweep` finds what is left
