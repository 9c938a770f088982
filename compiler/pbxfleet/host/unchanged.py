"""Are these files still what they were? Asked of thousands at once, so every call counts."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from pbxfleet.core.digest import sha256
from pbxfleet.core.paths import HostPath
from pbxfleet.host.files import Files
from pbxfleet.host.views import LOOK, read_open

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Known(NamedTuple):
    """One file as it was: `name` in its folder, SHA-256 in hex, permission bits and owner.

    `mode` None and `owner` "" are not compared. With `stamps` (`HostView.identity`) the content is not
    read while the kernel says that the file is the very same.
    """

    name: str
    sha256: str
    mode: int | None
    owner: str
    stamps: tuple[int, ...] | None


def is_unchanged(files: Files, folder: HostPath, known: Sequence[Known]) -> bool:
    """Whether `folder` is a directory and every file in it is as it is known; False on any doubt."""
    try:
        here = os.open(files.root.machine_path(folder), FOLDER)
    except OSError:
        return False
    try:
        return all(_same(files, here, entry) for entry in known)
    except OSError:
        return False
    finally:
        os.close(here)


def _same(files: Files, here: int, known: Known) -> bool:
    if known.stamps is not None:
        found = os.lstat(known.name, dir_fd=here)
        return (
            found.st_dev,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        ) == known.stamps
    file = os.open(known.name, LOOK, dir_fd=here)
    try:
        found = os.fstat(file)
        return (
            stat.S_ISREG(found.st_mode)
            and known.mode in (None, found.st_mode & 0o7777)
            and (not known.owner or files.owners.name(found.st_uid, found.st_gid) == known.owner)
            and sha256(read_open(file, found.st_size)).hexdigest() == known.sha256
        )
    finally:
        os.close(file)
