"""Who could have written something: what others may write is not believed."""

from __future__ import annotations

import os
import stat

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.refusals import refused
from pbxfleet.host.rooted import Root

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def distrusted(root: Root, path: HostPath, *, directory: bool) -> str:
    """Why the file (or `directory`) at `path` may be somebody else's work; "" if ours, or not there.

    Only the superuser and the user that runs this may own or write it. HST101 if a link is on the
    way that others may have made; one at `path` itself is followed by the same rule.
    """
    real = root.followed(path)
    try:
        found = os.lstat(root.prefix + real)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise refused(path, error) from error
    is_kind = stat.S_ISDIR if directory else stat.S_ISREG
    if not is_kind(found.st_mode):
        return f"is no {'directory' if directory else 'file'}"
    if found.st_uid not in (0, os.geteuid()):
        return f"belongs to user {found.st_uid}"
    if found.st_mode & OTHERS_WRITE:
        return f"has mode {found.st_mode & 0o7777:04o}, so that others can write it"
    return ""


def lines_of(root: Root, path: HostPath, content: bytes | None) -> tuple[str, ...]:
    """The lines of a file that only the superuser can have written, without blanks and comments.

    HostError if others could have.
    """
    if content is None:
        return ()
    why = distrusted(root, path, directory=False)
    if why:
        raise HostError(path, why)
    lines = (line.strip() for line in content.decode("utf-8", "replace").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
