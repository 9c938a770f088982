"""What a rule of [[ignore]] covers is no effect in a diff: no plan has a change for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.git_fleet import GitFleet, effects

ALPHA = "desired/instances/alpha.toml"
BETA = "desired/instances/beta.yaml"
FLEET = "desired/fleet.toml"


@pytest.fixture
def fleet(tmp_path: Path) -> GitFleet:
    return GitFleet(tmp_path / "fleet")


IGNORE = """
[[ignore]]
where = "h1/beta"
setting = "sys_*"
reason = "tried out; for a week"
expires = {}
"""


def test_what_a_rule_ignores_is_no_effect_but_is_told(fleet: GitFleet) -> None:
    fleet.write(FLEET, fleet.path(FLEET).read_text() + IGNORE.format("2099-12-31"))
    fleet.compiled_commit("Ignore it")
    fleet.edit(BETA, "sys_name: Beta", "sys_name: B; C")
    data = fleet.diff("HEAD", "--detailed-exitcode")
    assert (data["effects"], data["outcome"]) == ([], "nothing_to_do")
    (one,) = data["ignored"]
    why = "ignored until 2099-12-31: tried out; for a week"
    assert (one["name"], one["before"], one["after"]) == ("sys_name", "Beta", "B; C")
    assert one["why"] == why
    assert data["headline"] == "nothing changes on any host; 1 difference ignored by rules"
    for form in ("human", "markdown", "html"):
        told = fleet.run("HEAD", "--format", form).out
        assert "gnored by rules, " in told and "sys_name: Beta" in told and why in told
    fleet.edit(ALPHA, "Alpha", "Other")
    data = fleet.diff("HEAD")
    assert effects(data) == {"alpha": ("update", "restart")} and len(data["ignored"]) == 1
    assert "1 instance restarts; 1 host, 1 instance, 0 files, 1 setting; 1 diff" in data["headline"]


def test_a_rule_that_comes_is_told_by_itself(fleet: GitFleet) -> None:
    fleet.write(FLEET, fleet.path(FLEET).read_text() + IGNORE.format("2099-12-31"))
    (host,) = fleet.diff("HEAD")["effects"]
    (fact,) = host["facts"]
    told = (fact["name"], fact["before"], fact["after"])
    assert told == (
        "ignored setting sys_* of beta",
        None,
        "until 2099-12-31: tried out; for a week",
    )


def test_a_rule_that_has_expired_ignores_nothing(fleet: GitFleet) -> None:
    fleet.write(FLEET, fleet.path(FLEET).read_text() + IGNORE.format("2020-12-31"))
    fleet.compiled_commit("Ignore it")
    fleet.edit(BETA, "sys_name: Beta", "sys_name: Other")
    data = fleet.diff("HEAD")
    assert effects(data) == {"beta": ("update", "restart")} and data["ignored"] == []
