"""What a fleet's rules of [[ignore]] take out of a comparison: no change, no drift, but a note (PLN176)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pbxfleet.model.ignoring import PATH, UNTIL, Ignored, Ignoring
from pbxfleet.model.observed import SettingsSeen, Stray
from pbxfleet.model.plan import Change, Note, Verb
from pbxfleet.model.target import Field, Resource
from pbxfleet.pbx.meaning import must_change
from pbxfleet.plan.runtime import FOREIGN

IGNORED = "PLN176"
OWNED = "owned"


def without_ignored(change: Change, ignoring: Ignoring) -> tuple[Change | None, list[Note]]:
    """The change of a file, or None and notes where it is to be left as it is."""
    kinds = {_class(change, field.name) for field in change.fields}
    rule = ignoring.path(change.instance, change.path, kinds)
    if rule is None:
        return change, []
    notes = [
        _note(rule, change.instance, change.resource, (f.name, f.after, f.before))
        for f in change.fields
    ]
    return None, notes


def _class(change: Change, name: str) -> str:
    if change.action is Verb.CREATE:
        return "missing"
    return "mode" if name in ("mode", "owner") else "changed"


def settings_that_count(
    resource: Resource, fields: Sequence[Field], found: SettingsSeen | None, ignoring: Ignoring
) -> tuple[list[Field], list[Note]]:
    """The declared elements that are compared, and notes about those that differ and are left alone."""
    rules = {f.name: ignoring.setting(resource.instance, f.name) for f in fields}
    counting = [f for f in fields if rules[f.name] is None]
    notes = []
    for field in fields:
        rule = rules[field.name]
        if rule is None or found is None or found.problem or field.secret is not None:
            continue
        observed = found.values.get(field.name)
        opaque = field.name in found.opaque
        if must_change(field._replace(ownership=OWNED), observed, opaque=opaque, known=True):
            what = (field.name, field.value, observed)
            notes.append(_note(rule, resource.instance, resource.id, what))
    return counting, notes


def strays_that_count(
    strays: Iterable[Stray], ignoring: Ignoring
) -> tuple[list[Stray], list[Note]]:
    """What looks like an instance and is not accepted, and notes about what is."""
    counting, notes = [], []
    for stray in strays:
        rule = ignoring.path("", stray.path, ("extra",))
        if rule is None:
            counting.append(stray)
        else:
            notes.append(_note(rule, "", f"path:{stray.path}", (stray.why, None, stray.path)))
    return counting, notes


def accepted(notes: Iterable[Note], ignoring: Ignoring) -> list[Note]:
    """Notes about sockets of other programs, those that are accepted in other words."""
    found = []
    for note in notes:
        rule = ignoring.listener(note.instance, note.name.removeprefix(FOREIGN))
        what = (note.name, None, note.found)
        found.append(note if rule is None else _note(rule, note.instance, note.resource, what))
    return found


def _note(
    rule: Ignored, instance: str, resource: str, what: tuple[str, str | None, str | None]
) -> Note:
    name, declared, found = what
    path = resource.partition(":")[2] if rule.what == PATH else ""
    where = f"{path}: {name}" if path else name
    differs = f"{where}: is {found or 'absent'}, declared {declared or 'absent'}"
    if path and found == path:
        differs = f"{path} {name}"
    return Note(
        IGNORED,
        "advice",
        instance,
        f"{differs}; {UNTIL}{rule.expires}: {rule.reason}",
        "",
        resource,
        name,
        declared or "",
        found or "",
    )
