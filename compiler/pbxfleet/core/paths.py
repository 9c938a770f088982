"""Paths on a managed host: absolute, POSIX, normalised text; nothing here touches a disk."""

from __future__ import annotations

import posixpath
from typing import NewType

HostPath = NewType("HostPath", str)

STATE = HostPath("/var/lib/pbxfleet")
"""Where the host half keeps what it has applied; a restored host goes on from there."""

ASIDE = ".removed-"
DIGEST_ENDING = ".sha256"  # of the file beside an archive, as sha256sum writes it


def host_path(text: str) -> HostPath:
    """The normalised form of an absolute path.

    ValueError if it is relative, has `..` or control characters.
    """
    if not text.startswith("/"):
        raise ValueError("the path is not absolute")
    if any(part == ".." for part in text.split("/")):
        raise ValueError('".." is not allowed in a path')
    if not text.isprintable():
        raise ValueError("the path holds characters that cannot be printed")
    # posixpath keeps two leading slashes, which POSIX allows to mean something else
    return HostPath("/" + posixpath.normpath(text).lstrip("/"))


def is_inside(path: str, directory: str) -> bool:
    """Whether `path` lies below `directory` or is that directory."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def parent(path: str) -> HostPath:
    """The directory that holds `path`; the root is its own parent."""
    return HostPath(posixpath.dirname(path) or "/")


def join(directory: str, *names: str) -> HostPath:
    """`directory` and the names below it."""
    return HostPath(posixpath.join(directory, *names))


def aside_name(name: str, number: int) -> str:
    """What the directory `name` of a removed instance is called once it was moved aside."""
    return f"{name}{ASIDE}{number}"


def is_aside(name: str) -> bool:
    """Whether a directory is called as one that was moved aside."""
    return name.rpartition(ASIDE)[2].isdecimal() and ASIDE in name[1:]
