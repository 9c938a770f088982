"""Whether a rendered tree is still as it was written, asked of the kernel instead of read again.

A stamp is what `lstat` says of a file or folder; that of a tree is the digest of all of them. One that
was taken at least `SETTLED_NS` after the last change is proof: whatever changes a file afterwards
changes its ctime, which nobody can set. Of younger ones a second change within the clock's grain could
go unseen, so they prove nothing.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator

from pbxfleet.core.digest import Digest, digest_of

SETTLED_NS = 2_000_000_000  # file systems keep times in steps of up to two seconds


def stamp_of(directory: str, files: Iterable[str]) -> Digest | None:
    """Stamp of the files (names relative to `directory`) and of every folder that leads there.

    None if one of them changed so lately that a stamp would prove nothing, or is not there.
    """
    names = [*_with_folders(files)]
    before_ns = time.time_ns() - SETTLED_NS
    told = []
    try:
        for path in _paths(directory, names):
            found = os.lstat(path)
            if found.st_ctime_ns > before_ns:
                return None
            # Of a folder the size tells nothing, and is not the same on every file system.
            size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
            place = (found.st_mode, size, found.st_ino, found.st_dev)
            told.append((*place, found.st_mtime_ns, found.st_ctime_ns))
    except OSError:
        return None
    return digest_of(repr((names, told)).encode("utf-8", "surrogateescape"))


def _paths(directory: str, names: Iterable[str]) -> Iterator[str]:
    return (f"{directory}/{name}" if name else directory for name in names)


def _with_folders(files: Iterable[str]) -> dict[str, None]:
    """The files and, in front of them, the folders that they lie in; "" is the top."""
    found: dict[str, None] = {"": None}
    for name in files:
        folder = os.path.dirname(name)
        missing = []
        while folder and folder not in found:
            missing.append(folder)
            folder = os.path.dirname(folder)
        found |= dict.fromkeys(reversed(missing))
        found[name] = None
    return found
