"""What the policy says of a pull request: in `diff`, before anybody merges it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.git_fleet import GitFleet

ALPHA = "desired/instances/alpha.toml"
FLEET = "desired/fleet.toml"


@pytest.fixture
def fleet(tmp_path: Path) -> GitFleet:
    return GitFleet(tmp_path / "fleet")


def policy(fleet: GitFleet, text: str, more: str = "") -> None:
    """The policy of the fleet, in the place of the one before."""
    before = fleet.path(FLEET).read_text().partition("[policy]")[0]
    fleet.write(FLEET, f"{before}[policy]\n{text}\n{more}\n")


def notes(data: Any) -> list[tuple[str, str, str]]:
    return [(e["instance"], n["code"], n["severity"]) for e in data["effects"] for n in e["notes"]]


def test_a_removal_that_nobody_has_acknowledged(fleet: GitFleet) -> None:
    policy(fleet, 'removals = "acknowledge"')
    fleet.path(ALPHA).unlink()
    data = fleet.diff("HEAD", code=8)
    assert data["outcome"] == "denied"
    assert notes(data) == [("alpha", "POL102", "error")]
    words = '[[acknowledge]]\ncode = "POL102"\nwhat = "h1/alpha"\nreason = "gone"'
    policy(fleet, 'removals = "acknowledge"', f"{words}\nexpires = 2099-12-31")
    data = fleet.diff("HEAD")
    assert data["outcome"] == "differences"
    assert notes(data) == [("alpha", "POL102", "warning")]


def test_more_removals_than_the_budget(fleet: GitFleet) -> None:
    policy(fleet, "deletion_budget = 0")
    fleet.path(ALPHA).unlink()
    assert notes(fleet.diff("HEAD", code=8)) == [("", "PLN103", "error")]


def test_more_restarts_than_the_budget(fleet: GitFleet) -> None:
    policy(fleet, "restart_budget = 0")
    fleet.write(ALPHA, "listen = { http = 8080 }\n" + fleet.path(ALPHA).read_text())
    data = fleet.diff("HEAD", code=8)
    assert ("", "POL101", "error") in notes(data)
    policy(fleet, "restart_budget = 0", '[severity]\nPOL101 = "warning"')
    assert ("", "POL101", "warning") in notes(fleet.diff("HEAD"))


def test_without_rules_nothing_is_denied(fleet: GitFleet) -> None:
    fleet.write(ALPHA, "listen = { http = 8080 }\n" + fleet.path(ALPHA).read_text())
    assert notes(fleet.diff("HEAD")) == []
