"""A stored plan is stale as soon as anything it rests on has moved, and the refusal names what."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given

from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.model.plan import Plan
from pbxfleet.plan.make import empty_plan, stale, what_moved
from pbxfleet.report.plan_json import decode_plan, encode_plan
from support.events import Event, happen
from support.machine import Machine, applied, apply_to, plan_of
from support.targets import Fleet, Wish, fleet
from support.worlds import History, histories, wishes, world

WISH = Wish("alpha", settings={"mode": "a"})
BEFORE = fleet(WISH, services="systemd")
AFTER = fleet(Wish("alpha", settings={"mode": "b"}), services="systemd")
UNIT = "/etc/systemd/system/pbx-alpha.service"
FAILOVER = "/etc/pbx/failover-alpha.conf"


def planned() -> tuple[Machine, Plan]:
    machine = applied(BEFORE, "systemd")
    return machine, plan_of(AFTER, machine)


def moved(machine: Machine, plan: Plan, target: Fleet = AFTER) -> tuple[str, ...]:
    stored = decode_plan(encode_plan(plan), "plan.json")
    return what_moved(stored.basis, plan_of(target, machine).basis)


NOT_STALE: dict[str, Event] = {
    "the PBX writes what nobody declares": ("replace", "<timezone/>", "<timezone>CET</timezone>"),
    "the PBX adds an element": ("set", "uptime", "7"),
    "a seeded element is changed": ("set", "log_length", "999"),
    "a secret is changed": ("replace", ">98a8<", ">ffff<"),
    "a file of somebody else": ("write", "/etc/pbx/other.conf", "x"),
    "a data file of the instance": ("write", "/srv/pbx-alpha/cdr.db", "calls"),
}

STALE: dict[str, tuple[Event, str]] = {
    "owned element": (
        ("set", "mode", "web"),
        "settings:/srv/pbx-alpha/pbx.xml was otherwise than declared ",
    ),
    "another owned element": (
        ("set", "sys_name", "web"),
        "settings:/srv/pbx-alpha/pbx.xml was otherwise than declared ",
    ),
    "owned element, settled meanwhile": (
        ("set", "mode", "b"),
        "settings:/srv/pbx-alpha/pbx.xml was otherwise than declared ",
    ),
    "pbx.xml gone": (
        ("remove", "/srv/pbx-alpha/pbx.xml"),
        "settings:/srv/pbx-alpha/pbx.xml was otherwise than declared ",
    ),
    "unit file": (("write", UNIT, "edited"), f"file:{UNIT} was file 0644 root:root "),
    "unit removed": (("remove", UNIT), f"file:{UNIT} was file 0644 root:root "),
    "mode": (("mode", FAILOVER, "0600"), f"file:{FAILOVER} was file 0640 root:root "),
    "owner": (("owner", FAILOVER, "pbx:pbx"), f"file:{FAILOVER} was file 0640 root:root "),
    "link": (("link", FAILOVER, "/opt/x"), f"file:{FAILOVER} was file 0640 root:root "),
    "executable": (
        ("write", "/srv/pbx-alpha/pbxctrl", "other"),
        "artefact:/srv/pbx-alpha/pbxctrl was file 0755 root:root ",
    ),
    "stopped": (
        ("end",),
        "service:alpha was enabled, running as declared, is enabled, not running",
    ),
    "disabled": (
        ("disable",),
        "service:alpha was enabled, running as declared, is not enabled, running as declared",
    ),
    "second process": (
        ("second process",),
        "service:alpha was enabled, running as declared, is enabled, running with processes 2",
    ),
    "extra listener": (
        ("listens", "tcp", "0.0.0.0", 8080),
        "service:alpha was enabled, running as declared, is enabled, running with "
        "listener tcp 0.0.0.0:8080 listening",
    ),
}


@pytest.mark.parametrize("what", NOT_STALE)
def test_what_is_nobodys_business_does_not_make_a_plan_stale(what: str) -> None:
    machine, plan = planned()
    happen(machine, AFTER.target.instances["alpha"], NOT_STALE[what])
    assert moved(machine, plan) == ()
    assert stale(plan, plan_of(AFTER, machine)) == ()


@pytest.mark.parametrize("what", STALE)
def test_what_moved_is_named(what: str) -> None:
    machine, plan = planned()
    event, sentence = STALE[what]
    happen(machine, AFTER.target.instances["alpha"], event)
    said = moved(machine, plan)
    assert any(s.startswith(sentence) for s in said), said


def test_another_target_is_named() -> None:
    machine, plan = planned()
    other = fleet(Wish("alpha", settings={"mode": "b"}, backup="-"), services="systemd")
    assert "the compiled target of the host was changed" in moved(machine, plan, other)


def test_another_apply_is_named() -> None:
    machine, plan = planned()
    apply_to(AFTER, machine)
    assert "another apply has changed alpha in the meantime" in moved(machine, plan)
    machine.remove(HostPath("/var/lib/pbxfleet/records/applied/_host"))
    assert "another apply has changed the host in the meantime" in moved(machine, plan)


def test_the_same_basis_with_other_steps_is_stale_too() -> None:
    _, plan = planned()
    assert stale(plan, plan._replace(steps=plan.steps[1:])) == (
        "the same host would now be given other steps; another version made the plan",
    )
    assert stale(plan, plan) == ()
    of_host = plan._replace(steps=tuple(step for step in plan.steps if not step.wave))
    assert any(step.wave for step in plan.steps)
    assert stale(of_host, plan) == (
        "the plan is of the host's own files only: apply it with --host-only",
    )
    assert stale(plan, of_host) == (
        "the plan has steps of instances, and --host-only leaves them out",
    )


@given(histories(), wishes())
def test_a_plan_is_the_same_after_it_was_stored(history: History, wanted: tuple[Wish, ...]) -> None:
    plan = plan_of(fleet(*wanted, services=history[0]), world(history))
    stored = decode_plan(encode_plan(plan), "plan.json")
    assert stored == plan
    assert encode_plan(stored) == encode_plan(plan)


@given(histories(), wishes())
def test_a_stored_plan_is_not_stale_while_nothing_happens(
    history: History, wanted: tuple[Wish, ...]
) -> None:
    machine = world(history)
    target = fleet(*wanted, services=history[0])
    first, again = plan_of(target, machine), plan_of(target, machine)
    assert stale(first, again) == ()


def test_every_part_of_a_plan_is_there_after_it_was_stored() -> None:
    machine, plan = planned()
    stored = decode_plan(encode_plan(plan), "plan.json")
    kinds = {type(stored.changes[0].kind), type(stored.steps[0].do), type(stored.steps[0].impact)}
    assert {k.__name__ for k in kinds} == {"Kind", "Do", "Impact"}
    assert apply_to(AFTER, machine, stored).failure == ""
    assert plan_of(AFTER, machine) == empty_plan("fra1", "/")._replace(
        notes=plan_of(AFTER, machine).notes, basis=plan_of(AFTER, machine).basis
    )


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "not JSON": lambda content: content[:-20],
    "not UTF-8": lambda content: b"\xff" + content,
    "empty": lambda content: b"",
    "another document": lambda content: content.replace(b'"kind": "plan"', b'"kind": "drift"'),
    "another format": lambda content: content.replace(b'"format": 1', b'"format": 2'),
    "an unknown step": lambda content: content.replace(b'"do": "stop"', b'"do": "explode"'),
    "an unknown key": lambda content: content.replace(b'"undo":', b'"redo":'),
    "no basis": lambda content: content.replace(b'"basis":', b'"base":'),
    "a host that is a number": lambda content: content.replace(b'"host": "fra1"', b'"host": 1'),
    "a step that is a text": lambda content: content.replace(b'"number": 1,', b'"number": "1",'),
    "a value that is a number": lambda content: content.replace(b'"before": "a"', b'"before": 1'),
    "origins that are a text": lambda content: content.replace(
        b'"origin": [', b'"origin": "x", "y": ['
    ),
    "a list": lambda content: b"[]",
    "deep": lambda content: b"[" * 100_000,
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_no_plan_file_is_refused(how: str) -> None:
    _, plan = planned()
    content = BROKEN[how](encode_plan(plan))
    assert content != encode_plan(plan)
    with pytest.raises(Refused, match=r"^plan\.json is not a plan"):
        decode_plan(content, "plan.json")
