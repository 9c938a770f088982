"""Drift from the same comparison that plans are made from: one planner, two questions."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.model.drift import DriftItem
from pbxfleet.model.observed import Observed
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.target import Kind
from pbxfleet.model.timers import ACTIVE
from pbxfleet.plan.activation import NOT_LOADED
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.releases import BOTH_FILES, How, Switch

MOVED = (Status.DRIFT, Status.CONFLICT)
NOTES = frozenset(
    ("PLN110", "PLN111", "PLN114", "PLN116", "PLN120", "PLN121", "PLN122", "PLN124", "PLN175")
) | {NOT_LOADED}
RELEASE = "release"
UNDECLARED = "a release that is not declared"


def drift_items(difference: Difference, observed: Observed) -> tuple[DriftItem, ...]:
    """What is not as it was applied, in order of instance and resource."""
    replaced = {s.instance: s for s in difference.switches if s.how is How.REPLACED}
    items = [
        _item(change, field)
        for change in map(_as_one, difference.changes)
        for field in change.fields
        if field.status in MOVED and field.name != "process"
        if not (_is_release_file(change, field) and change.instance in replaced)
    ]
    items += [_other_release(switch) for switch in replaced.values()]
    new = {c.instance for c in difference.changes if _is_first_start(c)}
    items += [
        _noted(note)
        for note in difference.notes
        if note.code in NOTES and not (note.instance in new and _is_runtime(note))
    ]
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


def _as_one(change: Change) -> Change:
    """A pbx.xml that is gone is one difference, however many settings it had."""
    drifted = [f for f in change.fields if f.status in MOVED]
    if change.kind is not Kind.SETTINGS or change.action is not Verb.CREATE or not drifted:
        return change
    declared = f"{len(change.fields)} declared settings"
    whole = FieldDelta("content", None, declared, drifted[0].status, drifted[0].origin)
    return change._replace(fields=(whole,))


def _is_release_file(change: Change, field: FieldDelta) -> bool:
    return change.kind is Kind.ARTEFACT and field.name == "content"


def _other_release(switch: Switch) -> DriftItem:
    """Both release files as one finding: it is one thing that was done."""
    declared = f"{switch.before} (declared in fleet.toml)"
    found = f"{declared if switch.before else UNDECLARED}; {BOTH_FILES}"
    return DriftItem("changed", switch.resource, switch.instance, RELEASE, switch.after, found)


def _kind(change: Change, field: FieldDelta) -> str:
    if change.kind is Kind.SERVICE or field.name == ACTIVE:
        return "runtime"
    if field.name in ("mode", "owner") and change.kind is not Kind.SETTINGS:
        return "mode"
    if change.action is Verb.CREATE or field.before is None:
        return "missing"
    return "changed"


def _is_runtime(note: Note) -> bool:
    return note.resource.startswith(f"{Kind.SERVICE}:")


def _noted(note: Note) -> DriftItem:
    """A difference that apply will not act on, and so has a note instead of a change."""
    kind = "changed"
    if _is_runtime(note) or note.code == NOT_LOADED:
        kind = "runtime"
    elif note.code == "PLN124":
        kind = "extra"
    return DriftItem(
        kind, note.resource, note.instance, note.name, note.declared or None, note.found or None
    )
