"""Drift from the same comparison that plans are made from: one planner, two questions."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.model.drift import DriftItem
from pbxfleet.model.observed import Observed
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.target import Kind
from pbxfleet.plan.activation import NOT_LOADED
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.releases import BOTH_FILES, How, Switch

MOVED = (Status.DRIFT, Status.CONFLICT)
RUNTIME_NOTES = ("PLN120", "PLN121", "PLN122", NOT_LOADED)
BROKEN_NOTES = ("PLN110", "PLN111")
RELEASE = "release"
UNDECLARED = "a release that is not declared"


def drift_items(difference: Difference, observed: Observed) -> tuple[DriftItem, ...]:
    """What is not as it was applied, in order of instance and resource."""
    replaced = {s.instance: s for s in difference.switches if s.how is How.REPLACED}
    items = [
        _item(change, field)
        for change in difference.changes
        for field in change.fields
        if field.status in MOVED and field.name != "process"
        if not (_is_release_file(change, field) and change.instance in replaced)
    ]
    items += [_other_release(switch) for switch in replaced.values()]
    items += [
        DriftItem("extra", f"path:{s.path}", "", s.why, None, s.path) for s in observed.strays
    ]
    new = {c.instance for c in difference.changes if _is_first_start(c)}
    items += [
        _noted("runtime", note)
        for note in difference.notes
        if note.code in RUNTIME_NOTES and note.instance not in new
    ]
    items += [_noted("changed", note) for note in difference.notes if note.code in BROKEN_NOTES]
    return tuple(sorted(dict.fromkeys(items), key=lambda i: (i.instance, i.resource, i.name)))


def pending_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes that are merely not applied yet, with only those of their fields."""
    found = []
    for change in changes:
        if change.kind is Kind.DIRECTORY and change.action is Verb.KEEP:
            continue  # what a removal leaves alone is not waiting for anything
        fields = tuple(f for f in change.fields if f.status not in MOVED)
        if fields:
            found.append(change._replace(fields=fields))
    return tuple(found)


def _is_first_start(change: Change) -> bool:
    """Whether the instance has never run in our name: then nothing about it can have drifted."""
    return change.action is Verb.START and change.status is Status.PENDING


def _item(change: Change, field: FieldDelta) -> DriftItem:
    applied = field.after if field.status is Status.DRIFT else "(declared differently since)"
    return DriftItem(
        _kind(change, field), change.resource, change.instance, field.name, applied, field.before
    )


def _is_release_file(change: Change, field: FieldDelta) -> bool:
    return change.kind is Kind.ARTEFACT and field.name == "content"


def _other_release(switch: Switch) -> DriftItem:
    """Both release files as one finding: it is one thing that was done."""
    declared = f"{switch.before} (declared in fleet.toml)"
    found = f"{declared if switch.before else UNDECLARED}; {BOTH_FILES}"
    return DriftItem("changed", switch.resource, switch.instance, RELEASE, switch.after, found)


def _kind(change: Change, field: FieldDelta) -> str:
    if change.kind is Kind.SERVICE:
        return "runtime"
    if field.name in ("mode", "owner") and change.kind is not Kind.SETTINGS:
        return "mode"
    if change.action is Verb.CREATE or field.before is None:
        return "missing"
    return "changed"


def _noted(kind: str, note: Note) -> DriftItem:
    return DriftItem(kind, note.resource, note.instance, note.message, None, note.message)
