"""What a plan that removes instances is met with: the budget, and a host that would be empty."""

from __future__ import annotations

import pytest

from pbxfleet.model.guards import Guards
from pbxfleet.plan.guards import removal_notes
from support.machine import Look, applied
from support.targets import Fleet, Wish, fleet

ADDRESSES = ("192.0.2.10", "192.0.2.11", "192.0.2.12")
NAMES = ("alpha", "beta", "gamma")


def hosting(*names: str, budget: int = 1, empty: bool = False) -> Fleet:
    wishes = [Wish(n, a) for n, a in zip(NAMES, ADDRESSES, strict=True) if n in names]
    made = fleet(*wishes, budget=budget)
    return made._replace(target=made.target._replace(guards=Guards(may_be_empty=empty)))


@pytest.mark.parametrize(
    ("before", "after", "budget", "empty", "codes"),
    [
        (NAMES, NAMES, 1, False, []),
        (NAMES, ("alpha", "beta"), 1, False, []),
        (NAMES, ("alpha", "beta"), 0, False, ["PLN103"]),
        (NAMES, ("alpha",), 1, False, ["PLN103"]),
        (NAMES, ("alpha",), 2, False, []),
        (NAMES, (), 3, False, ["PLN160"]),
        (NAMES, (), 3, True, []),
        (NAMES, (), 1, False, ["PLN160", "PLN103"]),
        (NAMES, (), 2, True, ["PLN103"]),
        (("alpha",), (), 1, False, ["PLN160"]),
        (("alpha",), ("beta",), 1, False, []),  # renamed: the host is not empty
        ((), (), 0, False, []),
        ((), ("alpha",), 0, False, []),
    ],
)
def test_what_forbids_a_removal(
    before: tuple[str, ...], after: tuple[str, ...], budget: int, *, empty: bool, codes: list[str]
) -> None:
    machine = applied(hosting(*before))
    wanted = hosting(*after, budget=budget, empty=empty)
    look = Look(wanted, machine)
    found = removal_notes(wanted.target, look.records, look.plan)
    assert [n.code for n in found] == codes
    assert all(n.severity == "error" for n in found), "the plan says so, and cannot be applied"


def test_all_of_them_is_said() -> None:
    machine = applied(hosting("alpha", "beta"))
    wanted = hosting("gamma", budget=1)
    look = Look(wanted, machine)
    (note,) = removal_notes(wanted.target, look.records, look.plan)
    assert "2 instances would be removed (alpha, beta), which is all of them" in note.message
