"""Plans for a part of a host: nothing else is touched, records stay right, nothing is torn apart."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from pbxfleet.apply.execute import apply_plan
from pbxfleet.apply.gate import Watch
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.state import FOLDER
from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.plan import EVERYTHING, Plan, Selection
from pbxfleet.plan.make import make_plan
from pbxfleet.plan.selection import of_selection, select
from support.machine import (
    Look,
    Machine,
    announced,
    applied,
    effects_on_host,
    memory_of,
    plan_of,
    records_on,
    settle,
)
from support.targets import Fleet, Wish, fleet
from support.worlds import NAMES, History, histories, wishes, world

ALPHA, BETA, GAMMA = (Wish(n, f"192.0.2.{10 + i}") for i, n in enumerate(NAMES))


def partly(target: Fleet, machine: Machine, only: str = "", without: str = "") -> Plan:
    """The plan for a part; the names are separated by blanks."""
    selection = Selection(tuple(only.split()), tuple(without.split()))
    look = Look(target, machine)
    chosen = select(look.difference, selection, target.target, look.observed, look.records)
    plan = make_plan(target.target, look.observed, look.records, chosen.difference, "/")
    return of_selection(plan, selection, chosen.left, target.target)


def apply_part(target: Fleet, machine: Machine, plan: Plan) -> RecordingHost:
    Look(target, machine)
    recorded = RecordingHost(machine)
    machine.sources.update(target.contents.artefacts)
    report = apply_plan(
        plan, recorded, target.target, records_on(machine), target.contents,
        memory_of(recorded), Watch(lambda _step, _moment: None),
    )  # fmt: skip
    assert not report.failure, report.failure
    return recorded


def touched(plan: Plan) -> set[str]:
    return {s.wave for s in plan.steps}


def changed(before: Machine, tree: dict[str, object]) -> set[str]:
    now = before.tree()
    differs = {p for p in now.keys() | tree.keys() if now.get(p) != tree.get(p)}
    return {p for p in differs if not p.startswith(FOLDER) and p not in ("/var", "/var/lib")}


NEW = tuple(
    Wish(w.name, w.address, release="2", failover="other", backup="-", settings={"mode": "b"})
    for w in (ALPHA, BETA, GAMMA)
)


def test_one_instance_of_many() -> None:
    machine = applied(fleet(ALPHA, BETA, GAMMA))
    target = fleet(*NEW)
    plan = partly(target, machine, "beta")
    assert touched(plan) == {"beta"} and plan.restarts() == ("beta",)
    assert all("beta" not in i for i in plan.left) and len(plan.left) >= 10
    tree = machine.tree()
    apply_part(target, machine, plan)
    assert all("beta" in path for path in changed(machine, tree))
    assert partly(target, machine, "beta").is_empty
    assert touched(plan_of(target, machine)) == {"alpha", "gamma"}, "the rest is still to be done"
    settle(target, machine)


def test_everything_but_one_instance() -> None:
    machine = applied(fleet(ALPHA, BETA, GAMMA))
    target = fleet(*NEW)
    plan = partly(target, machine, without="beta")
    assert touched(plan) == {"alpha", "gamma"}
    apply_part(target, machine, plan)
    assert touched(plan_of(target, machine)) == {"beta"}
    settle(target, machine)


def test_a_file_that_costs_nothing() -> None:
    machine = applied(fleet(ALPHA, BETA))
    target = fleet(*NEW[:2])
    listed = "file:/etc/pbx/backup-alpha.list"
    plan = partly(target, machine, listed)
    assert [s.path for s in plan.steps] == ["/etc/pbx/backup-alpha.list"]
    tree = machine.tree()
    apply_part(target, machine, plan)
    assert changed(machine, tree) == {"/etc/pbx/backup-alpha.list"}
    rest = plan_of(target, machine)
    assert listed not in {c.resource for c in rest.changes}
    assert rest.restarts() == ("alpha", "beta"), "nobody believes that alpha was brought up to date"
    assert all(c.status == "pending" for c in rest.changes), "what was left is not drift"
    settle(target, machine)


def test_everything_but_a_file() -> None:
    machine = applied(fleet(ALPHA, BETA))
    target = fleet(*NEW[:2])
    listed = "file:/etc/pbx/backup-alpha.list"
    plan = partly(target, machine, without=listed)
    assert plan.left == (listed,)
    apply_part(target, machine, plan)
    rest = plan_of(target, machine)
    assert [(c.resource, c.status) for c in rest.changes] == [(listed, "pending")]
    settle(target, machine)


@pytest.mark.parametrize(
    "resource",
    [
        "artefact:/srv/pbx-alpha/pbxctrl",
        "artefact:/srv/pbx-alpha/pbxctrl.dat",
        "settings:/srv/pbx-alpha/pbx.xml",
        "file:/etc/pbx/failover-alpha.conf",
        "service:pbx-alpha",
    ],
)
def test_a_part_of_what_belongs_together(resource: str) -> None:
    machine = applied(fleet(ALPHA, BETA))
    target = fleet(*NEW[:2])
    plan = partly(target, machine, resource)
    assert plan.restarts() == ("alpha",)
    assert [n.instance for n in plan.notes if n.code == "PLN169"] == ["alpha"]
    assert "file:/etc/pbx/backup-alpha.list" in plan.left
    apply_part(target, machine, plan)
    settle(target, machine)
    with pytest.raises(Refused) as refusal:
        partly(fleet(*NEW[:2]), applied(fleet(ALPHA, BETA)), without=resource)
    assert refusal.value.code == "PLN168"


def test_two_that_swap_addresses() -> None:
    machine = applied(fleet(ALPHA, BETA, GAMMA))
    target = fleet(
        Wish("alpha", BETA.address), Wish("beta", ALPHA.address), Wish("gamma", GAMMA.address, 81)
    )
    plan = partly(target, machine, "alpha")
    assert touched(plan) == {"alpha", "beta"}
    assert [n.instance for n in plan.notes if n.code == "PLN169"] == ["beta"]
    assert {n.instance for n in plan.notes} == {"alpha", "beta"}
    with pytest.raises(Refused, match="left out"):
        partly(target, machine, without="beta")
    apply_part(target, machine, plan)
    assert touched(plan_of(target, machine)) == {"gamma"}


def test_a_row_of_addresses() -> None:
    """Alpha takes beta's, beta takes gamma's, gamma moves away: who waits takes all before it."""
    machine = applied(fleet(ALPHA, BETA, GAMMA))
    target = fleet(
        Wish("alpha", BETA.address), Wish("beta", GAMMA.address), Wish("gamma", "192.0.2.20")
    )
    assert touched(partly(target, machine, "alpha")) == {"alpha", "beta", "gamma"}
    assert touched(partly(target, machine, "gamma")) == {"gamma"}


def test_a_removal_is_never_taken_unasked() -> None:
    machine = applied(fleet(ALPHA, BETA))
    target = fleet(Wish("alpha", BETA.address))
    with pytest.raises(Refused, match="to be removed") as refusal:
        partly(target, machine, "alpha")
    assert refusal.value.code == "PLN168"
    plan = partly(target, machine, "alpha beta")
    assert plan.removed_instances() == ("beta",)
    only = partly(target, machine, "beta")
    assert only.removed_instances() == ("beta",) and touched(only) == {"beta"}
    apply_part(target, machine, only)
    settle(target, machine)


def test_a_new_instance_alone() -> None:
    machine = applied(fleet(ALPHA))
    target = fleet(NEW[0], BETA)
    plan = partly(target, machine, "beta")
    assert touched(plan) == {"beta"}
    apply_part(target, machine, plan)
    assert touched(plan_of(target, machine)) == {"alpha", ""}
    settle(target, machine)


def test_only_a_list_of_a_new_instance() -> None:
    machine = applied(fleet(ALPHA))
    target = fleet(ALPHA, BETA)
    apply_part(target, machine, partly(target, machine, "file:/etc/pbx/backup-beta.list"))
    assert machine.look(HostPath("/srv/pbx-beta")).what == "absent"
    settle(target, machine)


@pytest.mark.parametrize("word", ["alphaa", "file:/etc/pbx/none", ""])
def test_a_name_that_nothing_has(word: str) -> None:
    machine = applied(fleet(ALPHA, BETA))
    look = Look(fleet(ALPHA), machine)
    for selection in (Selection((word,)), Selection((), (word,))):
        with pytest.raises(Refused) as refusal:
            select(look.difference, selection, fleet(ALPHA).target, look.observed, look.records)
        assert refusal.value.code == "PLN167"


@given(histories(), wishes(), st.sampled_from(NAMES), st.booleans())
def test_what_is_not_selected_is_not_touched(
    history: History, wanted: tuple[Wish, ...], name: str, without: bool
) -> None:
    machine = world(history)
    target = fleet(*wanted, services=history[0])
    whole = plan_of(target, machine)
    try:
        plan = partly(target, machine, "" if without else name, name if without else "")
    except Refused as refusal:
        event(refusal.code)
        return
    named = [n.instance for n in plan.notes if n.code == "PLN169"]
    allowed = {*NAMES, ""} - {name} if without else {name, *named}
    assert touched(plan) <= allowed
    assert {c.resource for c in plan.changes} | set(plan.left) == {
        c.resource for c in whole.changes
    }
    if plan.blocked or machine.extra:
        return
    tree = machine.tree()
    recorded = apply_part(target, machine, plan)
    assert effects_on_host(recorded.effects) == announced(plan)
    paths = {s.path for s in plan.steps}
    for path in changed(machine, dict(tree)):
        made = path not in tree and any(p.startswith(path + "/") for p in paths)
        assert made or path in paths or any(f"pbx-{n}" in path for n in allowed if n), path
    if not plan_of(target, machine).blocked:
        settle(target, machine)
        event("settled")


def test_everything_is_everything() -> None:
    machine = applied(fleet(ALPHA))
    look = Look(fleet(NEW[0]), machine)
    target = fleet(NEW[0]).target
    assert select(look.difference, EVERYTHING, target, look.observed, look.records) == (
        look.difference,
        frozenset(),
    )
