"""What lies between two targets is what plan says on a host where the first is applied and runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.ignoring import PATH, SETTING, Ignored
from pbxfleet.model.plan import Change, Note, Verb
from pbxfleet.model.revisions import NO_LONGER
from pbxfleet.model.target import Impact, Kind
from pbxfleet.pbx.pbx_xml import edit
from pbxfleet.plan.besides import Applied, host_facts, instance_facts
from pbxfleet.plan.between import NOT_DECLARED, Between, between, changed_waves
from pbxfleet.plan.ignored import IGNORED
from support.calling import asked
from support.machine import Machine, applied, plan_of
from support.targets import Fleet, SecretName, Seeded, Wish, fleet, ignoring
from support.worlds import wishes

SETTING_NAMES = ("mode", "extra", "log_length", "sys_*", "*")
PATH_NAMES = ("/etc/pbx/*", "/etc/pbx/backup-*", "*.service", "/etc/init.d/pbx-beta", "*")
RULES = st.lists(
    st.one_of(
        st.tuples(st.just(SETTING), st.sampled_from(SETTING_NAMES), st.just("")),
        st.tuples(st.just(PATH), st.sampled_from(PATH_NAMES), st.sampled_from(["", "mode"])),
    ).flatmap(
        lambda rule: st.sampled_from(["", "alpha", "beta"]).map(
            lambda name: Ignored(*rule, name, "for a while", "2099-01-01")
        )
    ),
    max_size=2,
).map(tuple)


def of(known: Fleet) -> Applied:
    return Applied(known.target, known.contents.fields)


def said(change: Change) -> tuple[object, ...]:
    """What the host would be told; not what it says itself, and a host without services enables none."""
    fields = sorted((f.name, f.after) for f in change.fields if f.name != "enabled")
    return change.resource, change.action, change.impact, fields


def with_its_own(machine: Machine, before: Fleet, after: Fleet) -> None:
    """The PBX has a value of its own, which nobody knows, of whatever was not declared before."""
    for name in before.target.instances.keys() & after.target.instances.keys():
        known = {field.name for field in before.contents.fields(name)}
        new = {f.name: "its own" for f in after.contents.fields(name) if f.name not in known}
        machine.write_as_pbx(before.target.instances[name], partial(edit, edits=new))


def differing(before: Fleet, after: Fleet) -> Between:
    return between(of(before), of(after), after.contents.ignoring)


def left(notes: Iterable[Note]) -> list[tuple[str, ...]]:
    """What rules leave alone; what the host has there is its own story."""
    found = (n for n in notes if n.code == IGNORED)
    return sorted((n.instance, n.resource, n.name, n.declared) for n in found)


@given(wishes(), wishes(), RULES, RULES)
def test_it_is_the_plan_of_a_host_that_has_the_first(
    old: tuple[Wish, ...],
    new: tuple[Wish, ...],
    old_rules: tuple[Ignored, ...],
    new_rules: tuple[Ignored, ...],
) -> None:
    before = ignoring(fleet(*old, budget=9), *old_rules)
    after = ignoring(fleet(*new, budget=9), *new_rules)
    machine = applied(before)
    with_its_own(machine, before, after)
    plan = plan_of(after, machine)
    # Where the directory of a removed instance goes is the host's own story.
    planned = [said(c) for c in plan.changes if c.kind is not Kind.DIRECTORY or c.fields]
    planned = [p for p in planned if p[1] not in (Verb.KEEP, Verb.MOVE)]
    differs = differing(before, after)
    found = [said(c) for c in differs.changes if c.action is not Verb.KEEP]
    assert sorted(found, key=repr) == sorted(planned, key=repr)
    assert left(differs.ignored) == left(plan.notes)
    told = {(n.resource, n.name) for n in differs.ignored}
    assert told.isdisjoint((c.resource, f.name) for c in differs.changes for f in c.fields)


@given(wishes(), wishes())
def test_a_difference_is_shown_and_what_is_shown_is_one(
    old: tuple[Wish, ...], new: tuple[Wish, ...]
) -> None:
    before, after = fleet(*old), fleet(*new)
    found = differing(before, after)
    shown = {c.instance for c in found.changes} | {n.instance for n in found.notes}
    for name in before.target.instances.keys() & after.target.instances.keys():
        own = [c for c in found.changes if c.instance == name]
        if instance_facts(before.target.instances[name], after.target.instances[name], own):
            shown.add(name)
    assert shown == changed_waves(before.target, after.target)
    assert all(c.fields or c.kind is not Kind.SETTINGS for c in found.changes)


@given(wishes())
def test_nothing_lies_between_equal_targets(wanted: tuple[Wish, ...]) -> None:
    known = fleet(*wanted)
    assert differing(known, known) == Between((), ())
    assert host_facts(known.target, known.target) == ()


def test_what_only_drift_asks_for_is_no_fact_of_a_host() -> None:
    known = fleet().target
    other = known._replace(other_roles={"/etc/pbx/failover-a.conf": known.digest})
    assert host_facts(known, other) == ()
    assert host_facts(known, known._replace(affinity="cpuset")) != ()


BASE = Wish("acme", settings={"sys_name": "Acme", "timezone": "x"})


def settings_between(**values: object) -> dict[str, Change]:
    """Changes of pbx.xml by reason, where these settings are declared otherwise."""
    wanted = {k: v for k, v in {**BASE.settings, **values}.items() if v != "gone"}
    after = fleet(replace(BASE, settings=wanted))
    found = differing(fleet(BASE), after).changes
    return {c.reason: c for c in found if c.kind is Kind.SETTINGS}


def test_what_is_left_alone_is_said_with_the_reason() -> None:
    (gone,) = settings_between(timezone="gone").values()
    assert (gone.action, gone.impact, gone.reason) == (Verb.KEEP, Impact.NONE, NO_LONGER)
    assert [(f.name, f.before, f.after) for f in gone.fields] == [("timezone", "x", None)]
    (seeded,) = settings_between(log_length=Seeded("300")).values()
    assert seeded.action is Verb.KEEP
    assert seeded.reason.startswith("seeded")
    (alike,) = settings_between(timezone=" x ").values()
    assert (alike.action, alike.reason) == (Verb.KEEP, "means the same: nothing is written")
    (secret,) = settings_between(pw_pass=SecretName("other")).values()
    assert [(f.before, f.after) for f in secret.fields] == [("(secret)", "(secret)")]


@pytest.mark.parametrize("login", [True, False])
def test_without_a_login_that_is_declared_nothing_changes_live(login: bool) -> None:
    without = () if login else ("acme",)
    before, after = (
        of(asked(replace(BASE, settings={"syslog_prefix": value}), without_login=without))
        for value in ("one", "two")
    )
    found = between(before, after).changes
    (change,) = [c for c in found if c.kind is Kind.SETTINGS]
    assert change.impact is (Impact.LIVE if login else Impact.RESTART)
    assert ("not live: no [api]" in change.reason) is not login
    assert (Verb.RESTART in {c.action for c in found}) is not login


def test_of_what_was_not_declared_nobody_knows_what_is_there() -> None:
    (new,) = settings_between(log_level="5").values()
    assert [(f.name, f.before, f.after) for f in new.fields] == [("log_level", NOT_DECLARED, "5")]


def test_lines_that_moved_are_no_difference() -> None:
    known = fleet(BASE)
    moved = {
        name: i._replace(origin="desired/instances/acme.toml:99:1")
        for name, i in known.target.instances.items()
    }
    other = Applied(known.target._replace(instances=moved), known.contents.fields)
    assert between(of(known), other) == Between((), ())


@given(st.integers(1, 40), st.integers(0, 39))
def test_only_what_changed_is_read(count: int, which: int) -> None:
    wanted = [Wish(f"i{n}", address=f"192.0.2.{n}", failover=None) for n in range(count)]
    before = fleet(*wanted)
    name = f"i{which % count}"
    after = fleet(*(replace(w, http=81) if w.name == name else w for w in wanted))
    found = differing(before, after)
    assert {c.instance for c in found.changes} == {name}
    assert after.contents.asked["fields"] <= 4
