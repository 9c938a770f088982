"""Labelled changes of a host: each is named with its class, its place, and who, and nothing else is.

A case of `corpus.json` is what somebody did to a host after an apply, as events of `support.events`,
and the items that drift has to have then: class, resource, instance, name, who. With `--update-golden`
the items are written anew; read them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.drift import DriftItem
from pbxfleet.plan.drift import drift_items
from support.events import happen
from support.machine import Look, applied
from support.targets import Fleet, Seeded, Wish, fleet

CORPUS = Path(__file__).with_name("corpus.json")
CASES: list[dict[str, Any]] = json.loads(CORPUS.read_text(encoding="utf-8"))
UNTOLD = {
    "PLN112",
    "PLN113",
    "PLN123",
    "PLN141",
    "PLN142",
    "NET221",
}  # no difference, or beside one


def declared(services: str) -> Fleet:
    """Three instances: one pinned, with settings of every ownership; one with media; a plain one."""
    return fleet(
        Wish("alpha", cpu=1, settings={"mode": "a", "flag": "true", "log_length": Seeded("200")}),
        Wish("beta", "192.0.2.11", rtp=(20000, 20999)),
        Wish("gamma", "2001:db8::12"),
        services=services,
    )


def after(events: list[list[Any]], services: str) -> Look:
    """A look at the host once the events have happened; an event may be about another instance."""
    wanted = declared(services)
    machine = applied(wanted, services)
    for event in events:
        name, *rest = event if event[0] in wanted.target.instances else ("alpha", *event)
        happen(machine, wanted.target.instances[name], rest)
    return Look(wanted, machine)


def found(look: Look) -> tuple[DriftItem, ...]:
    return drift_items(look.difference, look.observed)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["change"].replace(" ", "-"))
def test_each_labelled_change_is_named_and_nothing_else(
    case: dict[str, Any], update_golden: bool
) -> None:
    look = after(case["events"], case.get("services", "systemd"))
    named = [[i.kind, i.resource, i.instance, i.name, i.who] for i in found(look)]
    if update_golden:
        case["expect"] = named
        CORPUS.write_text(json.dumps(CASES, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert named == case["expect"]
    assert_no_status_without_a_difference(look)


def test_the_corpus_is_large_and_has_every_class() -> None:
    single = [case for case in CASES if len(case["expect"]) == 1]
    assert len(single) >= 40
    assert {case["expect"][0][0] for case in single} == {
        "missing",
        "changed",
        "extra",
        "mode",
        "runtime",
    }
    assert sum(not case["expect"] for case in CASES) >= 6, "what is nobody's business"


def test_nothing_has_drifted_after_an_apply() -> None:
    for services in ("systemd", "sysv", "direct"):
        assert found(after([], services)) == ()


EVENT = st.sampled_from([event for case in CASES for event in case["events"]])


@given(st.lists(EVENT, max_size=4))
def test_a_status_without_a_difference_or_the_other_way_round_is_a_bug(
    events: list[list[Any]],
) -> None:
    try:
        look = after(events, "systemd")
    except (AssertionError, KeyError):  # the second event needs what the first has taken away
        return
    assert_no_status_without_a_difference(look)


def assert_no_status_without_a_difference(look: Look) -> None:
    """Nothing was declared since, so whatever plan and status tell is drift, and the other way round."""
    items = found(look)
    told = {
        (change.resource, change.instance)
        for change in look.difference.changes
        if any(delta.name != "process" for delta in change.fields)  # a restart is a consequence
    }
    told |= {
        (note.resource, note.instance) for note in look.difference.notes if note.code not in UNTOLD
    }
    seen = {(item.resource, item.instance) for item in items}
    artefacts = {one for one in told if one[0].startswith("artefact:")}
    assert told - artefacts == seen - artefacts
    assert {name for _, name in artefacts} == {
        i.instance for i in items if i.resource.startswith("artefact:")
    }
    assert items or look.plan.is_empty
    for item in items:
        assert item.applied != item.observed, f"{item} says that nothing differs"
        assert item.name, item
