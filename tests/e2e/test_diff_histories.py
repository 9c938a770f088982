"""`pbxfleet diff` on histories as they come: octopus merges, branches without a commit, sparse checkouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.git_fleet import GitFleet, effects

ALPHA = "desired/instances/alpha.toml"
INSTANCE = 'host = "h1"\naddress = "203.0.113.1{}"\n'


@pytest.fixture
def fleet(tmp_path: Path) -> GitFleet:
    return GitFleet(tmp_path / "fleet")


def test_an_octopus_merge_is_compared_with_each_of_its_parents(fleet: GitFleet) -> None:
    for number in range(3):
        fleet.git("checkout", "-q", "-b", f"branch{number}", "main")
        fleet.write(f"desired/instances/new{number}.toml", INSTANCE.format(number + 4))
        fleet.commit(f"Add new{number}")
    fleet.git("checkout", "-q", "main")
    fleet.git("merge", "-q", "--no-edit", "branch0", "branch1", "branch2")
    data = fleet.diff("HEAD^1", "HEAD")
    assert effects(data) == {"new1": ("create", "none"), "new2": ("create", "none")}
    assert {"Add new1", "Add new2"} <= {w["subject"] for w in data["written"]}


def test_places_on_one_line_have_the_same_author(fleet: GitFleet) -> None:
    fleet.edit("desired/fleet.toml", "http = 80, https = 443", "http = 81, https = 444")
    fleet.commit("Other ports")
    written = fleet.diff("HEAD~1", "HEAD")["written"]
    places = [w["place"] for w in written if w["subject"] == "Other ports"]
    assert len(places) > len({place.rpartition(":")[0] for place in places})


def test_the_instances_of_a_host_that_is_gone_are_named(fleet: GitFleet) -> None:
    fleet.write("desired/hosts/h2.toml", fleet.path("desired/hosts/h1.toml").read_text())
    fleet.edit("desired/hosts/h2.toml", "203.0.113.10-203.0.113.19", "203.0.113.20-203.0.113.29")
    fleet.edit("desired/hosts/h2.toml", '"203.0.113.2"', '"203.0.113.3"')
    fleet.write("desired/instances/c.toml", 'host = "h2"\naddress = "203.0.113.20"\n')
    fleet.write("desired/instances/d.toml", 'host = "h2"\naddress = "203.0.113.21"\n')
    fleet.compiled_commit("Two hosts")
    for name in ("hosts/h2", "instances/c", "instances/d"):
        fleet.remove(f"desired/{name}.toml")
    told = fleet.run("HEAD").out
    assert "- the host itself" in told and "- c, d (2)" in told


def test_a_branch_without_a_commit(fleet: GitFleet) -> None:
    fleet.git("checkout", "-q", "--orphan", "empty")
    fleet.edit(ALPHA, 'sys_name = "Alpha"\n', "")
    assert effects(fleet.diff("main")) == {"alpha": ("keep", "none")}
    done = fleet.run("HEAD")
    assert done.code == 1 and "without a commit" in done.err


def test_a_sparse_checkout_is_no_removal(fleet: GitFleet) -> None:
    fleet.edit(ALPHA, "Alpha", "Other")
    fleet.commit("Other")
    fleet.git("sparse-checkout", "set", "rendered")
    done = fleet.run("HEAD")
    assert done.code == 1 and "GIT104" in done.err
    assert effects(fleet.diff("HEAD~1", "HEAD")) == {"alpha": ("update", "restart")}
    fleet.git("sparse-checkout", "set", "rendered", "desired")
    assert fleet.diff("HEAD")["effects"] == []


def test_a_branch_that_only_the_remote_has_is_named(fleet: GitFleet, tmp_path: Path) -> None:
    fleet.git("branch", "topic")
    clone = tmp_path / "clone"
    fleet.git("clone", "-q", str(fleet.folder), str(clone))
    done = fleet.run("topic...HEAD", at=clone)
    assert done.code == 1 and 'did you mean "origin/topic"?' in done.err


def test_errors_of_both_sides_are_told_once(fleet: GitFleet) -> None:
    fleet.write(ALPHA, fleet.path(ALPHA).read_text() + "x = [\n")
    fleet.commit("Break it")
    fleet.write(ALPHA, "\n" + fleet.path(ALPHA).read_text())
    data = fleet.diff("HEAD", code=1)
    assert data["checks"] == {"new": [], "fixed": []}
    assert [n for n in data["notes"] if n.startswith(f"both sides have errors, such as {ALPHA}")]


def test_names_of_authors_may_be_of_any_encoding(fleet: GitFleet) -> None:
    fleet.edit(ALPHA, "Alpha", "Other")
    fleet.git(
        "-c", "i18n.commitEncoding=iso-8859-1", "-c", b"user.name=J\xf6rg", "commit", "-qam", "x"
    )
    assert "Jörg" in {w["author"] for w in fleet.diff("HEAD~1", "HEAD")["written"]}
