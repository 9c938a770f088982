"""No secret value is anywhere but in pbx.xml itself: not in plans, reports, records or the journal."""

from __future__ import annotations

import json

import pytest

from pbxfleet.apply.execute import apply_plan
from pbxfleet.apply.gate import Watch
from pbxfleet.host.state import JOURNAL, KEPT
from pbxfleet.model.plan import Step
from pbxfleet.plan.drift import drift_items, pending_changes
from pbxfleet.report.applied import applied_data, applied_text
from pbxfleet.report.drift import drift_data, drift_text
from pbxfleet.report.plan_json import encode_plan
from pbxfleet.report.plan_text import plan_text
from support.events import happen
from support.machine import Look, Machine, applied, memory_of, records_on
from support.targets import Fleet, SecretName, Wish, fleet

VALUES = ("hunter2", "98a8", "correct horse")
ENCRYPTED = '<pw_pass encrypted="true">98a8</pw_pass>'
CLEAR = "<pw_pass>hunter2</pw_pass>"


@pytest.mark.parametrize("started_with", [{}, {"pw_pass": SecretName("alpha/other")}])
@pytest.mark.parametrize("element", [ENCRYPTED, CLEAR, "<pw_pass/>", ""])
def test_a_secret_is_said_nowhere(element: str, started_with: dict[str, SecretName]) -> None:
    machine = applied(fleet(Wish("alpha", settings=started_with)))
    alpha = fleet(Wish("alpha")).target.instances["alpha"]
    if element != ENCRYPTED:
        happen(machine, alpha, ("replace", ENCRYPTED, element))
    happen(machine, alpha, ("set", "theirs", "correct horse"))
    target = fleet(Wish("alpha", release="2", settings={"sys_name": "New"}))
    said = _everything_said(target, machine)
    assert not [v for v in VALUES if v in said]
    content = machine.read(Wish("alpha").pbx_xml) or b""
    assert element.encode() in content, "and the secret itself is as it was"


def test_a_former_secret_is_not_shown_when_it_is_declared_in_clear() -> None:
    machine = applied(fleet(Wish("alpha")))
    alpha = fleet(Wish("alpha")).target.instances["alpha"]
    happen(machine, alpha, ("replace", ENCRYPTED, CLEAR))
    target = fleet(Wish("alpha", settings={"pw_pass": "open"}))
    said = _everything_said(target, machine)
    assert "hunter2" not in said
    assert "(secret)" in said


def test_records_have_digests_of_values_and_never_values() -> None:
    machine = applied(fleet(Wish("alpha", settings={"mode": "somevalue"})))
    assert "somevalue" not in _state(machine)


def _everything_said(target: Fleet, machine: Machine) -> str:
    """All output of plan, drift and apply, and all that lies on the host besides pbx.xml."""
    look = Look(target, machine)
    items = drift_items(look.difference, look.observed)
    pending = pending_changes(look.difference.changes)
    said = [plan_text(look.plan), encode_plan(look.plan).decode()]
    said += [drift_text("fra1", items, pending), json.dumps(drift_data("fra1", items, pending))]
    journal: list[str] = []

    def progress(step: Step, moment: str) -> None:
        journal.append((machine.read(JOURNAL) or b"").decode())

    machine.sources.update(target.contents.artefacts)
    report = apply_plan(
        look.plan,
        machine,
        target.target,
        records_on(machine),
        target.contents,
        memory_of(machine),
        Watch(progress),
    )
    assert not report.failure
    said += [applied_text(look.plan, report, None)]
    said += [json.dumps(applied_data(look.plan, report, None)), *journal]
    return "\n".join([*said, _state(machine)])


def _state(machine: Machine) -> str:
    """Every file of the host but pbx.xml, and the copies of it that an undo needs, as text."""
    tree = machine.tree()
    settings = {entry[3] for path, entry in tree.items() if path.endswith("/pbx.xml")}
    kept = [path for path in tree if path.startswith(f"{KEPT}/")]
    assert not kept or tree[KEPT][1] == 0o700, "only for who may read the original"
    contents = (
        entry[3] or b""
        for path, entry in tree.items()
        if entry[3] not in settings and not (path in kept and b"<config>" in (entry[3] or b""))
    )
    return b"\n".join(contents).decode()
