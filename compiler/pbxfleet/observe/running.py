"""What a running process says of its settings, where pbx.xml is not what it works with.

The PBX may write a change that it was given into its file at once, later, or at its exit only. While
the process runs, what it says counts; once it is gone, the file is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pbxfleet.host.asking import ask_web
from pbxfleet.host.base import HostView
from pbxfleet.model.applied import AppliedRecord, element_digest
from pbxfleet.model.asking import Question
from pbxfleet.model.elements import WRITTEN_ONCE, was_written
from pbxfleet.model.observed import SettingsSeen, StartSeen
from pbxfleet.model.target import ONCE, Field, InstanceTarget, Kind, Target
from pbxfleet.pbx.live import may_be_live, takes
from pbxfleet.pbx.meaning import must_change
from pbxfleet.pbx.rest import settings_in

ReadFields = Callable[[str], tuple[Field, ...]]


def as_running(
    view: HostView,
    target: Target,
    records: Mapping[str, AppliedRecord],
    settings: Mapping[str, SettingsSeen],
    starts: Mapping[str, StartSeen],
    read_fields: ReadFields,
) -> Mapping[str, SettingsSeen]:
    """The settings with the values of running processes, by resource id.

    Only an instance is asked whose file differs in a setting that can change live, or has another value
    than was applied, set while it ran.
    """
    found = dict(settings)
    for resource in target.resources.values():
        if resource.kind is not Kind.SETTINGS or resource.id not in settings:
            continue
        start = starts.get(resource.instance)
        seen = settings[resource.id]
        if start is None or seen.problem or resource.instance not in target.instances:
            continue  # who is stopped for good is not asked
        record = records.get(resource.instance)
        fields = read_fields(resource.instance)
        later = []
        if record is not None and resource.id in start.changed:
            before = record.resources.get(resource.id)
            later = _came_later(fields, seen, {} if before is None else before.fields)
        instance = _as_it_runs(target.instances[resource.instance], records)
        live = [f for f in fields if may_be_live(f)]
        found[resource.id] = _overlaid(view, instance, seen, live, later, record, start.process)
    return found


def _came_later(
    fields: Iterable[Field], seen: SettingsSeen, applied: Mapping[str, str | None]
) -> list[Field]:
    """What is as declared in a file that was written after the start, and was applied otherwise."""
    return [
        f
        for f in fields
        if was_written(f.name, applied)
        and applied[f.name] not in (WRITTEN_ONCE, element_digest(f.value))
        and f.name not in seen.opaque
        and f.ownership not in ONCE
        and not _differs(f, seen.values.get(f.name))
    ]


def _as_it_runs(declared: InstanceTarget, records: Mapping[str, AppliedRecord]) -> InstanceTarget:
    """It still listens where it was applied to; who may ask is what is declared now."""
    record = records.get(declared.name)
    applied = record.declared if record is not None else None
    if applied is None:
        return declared
    return declared._replace(
        listeners=tuple(dict.fromkeys((*applied.listeners, *declared.listeners)))
    )


def _overlaid(
    view: HostView,
    instance: InstanceTarget,
    seen: SettingsSeen,
    fields: list[Field],
    later: list[Field],
    record: AppliedRecord | None,
    process: str,
) -> SettingsSeen:
    ours = record.live if record is not None and record.live.process == process else None
    given = ours.values if ours is not None else {}
    clear = [f for f in fields if f.name not in seen.opaque]
    later = [f for f in later if given.get(f.name) != element_digest(f.value)]
    differs = any(_differs(f, seen.values.get(f.name)) or f.name in given for f in clear)
    if not differs and not later:
        return seen
    told, why = settings_in(ask_web(view, instance, Question.CONFIG))
    if told is None:
        # Nobody answers: what we gave this very process is what it has.
        kept = {f.name: f.value for f in clear if given.get(f.name) == element_digest(f.value)}
        unsure = tuple(f.name for f in later)
        return seen._replace(values={**seen.values, **kept}, why_not_live=why, unsure=unsure)
    refused = ours.refused if ours is not None else {}
    able = {
        f.name for f in clear if takes(f, told) and refused.get(f.name) != element_digest(f.value)
    }
    values = {**seen.values, **{f.name: told[f.name] for f in clear if f.name in told}}
    missing = [f.name for f in clear if f.name not in able and _differs(f, values[f.name])]
    why = f"the running process does not take {', '.join(missing)}" if missing else ""
    asked = {f.name for f in clear}
    return seen._replace(
        values=values,
        live=frozenset(able),
        why_not_live=why,
        stale=tuple(
            f.name
            for f in later
            if f.name not in asked and _differs(f, told.get(f.name)) and f.name in told
        ),
        unsure=tuple(f.name for f in later if f.name not in told),
    )


def _differs(field: Field, observed: str | None) -> bool:
    return must_change(field, observed, opaque=False, known=True)
