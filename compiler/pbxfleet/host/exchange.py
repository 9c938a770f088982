"""Putting a new file in place of one that others write too: only if it is still what was read.

Between the last look at a file and a rename over it somebody may have written; what he wrote would be
gone, and nobody would know. The kernel can swap two names in one step (renameat2, RENAME_EXCHANGE,
https://man7.org/linux/man-pages/man2/rename.2.html): the file that was displaced is then at hand, is
looked at once more, and goes back if it is not the one that was read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from pbxfleet.host.temporary import Attributes, beside, discard, made, write_all
from pbxfleet.host.views import LOOK, read_open

NOREPLACE, EXCHANGE = 1, 2
# Kernels before 3.15 and some file systems have no such rename, some C libraries no such function.
UNKNOWN = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)

Sync = Callable[[int], None]


def put_instead(
    directory: int, name: str, attributes: Attributes, contents: tuple[bytes, bytes], sync: Sync
) -> bool:
    """Replace the file `name` if it holds the first of `contents` by one with the second.

    False, and it is left alone, if it holds something else, is no regular file, is not there, or has
    another mode or owner than `attributes`.
    """
    before, after = contents
    if not _holds(directory, name, before, attributes):
        return False
    temporary, inode = made(directory, attributes, lambda file: write_all(file, after), sync)
    try:
        if not _holds(directory, name, before, attributes):
            discard(directory, temporary)
            return False
        # From here to its end it may be somebody else's: a sweep must not find it as one of ours.
        temporary = beside(directory, temporary, inode)
        if not _swapped(directory, temporary, name):
            # Without such a rename the look above was the last one.
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            sync(directory)
            return True
    except OSError:
        discard(directory, temporary)
        raise
    if _holds(directory, temporary, before, attributes):
        sync(directory)
        discard(directory, temporary)
        sync(directory)
        return True
    _back(directory, temporary, name, inode)
    sync(directory)
    return False


def put_where_nothing_is(
    directory: int, name: str, attributes: Attributes, content: bytes, sync: Sync
) -> bool:
    """Make the file `name`; False, and nothing is changed, if something of that name is there."""
    temporary, _ = made(directory, attributes, lambda file: write_all(file, content), sync)
    try:
        if not renamed(directory, temporary, name, NOREPLACE):
            os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            discard(directory, temporary)
    except FileExistsError:
        discard(directory, temporary)
        return False
    except BaseException:
        discard(directory, temporary)
        raise
    sync(directory)
    return True


def _back(directory: int, temporary: str, name: str, ours: int) -> None:
    """Put the displaced file back, unless somebody put a newer one in place of ours meanwhile."""
    _swapped(directory, temporary, name)
    if os.stat(temporary, dir_fd=directory, follow_symlinks=False).st_ino == ours:
        discard(directory, temporary)
    else:
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)


def _holds(directory: int, name: str, content: bytes, attributes: Attributes) -> bool:
    """Whether `name` is a regular file with this content, mode and (-1: any) owner."""
    try:
        file = os.open(name, LOOK, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            return False
        raise
    try:
        found = os.fstat(file)
        if found.st_size != len(content) or found.st_mode & 0o7777 != attributes.mode:
            return False
        owner = (attributes.uid, attributes.gid)
        if owner not in ((-1, -1), (found.st_uid, found.st_gid)):
            return False
        return read_open(file, found.st_size) == content
    except IsADirectoryError:
        return False
    finally:
        os.close(file)


def _swapped(directory: int, one: str, other: str) -> bool:
    return renamed(directory, one, other, EXCHANGE)


def renamed(directory: int, old: str, new: str, flags: int) -> bool:
    """Rename by renameat2 within one directory; False where there is no such call."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(directory, os.fsencode(old), directory, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), new)
