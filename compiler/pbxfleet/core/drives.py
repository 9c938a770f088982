"""Paths of Windows in the form of host paths: `C:\\x` is `/C:/x`; nothing here touches a disk.

So every path of a host is absolute text with slashes, whatever runs there. A Linux path that looks so
does not occur: whoever wrote it is asked (SVC107).
"""

from __future__ import annotations

from pbxfleet.core.paths import HostPath


def from_windows(text: str) -> str:
    """A path that begins with a drive, as host path text; any other text as it is."""
    if text[1:3] in (":\\", ":/") and text[0].isascii() and text[0].isalpha():
        return "/" + text[0].upper() + text[1:].replace("\\", "/")
    return text


def is_on_drive(path: str) -> bool:
    """Whether a host path is one of Windows."""
    return path[2:3] == ":" and path[3:4] in ("", "/") and "A" <= path[1:2] <= "Z"


def to_windows(path: str) -> str:
    """A host path on a drive as Windows writes it."""
    return path[1:].replace("/", "\\")


def in_tree(path: HostPath) -> str:
    """Where the file lies below the folder that stands for `/`: a drive is a folder without its colon.

    Windows could not check out a file whose name has one.
    """
    return f"/{path[1]}{path[3:]}" if is_on_drive(path) else path
