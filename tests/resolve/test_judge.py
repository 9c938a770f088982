"""Severities and suppressions: what they change, until when, and what they cannot change."""

from __future__ import annotations

import pytest

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.judged import Judged, Scope
from pbxfleet.model.plans import Judging, Suppression
from pbxfleet.resolve.judge import judge

FLEET = "desired/fleet.toml"
ALPHA, BETA = "desired/instances/alpha.toml", "desired/instances/beta.toml"
HOST = "desired/hosts/fra1.toml"
SCOPE = Scope(
    {"alpha": "fra1", "beta": "fra1"}, {ALPHA: "fra1/alpha", BETA: "fra1/beta", HOST: "fra1"}
)
KNOWN = ("ADV102", "BND101", "LIC101")


def at(file: str, line: int = 1) -> Span:
    return Span(file, line, 1, line, 9)


def told(code: str, file: str, severity: Severity, *about: str) -> Diagnostic:
    return Diagnostic(code, "something", at(file), severity, about=about)


def accept(code: str, where: str = "", until: str = "2027-01-31") -> Suppression:
    place = Sourced(where, at(FLEET, 21)) if where else None
    return Suppression(
        Sourced(code, at(FLEET, 20)), place, "a reason", Sourced(until, at(FLEET, 22))
    )


def judged(
    found: list[Diagnostic], *suppressions: Suppression, today: str = "2026-11-22"
) -> Judged:
    return judge(found, Judging({}, suppressions), SCOPE, KNOWN, today)


def codes(found: Judged) -> list[str]:
    return [one.code for one in found.diagnostics]


ODD = told("ADV102", ALPHA, Severity.ADVICE)
SHARED = told("ADV102", FLEET, Severity.ADVICE, "alpha", "beta")
REPEATED = told("ADV102", BETA, Severity.ADVICE, "alpha", "beta")  # in the file of the second
OUTAGE = told("BND101", ALPHA, Severity.ERROR)
KEY = told("LIC101", BETA, Severity.ERROR)


@pytest.mark.parametrize(
    ("found", "where", "left"),
    [
        (ODD, "", []),
        (ODD, "fra1", []),
        (ODD, "fra1/alpha", []),
        (ODD, "fra1/beta", ["ADV102", "SUP104"]),
        (ODD, "fra2", ["ADV102", "SUP105"]),
        (ODD, "fra2/alpha", ["ADV102", "SUP105"]),
        (SHARED, "fra1", []),
        (SHARED, "", []),
        (SHARED, "fra1/alpha", ["ADV102"]),
        (REPEATED, "fra1/beta", ["ADV102"]),
        (REPEATED, "fra1", []),
        (told("ADV102", HOST, Severity.ADVICE), "fra1", []),
        (told("ADV102", HOST, Severity.ADVICE), "fra1/alpha", ["ADV102", "SUP104"]),
        (told("ADV102", FLEET, Severity.ADVICE), "fra1", ["ADV102", "SUP104"]),
    ],
)
def test_where(found: Diagnostic, where: str, left: list[str]) -> None:
    out = judged([found], accept("ADV102", where))
    assert sorted(codes(out)) == left
    assert [one.diagnostic for one in out.suppressed] == ([] if left else [found])


def test_several_together_accept_what_concerns_several() -> None:
    both = [accept("ADV102", "fra1/alpha"), accept("ADV102", "fra1/beta")]
    assert codes(judged([SHARED], *both)) == []


@pytest.mark.parametrize(
    ("today", "left"),
    [
        ("2027-01-31", []),
        ("2027-02-01", ["SUP103", "ADV102"]),
        ("2030-01-01", ["SUP103", "ADV102"]),
    ],
)
def test_the_last_day_is_still_accepted(today: str, left: list[str]) -> None:
    assert codes(judged([ODD], accept("ADV102"), today=today)) == left


def test_an_expired_suppression_is_told_even_if_it_matches_nothing() -> None:
    assert codes(judged([], accept("ADV102"), today="2028-01-01")) == ["SUP103"]


def test_errors_that_guard_an_outage_stay() -> None:
    out = judged([OUTAGE], accept("BND101"))
    assert codes(out) == ["SUP101", "BND101"] and out.suppressed == ()
    lowered = Judging({"BND101": Sourced(Severity.ADVICE, at(FLEET, 5))})
    out = judge([OUTAGE], lowered, SCOPE, KNOWN, "2026-11-22")
    assert [(d.code, d.severity) for d in out.diagnostics] == [
        ("SUP101", Severity.ERROR),
        ("BND101", Severity.ERROR),
    ]


def test_an_error_that_the_registry_lets_go_can_be_accepted_and_lowered() -> None:
    assert codes(judged([KEY], accept("LIC101"))) == []
    lowered = Judging({"LIC101": Sourced(Severity.WARNING, at(FLEET, 5))})
    (only,) = judge([KEY], lowered, SCOPE, KNOWN, "2026-11-22").diagnostics
    assert only.severity is Severity.WARNING


def test_severities_can_be_raised() -> None:
    raised = Judging({"ADV102": Sourced(Severity.ERROR, at(FLEET, 5))})
    (only,) = judge([ODD], raised, SCOPE, KNOWN, "2026-11-22").diagnostics
    assert only.severity is Severity.ERROR


def test_what_is_said_of_suppressions_cannot_be_suppressed() -> None:
    stale = accept("ADV102", until="2020-01-01")
    out = judge([], Judging({}, (stale, accept("SUP103"))), SCOPE, (*KNOWN, "SUP103"), "2026-11-22")
    assert "SUP103" in codes(out)


def test_half_a_fleet_says_nothing_of_idle_suppressions() -> None:
    partial = SCOPE._replace(is_whole=False)
    silent = Judging({}, (accept("ADV102"), accept("ADV102", "fra9")))
    assert judge([], silent, partial, KNOWN, "2026-11-22").diagnostics == ()
