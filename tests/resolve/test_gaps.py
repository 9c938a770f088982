"""Instances that are declared but not understood: what is told of the others stays true."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pbxfleet.model.desired import Desired, Gaps
from pbxfleet.model.resolved import Ledger
from pbxfleet.resolve import resolve_and_check
from support.wishes import NO_LEDGER, fleet, host, instance, reference

NAMES = ("alpha", "beta", "delta", "gamma", "omega")
SAYS = st.fixed_dictionaries(
    {"address": st.sampled_from(["auto", "203.0.113.10", "203.0.113.11", ["auto", "auto"]])},
    optional={
        "cpu": st.sampled_from([0, 1, "auto"]),
        "rtp": st.sampled_from(["50000-50999", "auto"]),
        "listen": st.sampled_from([{"http": 8080}, {"http": "0.0.0.0:80"}, {"https": 80}]),
        "tenants": st.just(["acme.example"]),
        "directory": st.sampled_from(["/srv/{address}", "/srv/203.0.113.10", "/srv/pbx"]),
        "failover": st.sampled_from(
            [{"role": "primary", "peer": "beta"}, {"role": "secondary", "peer": "alpha"}]
        ),
    },
)
FLEETS = st.lists(SAYS, min_size=1, max_size=5)


def fleet_of(wishes: list[dict[str, Any]]) -> Desired:
    named = zip(NAMES, wishes, strict=False)
    machine = host(cpus="0-7", rtp="49152-64511", addresses=["203.0.113.10-203.0.113.29"])
    return fleet(machine, *(instance(name, **says) for name, says in named))


def without(whole: Desired, name: str) -> Desired:
    instances = {n: file for n, file in whole.instances.items() if n != name}
    return replace(whole, instances=instances, gaps=Gaps(instances=frozenset({name})))


def told(desired: Desired, ledger: Ledger) -> set[tuple[str, str, int]]:
    found = resolve_and_check(desired, reference(), ledger).outcome.diagnostics
    return {(one.code, one.span.file, one.span.line) for one in found if one.span is not None}


def ledger_of(desired: Desired) -> Ledger:
    return resolve_and_check(desired, reference(), NO_LEDGER).ledger


@given(FLEETS, st.integers(0, 4), st.booleans(), st.data())
def test_nothing_is_told_that_the_whole_fleet_does_not_tell(
    wishes: list[dict[str, Any]], broken: int, compiled: bool, data: st.DataObject
) -> None:
    whole = fleet_of(wishes)
    known = data.draw(st.lists(st.sampled_from(NAMES), unique=True)) if compiled else []
    ledger = ledger_of(whole)
    ledger = Ledger({n: one for n, one in ledger.allocations.items() if n in known})
    partial = without(whole, NAMES[broken % len(wishes)])
    everything = told(whole, ledger)
    # Who gets nothing in the whole fleet is not looked at further there.
    assume(not any(code == "ALC101" for code, _, _ in everything))
    assert told(partial, ledger) <= everything


def test_values_that_the_others_may_take_first_are_not_judged() -> None:
    whole = fleet_of(
        [
            {"address": "203.0.113.10"},
            {"address": "auto", "directory": "/srv/{address}"},
            {"address": "203.0.113.12", "directory": "/srv/203.0.113.10"},
        ]
    )
    assert "DIR102" not in {code for code, _, _ in told(whole, NO_LEDGER)}
    partial = without(whole, "alpha")
    unaware = replace(partial, gaps=Gaps())
    assert "DIR102" in {code for code, _, _ in told(unaware, NO_LEDGER)}
    assert "DIR102" not in {code for code, _, _ in told(partial, NO_LEDGER)}


@pytest.mark.parametrize("kind", ["hosts", "instances", "releases"])
def test_what_is_declared_but_broken_is_not_unknown(kind: str) -> None:
    name = {"hosts": "fra9", "instances": "nine", "releases": "99.9"}[kind]
    says: dict[str, Any] = {"failover": {"role": "primary", "peer": "nine"}, "release": "99.9"}
    code = {"hosts": "REF101", "instances": "FLO102", "releases": "REL102"}[kind]
    whole = fleet(host(), instance("alpha", host="fra9", **says))
    partial = replace(whole, gaps=Gaps(**{kind: frozenset({name})}))
    assert code in {one for one, _, _ in told(whole, NO_LEDGER)}
    assert code not in {one for one, _, _ in told(partial, NO_LEDGER)}
