"""Who wrote a line that is there at a revision, and which commit took out one that no longer is."""

from __future__ import annotations

from collections.abc import Collection

from pbxfleet.model.revisions import Written
from pbxfleet.vcs.blame import UNCOMMITTED
from pbxfleet.vcs.revisions import Commit, Revisions

SHORT = 10  # characters of a commit's name, as in `Blame`
MOST_COMMITS = 200  # that touched a file between two revisions: older ones are not looked through


NOT_COMMITTED = Written("", "", "", "", why="not committed")
CUT_OFF = Written("", "", "", "", why="older than this shallow clone")


class Authors:
    """The authors of lines of the fleet's files."""

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions
        self._commits: dict[str, Commit] = {}

    def of_lines(self, commit: str, file: str, lines: Collection[int]) -> dict[int, Written]:
        """By line of a file at a commit ("": in the working tree); nothing for what is not there.

        Renames of the file are followed.
        """
        words = [word for line in sorted(lines) for word in ("-L", f"{line},{line}")]
        at = [commit] if commit else []
        status, told, _ = self._revisions.ask("blame", "--porcelain", *words, *at, "--", file)
        if status != 0:
            return {}
        return {line: self._written(key, cut) for line, key, cut in _parsed(told)}

    def of_removal(self, before: str, after: str, file: str, line: int) -> Written | None:
        """The last commit that took a line of `before` out; None if the history does not tell.

        `after` is "" for the working tree. A line is known by its text; a merge counts only where none
        of the commits that it joins did it.
        """
        head = after or self._revisions.head
        if not head:
            return NOT_COMMITTED._replace(removed=True)
        old = self._lines(before, file)
        if not 1 <= line <= len(old):
            return None
        text = old[line - 1]
        if self._lines(head, file).count(text) >= old.count(text):
            return None if after else NOT_COMMITTED._replace(removed=True)
        span = f"{before}..{head}"
        for kind in ("--no-merges", "--merges"):
            words = ("rev-list", "--full-history", f"--max-count={MOST_COMMITS}", kind, span)
            status, told, _ = self._revisions.ask(*words, "--", file)
            for key in told.decode().split() if status == 0 else ():
                here = self._lines(key, file).count(text)
                if self._lines(f"{key}^", file).count(text) > here:
                    return self._written(key, False)._replace(removed=True)
        return None

    def _lines(self, commit: str, file: str) -> list[bytes]:
        """The lines of a file at a commit, none where it is not there."""
        content = self._revisions.file(commit, file)
        return [] if content is None else [line.rstrip(b"\r") for line in content.split(b"\n")]

    def _written(self, key: str, is_cut_off: bool) -> Written:
        if key == UNCOMMITTED[: len(key)]:
            return NOT_COMMITTED
        if is_cut_off and self._revisions.is_shallow:
            return CUT_OFF
        if key not in self._commits:
            self._commits[key] = self._revisions.described(key)
        commit = self._commits[key]
        return Written(key[:SHORT], commit.author, commit.date, commit.subject)


def _parsed(told: bytes) -> list[tuple[int, str, bool]]:
    """Line, commit, and whether history ends there, of `git blame --porcelain`.

    The header of a commit is said once, so that what was said of it holds for its later lines.
    """
    found: list[tuple[int, str]] = []
    cut: set[str] = set()
    key = ""
    for line in told.split(b"\n"):
        if line.startswith(b"\t"):
            key = ""
        elif not key and line:
            words = line.decode().split(" ")
            key = words[0]
            found.append((int(words[2]), key))
        elif line == b"boundary":
            cut.add(key)
    return [(number, key, key in cut) for number, key in found]
