"""What an executable says of its version, asked only where it runs already.

`--version` is documented (https://github.com/VasilisVikos/vodia_windows_installer). But whoever looks
for drift as root must not be the first to run a file that somebody has put there: it is asked only if a
process of the instance executes this very file, under the user that we are, and nobody else could
have written it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import Runner

TIMEOUT_S = 5.0
LONGEST = 60
OPTION = "--version"


def told_version(executable: str, pids: Sequence[int]) -> str:
    """The first line that `executable --version` prints, "" where it is not asked or says nothing.

    `executable` is a path of this machine; `pids` are processes that execute the file there.
    """
    if not pids or not _may_be_asked(executable, pids[0]):
        return ""
    try:
        ran = Runner().run((executable, OPTION), TIMEOUT_S)
    except HostError:
        return ""
    line = next(iter(ran.stdout.splitlines()), "").strip()
    plain = "".join(c if c.isprintable() else "?" for c in line)[:LONGEST]
    return plain if ran.returncode == 0 else ""


def _may_be_asked(executable: str, pid: int) -> bool:
    try:
        file = os.lstat(executable)
        user = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return False
    closed = not file.st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID)
    return stat.S_ISREG(file.st_mode) and closed and file.st_uid == user == os.geteuid()
