"""What the policy says of a change: restarts, removals, downgrades, and what is acknowledged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.plan import Note
from pbxfleet.model.policy import ACKNOWLEDGED, OF_INSTANCE, Acknowledgement, Effects, Rules
from pbxfleet.plan.guards import is_denied, removal_notes
from pbxfleet.plan.policy import effects_between, plan_findings, policy_findings
from support.machine import Look, applied
from support.targets import Fleet, Wish, fleet

DAY = "2027-03-14"
ALPHA = Wish("alpha", "192.0.2.10")
BETA = Wish("beta", "192.0.2.11")
GAMMA = Wish("gamma", "192.0.2.12")


def said(code: str, what: str, expires: str = DAY) -> Acknowledgement:
    return Acknowledgement(code, what, "it is meant", expires)


def verdicts(notes: tuple[Note, ...]) -> list[tuple[str, str, str]]:
    return [(n.code, n.severity, n.instance) for n in notes]


RESTART = Effects("fra1", restarts=("alpha", "beta"))
REMOVE = Effects("fra1", removed=("alpha", "beta"))
OLDER = Effects("fra1", downgrades=(("alpha", "release 2 -> 1 is a downgrade"),))
NAMED = Rules(removals="acknowledge")


@pytest.mark.parametrize(
    ("effects", "rules", "expected"),
    [
        (RESTART, Rules(), []),
        (RESTART, Rules(2), []),
        (RESTART, Rules(1), [("POL101", "error", "")]),
        (RESTART, Rules(0), [("POL101", "error", "")]),
        (RESTART, Rules(1, warned=("POL101",)), [("POL101", "warning", "")]),
        (RESTART, Rules(1, warned=("POL102",)), [("POL101", "error", "")]),
        (RESTART, Rules(1, acknowledged=(said("POL101", "fra1"),)), [("POL101", "warning", "")]),
        (RESTART, Rules(1, acknowledged=(said("POL101", "fra2"),)), [("POL101", "error", "")]),
        (
            RESTART,
            Rules(1, acknowledged=(said("POL101", "fra1", "2027-03-13"),)),
            [("POL101", "error", "")],
        ),
        (REMOVE, Rules(), []),
        (REMOVE, NAMED, [("POL102", "error", "alpha"), ("POL102", "error", "beta")]),
        (
            REMOVE,
            NAMED._replace(acknowledged=(said("POL102", "fra1/beta"),)),
            [("POL102", "error", "alpha"), ("POL102", "warning", "beta")],
        ),
        (
            REMOVE,
            NAMED._replace(acknowledged=(said("POL102", "fra1"),)),
            [("POL102", "error", "alpha"), ("POL102", "error", "beta")],
        ),
        (OLDER, Rules(), [("PLN140", "error", "alpha")]),
        (
            OLDER,
            Rules(acknowledged=(said("PLN140", "fra1/alpha"),)),
            [("PLN140", "warning", "alpha")],
        ),
        (Effects("fra1"), NAMED._replace(restart_budget=0), []),
    ],
)
def test_what_the_rules_say(
    effects: Effects, rules: Rules, expected: list[tuple[str, str, str]]
) -> None:
    assert verdicts(policy_findings(effects, rules, DAY)) == expected


def test_what_is_acknowledged_is_still_told_with_its_reason() -> None:
    rules = Rules(1, acknowledged=(said("POL101", "fra1"),))
    (note,) = policy_findings(RESTART, rules, DAY)
    assert note.message.endswith("acknowledged until 2027-03-14: it is meant")
    assert not note.hint


@given(
    st.sampled_from(ACKNOWLEDGED),
    st.sampled_from(("fra1", "fra1/alpha", "fra2", "fra1/beta")),
    st.sampled_from(("2027-03-13", DAY, "2027-03-15")),
)
def test_an_acknowledgement_accepts_one_thing_only(code: str, what: str, expires: str) -> None:
    effects = Effects("fra1", ("alpha",), ("alpha",), OLDER.downgrades)
    rules = Rules(0, "acknowledge", acknowledged=(said(code, what, expires),))
    notes = policy_findings(effects, rules, DAY)
    accepted = {n.code for n in notes if n.severity != "error"}
    fits = what == ("fra1/alpha" if code in OF_INSTANCE else "fra1") and expires >= DAY
    known = code in {n.code for n in notes}
    assert accepted == ({code} if fits and known else set())


# --- of a plan ---------------------------------------------------------------------------------


def under(made: Fleet, rules: Rules) -> Fleet:
    return made._replace(target=made.target._replace(rules=rules))


def test_a_plan_that_restarts_too_many() -> None:
    machine = applied(fleet(ALPHA, BETA))
    renamed = [Wish(w.name, w.address, settings={"sys_name": "New"}) for w in (ALPHA, BETA)]
    plan = Look(fleet(*renamed), machine).plan
    assert plan.restarts() == ("alpha", "beta")
    notes = plan_findings(plan, Rules(1), DAY)
    assert verdicts(notes) == [("POL101", "error", "")]
    assert "2 instances would be restarted (alpha, beta)" in notes[0].message
    assert is_denied(plan._replace(notes=notes))
    assert not is_denied(plan._replace(notes=(*notes, notes[0]._replace(code="PLN108"))))


def test_the_first_apply_of_a_host_restarts_nobody() -> None:
    plan = Look(fleet(ALPHA, BETA), applied(fleet())).plan
    assert plan.steps
    assert plan_findings(plan, Rules(0), DAY) == ()


def test_who_is_acknowledged_by_name_does_not_count_for_the_budget() -> None:
    machine = applied(fleet(ALPHA, BETA, GAMMA))
    rules = Rules(acknowledged=(said("POL102", "fra1/alpha"),))
    wanted = under(fleet(GAMMA), rules)
    look = Look(wanted, machine)
    assert removal_notes(wanted.target, look.records, look.plan, DAY) == ()
    (note,) = removal_notes(wanted.target, look.records, look.plan, "2027-03-15")
    assert note.code == "PLN103"


# --- of two targets ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((ALPHA, BETA), (ALPHA, BETA), Effects("fra1")),
        ((ALPHA,), (ALPHA, BETA), Effects("fra1")),
        ((ALPHA, BETA), (BETA,), Effects("fra1", removed=("alpha",))),
        (
            (ALPHA, BETA),
            (Wish("alpha", "192.0.2.10", http=81), BETA),
            Effects("fra1", restarts=("alpha",)),
        ),
        (
            (ALPHA, BETA),
            (Wish("alpha", "192.0.2.10", backup="recordings"), BETA),
            Effects("fra1"),
        ),
        (
            (Wish("alpha", "192.0.2.10", release="2"), BETA),
            (ALPHA, BETA),
            Effects("fra1", ("alpha",), (), (("alpha", "release 2 -> 1 is a downgrade"),)),
        ),
        (
            (ALPHA, BETA),
            (Wish("alpha", "192.0.2.10", release="2"), BETA),
            Effects("fra1", ("alpha",)),
        ),
    ],
)
def test_what_a_pull_request_does(
    before: tuple[Wish, ...], after: tuple[Wish, ...], expected: Effects
) -> None:
    was, now = (fleet(*wishes, downgrades="refuse").target for wishes in (before, after))
    assert effects_between(was, now) == expected


def test_where_restarts_are_known_they_are_not_guessed() -> None:
    was, now = fleet(ALPHA, BETA).target, fleet(Wish("alpha", http=81), BETA).target
    assert effects_between(was, now, ()).restarts == ()
    assert effects_between(was, now, ("beta",)).restarts == ("beta",)


def test_a_host_that_goes_removes_all_its_instances() -> None:
    target = fleet(ALPHA, BETA).target
    assert effects_between(target, None) == Effects("fra1", removed=("alpha", "beta"))
    assert effects_between(None, target) == Effects("fra1")


def test_a_downgrade_that_is_allowed_is_no_finding() -> None:
    was = fleet(Wish("alpha", release="2")).target
    assert effects_between(was, fleet(ALPHA, downgrades="allow").target).downgrades == ()
