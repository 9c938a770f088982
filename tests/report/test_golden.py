"""What people and programs read, word for word: one scene a function, one golden file a scene.

`pytest --update-golden` rewrites them; the diff is reviewed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.plan import ApplyReport, Plan, Status, Verb
from pbxfleet.plan.drift import drift_items, pending_changes
from pbxfleet.report.applied import applied_data, applied_text
from pbxfleet.report.drift import drift_data, drift_text
from pbxfleet.report.paint import Paint
from pbxfleet.report.plan_json import plan_data
from pbxfleet.report.plan_text import plan_text
from pbxfleet.report.status import status_rows, status_text
from support.events import Event, happen
from support.machine import Look, Machine, applied, apply_to
from support.targets import Fleet, Seeded, Wish, fleet

GOLDEN = Path(__file__).parent / "golden"
SINCE = "2031-05-06T07:08:09Z"
HOSTILE = "a\x1b[2J\r\nfra1: nothing to do\u202e\x07"

ALPHA = Wish("alpha", "192.0.2.10", settings={"mode": "a", "extra": Seeded("1")})
BETA = Wish("beta", "192.0.2.11", cpu=1, rtp=(30000, 31000))
GAMMA = Wish("gamma", "2001:db8::10")
FLEET = fleet(ALPHA, BETA, GAMMA, services="systemd")
NEXT = fleet(
    Wish("alpha", "192.0.2.10", release="2", failover=None, settings={"mode": "b"}),
    Wish("beta", "192.0.2.11", cpu=2, rtp=(30000, 31000), backup="-"),
    Wish("delta", "192.0.2.13", settings={f"s{n}": "x" for n in range(9)}),
    services="systemd",
)


def host(*events: tuple[str, Event]) -> Machine:
    """`FLEET` applied, and then something happened."""
    machine = applied(FLEET, "systemd")
    for name, event in events:
        happen(machine, FLEET.target.instances[name], event)
    return machine


def busy() -> Machine:
    """A host on which many hands were at work."""
    machine = host(
        ("alpha", ("set", "mode", "web")),
        ("alpha", ("set", "sys_name", "By hand")),
        ("alpha", ("write", "/etc/pbx/failover-alpha.conf", "edited")),
        ("beta", ("mode", "/etc/pbx/failover-beta.conf", "0666")),
        ("beta", ("write", "/etc/pbx/backup-beta.list", "edited")),
        ("beta", ("remove", "/srv/pbx-beta/pbxctrl.dat")),
        ("beta", ("listens", "udp", "0.0.0.0", 69)),
        ("gamma", ("end",)),
        ("gamma", ("disable",)),
        ("gamma", ("stranger", "udp", "::", 5060)),
        ("gamma", ("write", "/srv/pbx-ghost/pbx.xml", "<c/>")),
    )
    machine.extra = ()
    return machine


def hostile() -> Machine:
    return host(
        ("alpha", ("write", f"/srv/pbx-{HOSTILE}/pbx.xml", "<c/>")),
        ("alpha", ("set", "mode", "\u202eevil\u0085")),
        ("alpha", ("owner", "/etc/pbx/failover-alpha.conf", HOSTILE)),
    )


def blocked() -> Machine:
    return host(
        ("alpha", ("settings", "<config><a></config>")),
        ("beta", ("directory", "/etc/pbx/backup-beta.list")),
        ("gamma", ("end",)),
        ("gamma", ("lose address", "2001:db8::10")),
    )


def plan_scene(target: Fleet, machine: Machine) -> str:
    return plan_text(Look(target, machine).plan)


def outdated() -> Machine:
    machine = host()
    for name in ("alpha", "beta"):
        machine.lose_record(name)
    return machine


def report_of(target: Fleet, machine: Machine) -> tuple[Plan, ApplyReport, Plan]:
    plan = Look(target, machine).plan
    report = apply_to(target, machine, plan)
    return plan, report, Look(target, machine).plan


def failing(kind: str) -> tuple[Plan, ApplyReport, Plan]:
    machine = busy()
    works = machine.listens
    if kind == "broken":
        machine.listens = lambda view, instance: ()
    else:
        machine.listens = lambda view, instance: (
            ()
            if instance.name.endswith("beta/pbxctrl") and instance.cpu == 2
            else works(view, instance)
        )
    return report_of(NEXT, machine)


def overruled() -> tuple[Plan, ApplyReport, Plan]:
    machine = host()
    alpha = NEXT.target.instances["alpha"]
    machine.on_start = lambda view, instance: (
        happen(machine, alpha, ("set", "mode", "mine"))
        if instance.directory == alpha.directory
        else None
    )
    happen(machine, NEXT.target.instances["beta"], ("listens", "udp", "0.0.0.0", 69))
    return report_of(NEXT, machine)


def drift_of(target: Fleet, machine: Machine) -> tuple[Any, ...]:
    look = Look(target, machine)
    items = drift_items(look.difference, look.observed)
    dated = tuple(item._replace(first_seen=SINCE) for item in items)
    return "fra1", dated, pending_changes(look.difference.changes)


def status_of(target: Fleet, machine: Machine) -> str:
    look = Look(target, machine)
    rows = status_rows(target.target, look.observed, look.difference.changes)
    return status_text("fra1", rows, look.difference.notes)


def data(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"


SCENES: dict[str, Callable[[], str]] = {
    "plan-new.txt": lambda: plan_scene(FLEET, Machine("systemd")),
    "plan-busy.txt": lambda: plan_scene(NEXT, busy()),
    "plan-busy-colour.txt": lambda: plan_text(Look(NEXT, busy()).plan, Paint(colour=True)),
    "plan-blocked.txt": lambda: plan_scene(FLEET, blocked()),
    "plan-blocked-only.txt": lambda: plan_scene(
        FLEET, host(("alpha", ("settings", "<config><a></config>")))
    ),
    "plan-nothing.txt": lambda: plan_scene(FLEET, host()),
    "plan-outdated.txt": lambda: plan_scene(FLEET, outdated()),
    "plan-removal.txt": lambda: plan_scene(fleet(services="systemd"), host()),
    "plan-hostile.txt": lambda: plan_scene(FLEET, hostile()),
    "plan-busy.json": lambda: data(plan_data(Look(NEXT, busy()).plan)),
    "plan-blocked.json": lambda: data(plan_data(Look(FLEET, blocked()).plan)),
    "plan-nothing.json": lambda: data(plan_data(Look(FLEET, host()).plan)),
    "apply-nothing.txt": lambda: applied_text(Look(FLEET, host()).plan, None, None),
    "apply-done.txt": lambda: applied_text(*report_of(NEXT, host())),
    "apply-unproven.txt": lambda: applied_text(*overruled()),
    "apply-undone.txt": lambda: applied_text(*failing("undone")),
    "apply-broken.txt": lambda: applied_text(*failing("broken")),
    "apply-undone.json": lambda: data(applied_data(*failing("undone"))),
    "drift-none.txt": lambda: drift_text(*drift_of(FLEET, host())),
    "drift-busy.txt": lambda: drift_text(*drift_of(NEXT, busy())),
    "drift-hostile.txt": lambda: drift_text(*drift_of(FLEET, hostile())),
    "drift-busy.json": lambda: data(drift_data(*drift_of(NEXT, busy()))),
    "status-busy.txt": lambda: status_of(NEXT, busy()),
    "status-new.txt": lambda: status_of(FLEET, Machine("systemd")),
}


@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str, update_golden: bool) -> None:
    found = SCENES[name]()
    path = GOLDEN / name
    if update_golden:
        path.write_text(found, encoding="utf-8", newline="")
    assert found == path.read_text(encoding="utf-8")


def test_every_golden_file_has_a_scene() -> None:
    assert sorted(p.name for p in GOLDEN.iterdir()) == sorted(SCENES)


def test_no_value_can_repaint_a_terminal() -> None:
    """Plain text is printable, line by line, whatever the host says about itself."""
    for name, scene in SCENES.items():
        if name.endswith(".txt") and "colour" not in name:
            wrong = [line for line in scene().split("\n") if not line.isprintable()]
            assert not wrong, (name, wrong)


def test_json_is_ascii() -> None:
    look = Look(FLEET, hostile())
    items = drift_items(look.difference, look.observed)
    assert data(plan_data(look.plan)).isascii()
    assert data(drift_data("fra1", items, ())).isascii()


def test_json_has_the_keys_that_other_programs_rely_on() -> None:
    plan = plan_data(Look(NEXT, busy()).plan)
    assert {"format", "outcome", "changes", "steps"} <= plan.keys()
    change_keys = {"resource", "kind", "instance", "status", "action", "impact", "reason", "fields"}
    for change in plan["changes"]:
        assert change_keys <= change.keys()
        assert all({"name", "before", "after", "origin"} <= f.keys() for f in change["fields"])
    drift = drift_data(*drift_of(NEXT, busy()))
    assert {"format", "outcome", "items", "pending"} <= drift.keys()
    item_keys = {
        "class",
        "resource",
        "instance",
        "name",
        "applied",
        "observed",
        "first_seen",
        "who",
    }
    classes = {"missing", "changed", "extra", "mode", "runtime"}
    for item in drift["items"]:
        assert item_keys <= item.keys() and item["class"] in classes


def test_pending_and_drift_are_never_mixed() -> None:
    drift = drift_data(*drift_of(NEXT, busy()))
    pending = {(c["resource"], f["name"]) for c in drift["pending"] for f in c["fields"]}
    drifted = {(i["resource"], i["name"]) for i in drift["items"]}
    assert pending and drifted and not pending & drifted


def test_the_headline_counts_what_the_steps_do() -> None:
    plan = Look(NEXT, busy()).plan
    counts = plan_data(plan)["summary"]
    written = {s.resource for s in plan.steps if s.resource.split(":")[0] in ("file", "artefact")}
    assert counts["files"] == len(written)
    assert set(counts["instances"]) == {s.wave for s in plan.steps} - {"", "gamma"}
    assert set(counts["restarts"]) == {"alpha", "beta"}
    assert counts["removed"] == ("gamma",)
    kept = [c for c in plan.changes if c.action is Verb.KEEP]
    assert kept and kept[0].resource not in written
    own = [c for c in plan.changes if c.fields[0].name != "process"]
    assert counts["conflicts"] == sum(c.status is Status.CONFLICT for c in own) == 3
    assert counts["drifted"] == sum(c.status is Status.DRIFT for c in own) == 3


def test_a_record_is_never_part_of_what_is_said() -> None:
    record: AppliedRecord = Look(FLEET, host()).records["alpha"]
    assert record.resources, "there is one"
    assert "fields_digest" not in data(plan_data(Look(FLEET, host()).plan))
