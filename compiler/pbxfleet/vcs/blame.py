"""The commit that last touched a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from git import Repo

UNCOMMITTED = "0" * 40


class Blame(NamedTuple):
    """A commit: short id, author's name, date (ISO 8601), first line of its message."""

    commit: str
    author: str
    date: str
    subject: str


class History:
    """The history of one fleet repository; says nothing where there is no git, or no commit yet."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._repo = _open(folder)

    def blame(self, file: str, line: int) -> Blame | None:
        """The commit that line `line` (from 1) of `file` is from; None if it is not committed."""
        if self._repo is None or line < 1:
            return None
        from git import Commit
        from git.exc import GitError

        path = f"{self._folder}/{file}"
        try:
            # rev None is the working tree: an edited line belongs to nobody yet. The path follows "--".
            found = self._repo.blame(None, path, L=f"{line},{line}") or ()
        except (GitError, ValueError, OSError):
            return None
        for entry in found:
            commit = entry[0] if isinstance(entry, list) else None
            if isinstance(commit, Commit) and commit.hexsha != UNCOMMITTED:
                return Blame(
                    commit.hexsha[:10],
                    str(commit.author.name),
                    commit.committed_datetime.date().isoformat(),
                    str(commit.summary),
                )
        return None


def _open(folder: str) -> Repo | None:
    """The repository that holds `folder`; importing GitPython fails where git is not installed."""
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:
        return None
    try:
        return Repo(folder, search_parent_directories=True)
    except GitError:
        return None
