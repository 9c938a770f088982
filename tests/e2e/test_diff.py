"""`pbxfleet diff` on real repositories: what changes, read from git's objects, with nothing disturbed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.schema.outputs import document_of
from support.e2e import run
from support.git_fleet import GitFleet, effects, fields
from support.output_schemas import judge

ALPHA = "desired/instances/alpha.toml"
BETA = "desired/instances/beta.yaml"


@pytest.fixture
def fleet(tmp_path: Path) -> GitFleet:
    return GitFleet(tmp_path / "fleet")


def add_host(fleet: GitFleet) -> None:
    """A commit with the host h2 and gamma on it."""
    fleet.write("desired/hosts/h2.toml", fleet.path("desired/hosts/h1.toml").read_text())
    fleet.edit("desired/hosts/h2.toml", '"203.0.113.2"', '"192.0.2.2"')
    fleet.edit("desired/hosts/h2.toml", "203.0.113.10-203.0.113.19", "192.0.2.10-192.0.2.19")
    fleet.write("desired/instances/gamma.toml", 'host = "h2"\naddress = "192.0.2.12"\n')
    fleet.compiled_commit("Add a host")


def test_nothing_is_different_between_a_commit_and_the_same_files(fleet: GitFleet) -> None:
    data = fleet.diff("HEAD", "--detailed-exitcode")
    judge(document_of("diff"), data)
    assert data["outcome"] == "nothing_to_do"
    assert data["effects"] == data["hosts"] == []


def test_an_edit_shows_what_it_does_before_it_is_compiled_and_after(fleet: GitFleet) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    stale = fleet.diff("HEAD", "--detailed-exitcode", code=2)
    assert effects(stale) == {"alpha": ("update", "restart")}
    assert fields(stale, "alpha") == {"sys_name": ("Alpha", "First")}
    assert stale["hosts"] == [
        {"host": "h1", "before": "rendered", "after": "compiled", "instances": ["alpha", "beta"]}
    ]
    fleet.compile()
    fresh = fleet.diff("HEAD")
    assert fresh["hosts"][0]["after"] == "rendered"
    assert fresh["effects"] == stale["effects"]


def test_settings_change_live_only_where_pbxfleet_has_a_login(fleet: GitFleet) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    assert "not live: no [api]" in fleet.run("HEAD").out
    login = '\n[api]\npassword_file = "/etc/pbx/api-alpha"\n'
    fleet.write(ALPHA, fleet.path(ALPHA).read_text(encoding="utf-8") + login)
    assert effects(fleet.diff("HEAD")) == {"alpha": ("update", "live")}


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
    add_host(fleet)
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


def test_a_new_instance_shows_before_it_is_compiled(fleet: GitFleet) -> None:
    fleet.write("desired/instances/gamma.toml", 'host = "h1"\naddress = "203.0.113.12"\n')
    assert effects(fleet.diff("HEAD")) == {"gamma": ("create", "none")}
    fleet.remove(ALPHA)
    assert effects(fleet.diff("HEAD"))["alpha"] == ("remove", "restart")


def test_a_host_comes_and_goes(fleet: GitFleet) -> None:
    add_host(fleet)
    came = fleet.diff("HEAD~1")
    assert {(e["host"], e["instance"], e["action"]) for e in came["effects"]} == {
        ("h2", "", "create"),
        ("h2", "gamma", "create"),
    }
    went = fleet.diff("HEAD", "HEAD~1")
    assert {e["action"] for e in went["effects"]} == {"remove"}
    assert all("running" in e["reason"] for e in went["effects"])


def test_an_instance_that_goes_to_another_host_is_moved(fleet: GitFleet) -> None:
    add_host(fleet)
    fleet.write("desired/instances/gamma.toml", 'host = "h1"\naddress = "203.0.113.12"\n')
    fleet.write("desired/instances/delta.toml", 'host = "h2"\naddress = "192.0.2.13"\n')
    fleet.compiled_commit("Move gamma")
    found = {(e["host"], e["instance"]): e for e in fleet.diff("HEAD~1")["effects"]}
    assert (found["h1", "gamma"]["action"], found["h1", "gamma"]["was"]) == ("move", "h2/gamma")
    assert found["h2", "gamma"]["reason"].endswith("it goes on as h1/gamma")


def test_who_wrote_it_and_who_took_it_out(fleet: GitFleet) -> None:
    first = fleet.git("rev-parse", "HEAD")
    fleet.git("checkout", "-q", "-b", "side")
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    changed = fleet.compiled_commit("Rename it")
    fleet.git("checkout", "-q", "main")
    fleet.edit(BETA, "settings:\n  sys_name: Beta\n", "")
    removed = fleet.compiled_commit("Say no name")
    fleet.git("merge", "-q", "--no-edit", "-X", "ours", "side")
    fleet.compiled_commit("Compile what was merged")
    written = {w["place"]: w for w in fleet.diff(first, "HEAD")["written"]}
    wrote, took = written[f"{ALPHA}:5:12"], written[f"{BETA}:3:13"]
    assert (wrote["commit"], wrote["subject"]) == (changed[:10], "Rename it")
    assert (took["commit"], took["removed"]) == (removed[:10], True)


def test_criss_cross_merges_are_told(fleet: GitFleet) -> None:
    fleet.git("checkout", "-q", "-b", "side")
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    fleet.compiled_commit("On the side")
    fleet.git("checkout", "-q", "main")
    fleet.edit("desired/fleet.toml", "format = 1", "format = 1 # here")
    here = fleet.compiled_commit("On main")
    fleet.git("merge", "-q", "--no-edit", "-X", "ours", "side")
    fleet.compiled_commit("Compile")
    fleet.git("checkout", "-q", "side")
    fleet.git("merge", "-q", "--no-edit", "-X", "ours", here)
    fleet.compiled_commit("Compile")
    data = fleet.diff("main...side")
    assert "best common ancestors" in " ".join(data["notes"])


def test_a_rendered_file_that_was_edited_by_hand_is_compiled_anew(fleet: GitFleet) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    fleet.compile()
    fleet.edit("rendered/h1/settings/alpha.json", '"value": "First"', '"value": "Other"')
    data = fleet.diff("HEAD")
    assert fields(data, "alpha") == {"sys_name": ("Alpha", "First")}
    assert data["hosts"][0]["after"] == "compiled"


def test_a_ledger_that_was_edited_by_hand_is_compiled(tmp_path: Path) -> None:
    fleet = GitFleet(tmp_path / "fleet")
    fleet.write("desired/instances/gamma.toml", 'host = "h1"\naddress = "auto-ipv4"\n')
    fleet.compiled_commit("Add gamma")
    ledger = fleet.path("desired/ledger.toml").read_text()
    old = next(line for line in ledger.splitlines() if line.endswith('"gamma"'))
    fleet.write("desired/ledger.toml", ledger.replace(old, '"203.0.113.19" = "gamma"'))
    data = fleet.diff("HEAD")
    assert fields(data, "gamma")["address 203.0.113.19"] == (None, "declared")
    assert data["hosts"][0]["after"] == "compiled"
    fleet.compile()
    assert fleet.diff("HEAD")["effects"] == data["effects"]


def test_links_and_submodules_are_read_as_far_as_they_lead(fleet: GitFleet) -> None:
    head = fleet.git("rev-parse", "HEAD")
    text = fleet.path(BETA).read_text()
    fleet.remove(BETA)
    fleet.write("desired/shared/beta.yaml", text)
    fleet.path(BETA).symlink_to("../shared/beta.yaml")
    fleet.compiled_commit("Share it")
    fleet.git("update-index", "--add", "--cacheinfo", f"160000,{head},desired/elsewhere")
    fleet.git("commit", "-q", "-m", "With a submodule that is not here")
    assert fleet.diff(head, "HEAD")["effects"] == []
    assert fleet.diff("HEAD~1", "HEAD")["effects"] == []


def test_line_ends_of_windows_are_no_difference(fleet: GitFleet) -> None:
    fleet.git("config", "core.autocrlf", "true")
    for name in fleet.git("ls-files", "desired", "rendered").splitlines():
        (fleet.folder / name).unlink()
    fleet.git("checkout", "-q", ".")
    assert b"\r\n" in fleet.path(ALPHA).read_bytes()
    assert fleet.diff("HEAD")["effects"] == []
    fleet.edit(ALPHA, '"Alpha"', '"First"')
    assert fields(fleet.diff("HEAD"), "alpha") == {"sys_name": ("Alpha", "First")}


def test_a_large_fleet_is_checked_in_a_second_process(fleet: GitFleet) -> None:
    for number in range(300):
        fleet.write(f"desired/more/{number}.txt", "not read by anything")
    fleet.compiled_commit("Keep notes")
    fleet.edit(ALPHA, '"203.0.113.10"', '"203.0.113.99"')
    broken = fleet.commit("Take an address that is not the host's")
    done = run("-C", fleet.fleet, "--json", "diff", "HEAD~1", broken)
    data = done.data
    assert (done.code, data["outcome"]) == (1, "refused")
    (error,) = [d for d in data["checks"]["new"] if d["severity"] == "error"]
    assert error["file"] == ALPHA
    fleet.edit(ALPHA, '"203.0.113.99"', '"203.0.113.11"')
    fixed = run("-C", fleet.fleet, "--json", "diff", broken).data
    assert [d["code"] for d in fixed["checks"]["fixed"]] == [error["code"]]


@pytest.mark.parametrize("form", ["markdown", "html", "human", "json"])
def test_every_form_can_be_kept_whole(fleet: GitFleet, form: str, tmp_path: Path) -> None:
    fleet.edit(ALPHA, '"Alpha"', '"`</details>@all"')
    kept = tmp_path / "kept"
    done = fleet.run("HEAD", "--format", form, "--out", kept, "--no-checks")
    assert done.code == 0, done
    assert done.out == kept.read_text()
    assert done.out.startswith(STARTS[form])


def test_a_limit_is_for_comments_only(fleet: GitFleet) -> None:
    for words in ((), ("--json",), ("--format", "html")):
        done = fleet.run("HEAD", "--limit", "gitlab", *words)
        assert done.code == 1 and "--format markdown --limit gitlab" in done.out + done.err
    assert fleet.run("HEAD", "--limit", "gitlab", "--format", "markdown").code == 0


STARTS = {"markdown": "<!-- pbxfleet diff -->", "html": "<!DOCTYPE", "human": "HEAD", "json": "{"}
