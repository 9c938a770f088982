"""Who wrote a line, and who took one out, in histories as people make them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pbxfleet.model.revisions import Written
from pbxfleet.vcs.authors import Authors
from pbxfleet.vcs.revisions import Revisions, object_of

FILE = "desired/a.toml"


class History:
    """A repository whose commits have one author each, by the day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.day = 0

    def git(self, *words: str) -> str:
        env = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(self.folder)}
        identity = ("-c", "user.name=Somebody", "-c", "user.email=s@example.com")
        argv = ("git", *identity, "-c", "protocol.file.allow=always", *words)
        done = subprocess.run(
            argv, cwd=self.folder, env=env, check=True, capture_output=True, timeout=60
        )
        return done.stdout.decode().strip()

    def commit(self, who: str, **files: str | None) -> str:
        """A commit that writes files, or removes those that are None; its name."""
        for name, text in files.items():
            path = self.folder / "desired" / f"{name}.toml"
            path.parent.mkdir(exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text.encode())
        self.git("add", "-A")
        self.day += 1
        date = f"2026-01-{self.day:02}T12:00:00Z"
        self.git(
            "commit", "-q", "-m", f"By {who}", f"--author={who} <x@example.com>", "--date", date
        )
        return self.git("rev-parse", "HEAD")

    def authors(self) -> Authors:
        return Authors(Revisions(str(self.folder)))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "repository")


def who(found: dict[int, Written]) -> dict[int, str]:
    return {line: by.author for line, by in found.items()}


def test_lines_are_those_of_their_commits(history: History) -> None:
    history.commit("Ann", a="1\n2\n3\n")
    head = history.commit("Ben", a="1\nzwei ä\n3\n")
    found = history.authors().of_lines(head, FILE, {1, 2})
    assert who(found) == {1: "Ann", 2: "Ben"}
    assert found[2].subject == "By Ben"
    assert found[2].commit == head[:10]
    assert history.authors().of_lines(f"{head}~1", FILE, {2})[2].author == "Ann"


def test_a_merge_a_rename_and_line_ends_of_windows(history: History) -> None:
    history.commit("Ann", a="1\r\n2\r\n3\r\n", b="x\n")
    history.git("checkout", "-q", "-b", "side")
    history.commit("Ben", a="1\r\nzwei\r\n3\r\n")
    history.git("mv", "desired/a.toml", "desired/ü.toml")
    history.commit("Cat")
    history.git("checkout", "-q", "main")
    history.commit("Dan", b="y\n")
    history.git("merge", "-q", "--no-edit", "side")
    found = history.authors().of_lines("HEAD", "desired/ü.toml", {1, 2})
    assert who(found) == {1: "Ann", 2: "Ben"}


def test_what_is_not_there_has_no_author(history: History) -> None:
    head = history.commit("Ann", a="1\n")
    asked = history.authors()
    assert asked.of_lines(head, FILE, {2}) == {}
    assert asked.of_lines(head, "desired/none.toml", {1}) == {}
    assert asked.of_lines(head, "--output=x", {1}) == {}
    assert asked.of_removal(head, head, FILE, 1) is None
    assert asked.of_removal(head, head, "desired/none.toml", 1) is None


def test_edits_that_are_not_committed_are_nobodys(history: History) -> None:
    head = history.commit("Ann", a="1\n2\n")
    (history.folder / FILE).write_text("1\nchanged\n")
    found = history.authors().of_lines("", FILE, {1, 2})
    assert (found[1].author, found[2].why) == ("Ann", "not committed")
    (history.folder / FILE).unlink()
    gone = history.authors().of_removal(head, "", FILE, 2)
    assert gone is not None
    assert (gone.why, gone.removed) == ("not committed", True)


def test_the_commit_that_took_a_line_out_is_named(history: History) -> None:
    first = history.commit("Ann", a="1\n2\n3\n")
    history.commit("Ben", a="0\n1\n2\n3\n")
    history.commit("Cat", a="0\n1\n3\n")
    head = history.commit("Dan", a="0\n1\n3\n4\n")
    gone = history.authors().of_removal(first, head, FILE, 2)
    assert gone is not None
    assert (gone.author, gone.removed) == ("Cat", True)
    history.commit("Eva", a=None)
    gone = history.authors().of_removal(head, "", FILE, 1)
    assert gone is not None
    assert gone.author == "Eva"


def test_a_line_that_a_merged_branch_took_out(history: History) -> None:
    first = history.commit("Ann", a="1\n2\n3\n", b="x\n")
    history.git("checkout", "-q", "-b", "side")
    history.commit("Ben", a="1\n3\n")
    history.git("checkout", "-q", "main")
    history.commit("Cat", b="y\n")
    history.git("merge", "-q", "--no-edit", "side")
    gone = history.authors().of_removal(first, history.git("rev-parse", "HEAD"), FILE, 2)
    assert gone is not None
    assert gone.author == "Ben"


def test_in_a_shallow_clone_nobody_is_blamed_for_what_is_older(
    history: History, tmp_path: Path
) -> None:
    history.commit("Ann", a="1\n2\n")
    history.commit("Ben", b="x\n")
    history.commit("Cat", a="1\nzwei\n")
    shallow = tmp_path / "shallow"
    history.git("clone", "-q", "--depth", "2", f"file://{history.folder}", str(shallow))
    found = Authors(Revisions(str(shallow))).of_lines("HEAD", FILE, {1, 2})
    assert (found[1].author, found[1].why) == ("", "older than this shallow clone")
    assert found[2].author == "Cat"


def test_of_several_common_ancestors_all_are_named(history: History) -> None:
    history.commit("Ann", a="1\n")
    history.git("checkout", "-q", "-b", "side")
    history.commit("Ben", b="1\n")
    history.git("checkout", "-q", "main")
    history.commit("Cat", c="1\n")
    main = history.git("rev-parse", "main")
    history.git("merge", "-q", "--no-edit", "side")
    history.git("checkout", "-q", "side")
    history.git("merge", "-q", "--no-edit", main)
    found = Revisions(str(history.folder)).merge_bases("main", "side")
    assert len(found) == 2
    assert main in found


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_objects_have_the_names_that_git_gives_them(tmp_path: Path, form: str) -> None:
    folder = tmp_path / form
    subprocess.run(("git", "init", "-q", f"--object-format={form}", str(folder)), check=True)
    (folder / "f").write_bytes(b"content\r\n\0")
    argv = ("git", "-C", str(folder), "hash-object", "f")
    name = subprocess.run(argv, check=True, capture_output=True).stdout.decode().strip()
    assert object_of(b"content\r\n\0", name) == name
    for words in (("add", "f"), ("-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qmx")):
        subprocess.run(("git", "-C", str(folder), *words), check=True)
    revisions = Revisions(str(folder))
    top = revisions.fleet(revisions.commit("HEAD").object)
    assert revisions.entries(top)["f"].object == name
    assert revisions.content(name) == b"content\r\n\0"
    assert revisions.content("0" * len(name)) is None
