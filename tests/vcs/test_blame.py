"""Blame on real git repositories."""

import subprocess
from pathlib import Path

import pytest

from pbxfleet.vcs.blame import History

IDENTITY = {
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A. Author",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2021-03-04T05:06:07Z",
    "GIT_COMMITTER_DATE": "2021-03-04T05:06:07Z",
}


def git(folder: Path, *words: str) -> None:
    env = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), **IDENTITY}
    subprocess.run(("git", *words), cwd=folder, env=env, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet/a.toml").write_text("one\ntwo\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "First things\n\nand a body")
    return tmp_path


def test_a_committed_line_has_its_commit(repository: Path) -> None:
    found = History(str(repository / "fleet")).blame("a.toml", 2)
    assert found is not None
    assert (found.author, found.date, found.subject) == ("A. Author", "2021-03-04", "First things")


def test_an_edited_line_belongs_to_nobody_yet(repository: Path) -> None:
    (repository / "fleet/a.toml").write_text("one\nchanged\n")
    history = History(str(repository / "fleet"))
    assert history.blame("a.toml", 2) is None
    assert history.blame("a.toml", 1) is not None


@pytest.mark.parametrize(
    ("file", "line"), [("missing.toml", 1), ("a.toml", 99), ("a.toml", 0), ("--version", 1)]
)
def test_what_is_not_there_is_said_by_nothing(repository: Path, file: str, line: int) -> None:
    assert History(str(repository / "fleet")).blame(file, line) is None


def test_a_folder_without_git_has_no_history(tmp_path: Path) -> None:
    assert History(str(tmp_path)).blame("a.toml", 1) is None
