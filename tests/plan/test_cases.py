"""The three-way table on whole hosts: a case is a JSON file in `cases/`, and needs no Python.

`applied` is the instance as it was applied earlier (null: never), `events` is what happened on the
host since, `target` the instance as it is declared now (null: no longer). Instances are given by
what differs from `Wish`. `expect` is what the plan says, and how an apply of it ends.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.plan import Change, Plan
from support.events import happen
from support.machine import Look, Machine, announced, apply_to, effects_on_host, plan_of
from support.targets import ExpectedListener, Fleet, SecretName, Seeded, Wish, fleet

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_case(path: Path, update_golden: bool) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    services = case.get("services", "systemd")
    machine = Machine(services)
    before = _fleet(case["applied"], services)
    downgrades = case.get("downgrades", "allow")
    wanted = _fleet(case["target"], services, downgrades)
    instance = (wanted if case["target"] is not None else before).target
    if case["applied"] is not None:
        report = apply_to(before, machine)
        assert not report.failure, report.failure
        instance = before.target
    for event in case.get("events", ()):
        happen(machine, instance.instances["alpha"], event)
    found = _outcome(wanted, machine)
    if update_golden:
        path.write_text(_text({**case, "expect": found}), encoding="utf-8")
    else:
        assert found == case["expect"]


def _fleet(wanted: dict[str, Any] | None, services: str, downgrades: str = "allow") -> Fleet:
    wishes = [] if wanted is None else [_wish(wanted)]
    return fleet(*wishes, services=services, host_files=(), downgrades=downgrades)


def _wish(wanted: dict[str, Any]) -> Wish:
    settings = {
        name: _value(value) if isinstance(value, dict) else value
        for name, value in wanted.get("settings", {}).items()
    }
    listeners = tuple(ExpectedListener(*entry) for entry in wanted.get("more_listeners", ()))
    rtp = tuple(wanted["rtp"]) if "rtp" in wanted else None
    return Wish(
        "alpha", **{**wanted, "settings": settings, "more_listeners": listeners, "rtp": rtp}
    )


def _value(wanted: dict[str, str]) -> Seeded | SecretName:
    return Seeded(wanted["seeded"]) if "seeded" in wanted else SecretName(wanted["secret"])


def _outcome(wanted: Fleet, machine: Machine) -> dict[str, Any]:
    plan = Look(wanted, machine).plan
    return {
        "changes": [_change(change) for change in plan.changes],
        "notes": [f"{n.severity}[{n.code}] {n.resource}: {n.message}" for n in plan.notes],
        "steps": [f"{s.do} {s.path}" for s in plan.steps],
        "then": _applied(wanted, machine, plan),
    }


def _change(change: Change) -> list[Any]:
    return [
        f"{change.status} {change.action} {change.resource} ({change.impact}): {change.reason}",
        *(f"{f.status} {f.name}: {f.before} -> {f.after}" for f in change.fields),
    ]


def _applied(wanted: Fleet, machine: Machine, plan: Plan) -> str:
    """How an apply ends; whatever the case, a second one has no effect at all."""
    if plan.blocked:
        return "refused"
    recorded = RecordingHost(machine)
    report = apply_to(wanted, recorded, plan)
    assert machine.accidents == []
    if report.failure:
        return report.failure
    assert effects_on_host(recorded.effects) == announced(plan)
    said = "".join(f"; {note.message}" for note in report.unproven)
    again = RecordingHost(machine)
    second = plan_of(wanted, again)
    assert not second.steps, second.steps
    apply_to(wanted, again, second)
    assert again.effects == []
    kept = [f"{c.action} {c.resource}" for c in second.changes]
    return "in sync" + said + "".join(f"; still {text}" for text in kept)


def _text(case: dict[str, Any]) -> str:
    return json.dumps(case, indent=1, ensure_ascii=False) + "\n"
