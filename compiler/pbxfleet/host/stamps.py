"""Whether a rendered tree is still as it was written, asked of the kernel instead of read again.

A stamp is what `lstat` says of a file or folder. A stamp that was taken at least `SETTLED_NS` after the
last change is proof: whatever changes the file afterwards changes its ctime, which nobody can set.
Of younger ones a second change within the clock's grain could go unseen, so they prove nothing.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from typing import TypeAlias

SETTLED_NS = 2_000_000_000  # file systems keep times in steps of up to two seconds

# mode, size, inode, device, mtime and ctime (both in ns); size and mode tell nothing of a folder
Stamp: TypeAlias = tuple[int, int, int, int, int, int]


def stamps_of(directory: str, files: Iterable[str]) -> dict[str, Stamp] | None:
    """Stamps of the files (names relative to `directory`) and of every folder that leads there.

    None if one of them changed so lately that its stamp proves nothing, or is not there.
    """
    names = [*_with_folders(files)]
    before_ns = time.time_ns() - SETTLED_NS
    found: dict[str, Stamp] = {}
    for name in names:
        stamp = _stamp(f"{directory}/{name}" if name else directory)
        if stamp is None or stamp[5] > before_ns:
            return None
        found[name] = stamp
    return found


def are_as_stamped(directory: str, stamps: dict[str, Stamp]) -> bool:
    """Whether every file and folder still has its stamp."""
    return all(
        _stamp(f"{directory}/{name}" if name else directory) == stamp
        for name, stamp in stamps.items()
    )


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    times = (found.st_mtime_ns, found.st_ctime_ns)
    size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
    return (found.st_mode, size, found.st_ino, found.st_dev, *times)


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
