"""`pbxfleet diff` on real repositories: what changes, read from git's objects, with nothing disturbed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pbxfleet.schema.outputs import document_of
from support.git_fleet import GitFleet
from support.output_schemas import judge

ALPHA = "desired/instances/alpha.toml"
BETA = "desired/instances/beta.yaml"


@pytest.fixture
def fleet(tmp_path: Path) -> GitFleet:
    return GitFleet(tmp_path / "fleet")


def effects(data: Any) -> dict[str, tuple[str, str]]:
    """Action and impact by instance, without what happens to the hosts themselves."""
    return {e["instance"]: (e["action"], e["impact"]) for e in data["effects"] if e["instance"]}


def fields(data: Any, instance: str) -> dict[str, tuple[Any, Any]]:
    """Before and after of everything that differs of an instance."""
    (effect,) = [e for e in data["effects"] if e["instance"] == instance]
    listed = [f for c in effect["changes"] for f in c["fields"]] + effect["facts"]
    return {f["name"]: (f["before"], f["after"]) for f in listed}


def test_nothing_is_different_between_a_commit_and_the_same_files(fleet: GitFleet) -> None:
    data = fleet.diff("HEAD", "--detailed-exitcode")
    judge(document_of("diff"), data)
    assert data["outcome"] == "nothing_to_do"
    assert data["effects"] == data["hosts"] == []


def test_an_edit_shows_what_it_does_before_it_is_compiled_and_after(fleet: GitFleet) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    stale = fleet.diff("HEAD", "--detailed-exitcode", code=2)
    assert effects(stale) == {"alpha": ("update", "live")}
    assert fields(stale, "alpha") == {"sys_name": ("Alpha", "First")}
    assert stale["hosts"] == [
        {"host": "h1", "before": "rendered", "after": "compiled", "instances": ["alpha", "beta"]}
    ]
    fleet.compile()
    fresh = fleet.diff("HEAD")
    assert fresh["hosts"][0]["after"] == "rendered"
    assert fresh["effects"] == stale["effects"]


def test_the_sides_are_commits_the_working_tree_or_where_a_branch_began(fleet: GitFleet) -> None:
    fleet.git("checkout", "-q", "-b", "topic")
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    fleet.compiled_commit("Rename the first")
    fleet.git("checkout", "-q", "main")
    fleet.edit(BETA, "Beta", "Second")
    fleet.compiled_commit("Rename the second")
    fleet.git("checkout", "-q", "topic")
    for words in (("main...topic",), ("main...",), ("--merge-base", "main"), ("main~1", "topic")):
        assert set(effects(fleet.diff(*words))) == {"alpha"}, words
    for words in (("main..topic",), ("main", "topic"), ("main",), ("main", "HEAD")):
        assert set(effects(fleet.diff(*words))) == {"alpha", "beta"}, words
    assert fields(fleet.diff("main"), "beta") == {"sys_name": ("Second", "Beta")}


def test_an_instance_that_comes_and_one_that_goes(fleet: GitFleet) -> None:
    fleet.write("desired/instances/gamma.toml", 'host = "h1"\naddress = "203.0.113.12"\n')
    fleet.compiled_commit("Add gamma")
    came = fleet.diff("HEAD~1")
    assert effects(came) == {"gamma": ("create", "none")}
    assert came["summary"]["created"] == ["h1/gamma"]
    assert fields(came, "")["address 203.0.113.12"] == (None, "declared")
    went = fleet.diff("HEAD", "HEAD~1")
    assert effects(went) == {"gamma": ("remove", "restart")}


def test_a_rename_that_the_ledger_knows_is_one(fleet: GitFleet) -> None:
    fleet.write("desired/instances/gamma.toml", 'host = "h1"\naddress = "203.0.113.12"\n')
    fleet.compiled_commit("Add gamma")
    fleet.git("mv", "desired/instances/gamma.toml", "desired/instances/delta.toml")
    ledger = fleet.path("desired/ledger.toml")
    if ledger.exists():
        fleet.write("desired/ledger.toml", ledger.read_text().replace("gamma", "delta"))
    fleet.compiled_commit("Call it delta")
    data = fleet.diff("HEAD~1")
    moved = {e["instance"]: e["was"] for e in data["effects"] if e["action"] == "move"}
    assert moved == {"delta": "gamma"}


def test_a_finding_is_new_wherever_it_stands(fleet: GitFleet) -> None:
    fleet.edit(BETA, "settings:", "# moved down\n# by lines\nsettings:")
    assert fleet.diff("HEAD")["checks"] == {"new": [], "fixed": []}
    fleet.edit(ALPHA, '"203.0.113.10"', '"203.0.113.99"')
    data = fleet.diff("HEAD", code=1)
    assert [d["severity"] for d in data["checks"]["new"]] == ["error"]
    assert data["outcome"] == "refused"


def test_a_commit_that_does_not_compile_is_compared_as_far_as_that_goes(fleet: GitFleet) -> None:
    fleet.write("desired/hosts/h2.toml", fleet.path("desired/hosts/h1.toml").read_text())
    fleet.edit("desired/hosts/h2.toml", '"203.0.113.2"', '"192.0.2.2"')
    fleet.edit("desired/hosts/h2.toml", "203.0.113.10-203.0.113.19", "192.0.2.10-192.0.2.19")
    fleet.write("desired/instances/gamma.toml", 'host = "h2"\naddress = "192.0.2.12"\n')
    fleet.compiled_commit("Add a host")
    fleet.write("desired/instances/gamma.toml", 'host = "h2"\naddress = "192.0.2.13"\n')
    fleet.compile()
    fleet.edit(ALPHA, "sys_name", "no_such_name")
    broken = fleet.commit("Break one host, change the other")
    data = fleet.diff("HEAD~1", broken, code=1)
    assert {h["host"]: h["after"] for h in data["hosts"]} == {"h1": "broken", "h2": "rendered"}
    assert set(effects(data)) == {"gamma"}
    assert "SET101" in [d["code"] for d in data["checks"]["new"]]
    assert data["checks"]["fixed"] == []
    done = fleet.run("HEAD~1", broken)
    assert "not compared: h1" in done.out
    assert set(effects(fleet.diff(broken, "HEAD~1", code=1))) == {"gamma"}


def test_files_that_differ_show_their_lines(fleet: GitFleet) -> None:
    fleet.edit("desired/hosts/h1.toml", "services =", "stop_timeout = 99\nservices =")
    data = fleet.diff("HEAD")
    (block,) = [b for b in data["blocks"] if b["instances"]]
    assert (block["names"], block["pattern"]["impact"]) == ("alpha, beta (2)", "restart")
    (file,) = block["pattern"]["lines"]
    assert file["resource"] == "file:/etc/systemd/system/pbx-{instance}.service"
    assert [line["text"] for line in file["lines"] if line["sign"] == "+"] == ["TimeoutStopSec=99"]
    assert fields(data, "")["stop_timeout_s"][1] == "99"


def test_nothing_is_disturbed(fleet: GitFleet) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    fleet.compiled_commit("Rename the first")
    fleet.edit(BETA, "Beta", "Second")
    fleet.git("add", "-A")
    fleet.write("untracked", "x")
    before = fleet.state()
    fleet.diff("HEAD~1")
    fleet.diff("HEAD~1...HEAD")
    fleet.diff("HEAD", "HEAD~1")
    assert fleet.state() == before


@pytest.mark.parametrize("inside", ["fleet", "a/ä b"])
def test_the_fleet_may_be_a_folder_of_the_repository(tmp_path: Path, inside: str) -> None:
    fleet = GitFleet(tmp_path / "repository", inside)
    fleet.edit(ALPHA, '"Alpha"', '"Ersté"')
    fleet.compiled_commit("Umbenannt: ä")
    assert fields(fleet.diff("HEAD~1"), "alpha") == {"sys_name": ("Alpha", "Ersté")}
    assert fields(fleet.diff("HEAD~1", "HEAD"), "alpha") == {"sys_name": ("Alpha", "Ersté")}


def test_a_bare_repository_has_revisions_only(fleet: GitFleet, tmp_path: Path) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    fleet.compiled_commit("Rename the first")
    bare = tmp_path / "bare.git"
    fleet.git("clone", "-q", "--bare", ".", str(bare))
    assert set(effects(fleet.diff("HEAD~1", "HEAD", at=bare))) == {"alpha"}
    assert fleet.run("--json", "HEAD~1", at=bare).data["error"]["code"] == "GIT104"


def test_a_linked_working_tree_and_a_detached_head(fleet: GitFleet, tmp_path: Path) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    fleet.compiled_commit("Rename the first")
    linked = tmp_path / "linked"
    fleet.git("worktree", "add", "-q", "--detach", str(linked), "HEAD~1")
    assert set(effects(fleet.diff("main", at=linked))) == {"alpha"}
    assert fleet.diff("HEAD", at=linked)["effects"] == []


def test_a_shallow_clone_says_how_to_get_the_rest(fleet: GitFleet, tmp_path: Path) -> None:
    first = fleet.git("rev-parse", "HEAD")
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    fleet.compiled_commit("Rename the first")
    shallow = tmp_path / "shallow"
    fleet.git("clone", "-q", "--depth", "1", f"file://{fleet.folder}", str(shallow))
    for words in ((first,), ("HEAD~1",), (f"{first}...HEAD",)):
        error = fleet.run("--json", *words, at=shallow).data["error"]
        assert error["code"] == "GIT103", words
        assert "git fetch --unshallow" in error["hint"]
    fleet.git("fetch", "-q", "--unshallow", cwd=shallow)
    assert set(effects(fleet.diff(first, at=shallow))) == {"alpha"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing",), "GIT102"),
        (("a..b", "c"), "GIT102"),
        (("main..nothing",), "GIT102"),
        (("HEAD:desired",), "GIT102"),
        (("",), "GIT102"),
        (("x\ny",), "GIT102"),
    ],
)
def test_what_is_no_revision_is_refused(fleet: GitFleet, words: tuple[str, ...], code: str) -> None:
    done = fleet.run("--json", *words)
    assert (done.code, done.data["error"]["code"]) == (1, code)


def test_an_option_is_never_passed_to_git(fleet: GitFleet, tmp_path: Path) -> None:
    target = tmp_path / "written"
    done = fleet.run("--json", "--", f"--output={target}", "HEAD")
    assert (done.code, done.data["error"]["code"]) == (1, "GIT102")
    assert not target.exists()


def test_no_repository_is_said(fleet: GitFleet, tmp_path: Path) -> None:
    done = fleet.run("--json", "HEAD", at=tmp_path)
    assert (done.code, done.data["error"]["code"]) == (1, "GIT101")
