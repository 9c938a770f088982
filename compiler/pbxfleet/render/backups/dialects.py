"""What is left out, in the language of each program: the same files, four ways to say so.

Paths are relative to the root of the host, except for restic, which compares absolute ones. Neither
`*` nor `?` stands for a slash anywhere. What is special in a path is made literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from pbxfleet.model.backup import BackupProgram
from pbxfleet.render.backups.contents import Contents, LeftOut

_SIGNS = re.compile(r"[\\*?\[\]]")
_WILD = re.compile(r"[*?\[]")


def excludes(program: BackupProgram, contents: Contents) -> bytes:
    """The file that tells a program what to leave out; for Borg also what to take."""
    lines = [_DIALECTS[program](one) for one in contents.left_out]
    if program is BackupProgram.BORG:
        # A root is taken literally, but blanks in front of it would be lost without the dot.
        lines = [f"R .{path}" for path in contents.paths] + lines
    return "".join(f"{line}\n" for line in lines).encode()


def paths(contents: Contents) -> bytes:
    """The paths, one a line, exactly as they are."""
    return "".join(f"{path}\n" for path in contents.paths).encode()


def tar_pattern(one: LeftOut) -> str:
    """For -X behind `--anchored --no-wildcards-match-slash`, with the path's leading slash.

    Shell patterns with a backslash as escape (GNU tar manual, "Wildcards Patterns and Matching").
    """
    return _escaped(one)


def _tar(one: LeftOut) -> str:
    return tar_pattern(one).removeprefix("/")


def _restic(one: LeftOut) -> str:
    """For --exclude-file: Go's filepath.Match by components; `$` would be a variable.

    (restic documentation, "Excluding Files").
    """
    return _escaped(one).replace("$", "$$")


def _rsync(one: LeftOut) -> str:
    """For --exclude-from, where a leading slash means the root of the transfer.

    A backslash escapes only in a pattern that has a wildcard (rsync(1), "PATTERN MATCHING RULES").
    """
    path = f"{one.below}/{one.pattern}" if one.pattern else one.below
    return _escaped(one) if _WILD.search(path) else path


def _borg(one: LeftOut) -> str:
    """For --patterns-from: a regular expression, in which everything can be made literal.

    Shell patterns of Borg 1 have no escape, and what a directory's rule says is not said of what is
    in it (borg-patterns(1)).
    """
    text = re.escape(one.below.removeprefix("/"))
    if one.pattern:
        inner = re.escape(one.pattern)
        text += "/" + inner.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return f"- re:^{text}(/|\\Z)"


def _escaped(one: LeftOut) -> str:
    path = _SIGNS.sub(r"\\\g<0>", one.below)
    return f"{path}/{one.pattern}" if one.pattern else path


_DIALECTS: Mapping[BackupProgram, Callable[[LeftOut], str]] = {
    BackupProgram.RESTIC: _restic,
    BackupProgram.BORG: _borg,
    BackupProgram.RSYNC: _rsync,
    BackupProgram.TAR: _tar,
}


def sorted_lines(lines: Iterable[str]) -> bytes:
    """Lines without repetitions."""
    return "".join(f"{line}\n" for line in sorted(set(lines))).encode()
