"""Restart debt, from what a process was started with and what is on disk; no event is remembered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pbxfleet.model.applied import NOT_LIVE, NOT_STARTED, AppliedRecord, element_digest
from pbxfleet.model.debt import RELEASE, UNIT, RestartDebt, is_part
from pbxfleet.model.observed import ABSENT, Observed, StartSeen
from pbxfleet.model.plan import Change, FieldDelta, Note, Status
from pbxfleet.model.target import Impact, InstanceTarget, Kind, Resource

NOT_KNOWN = "PLN129"
UNIT_FOLDERS = ("/etc/systemd/system/", "/etc/init.d/", "/etc/pbx/compose/")


class Debts(NamedTuple):
    """What a running instance is owed a restart for, and what of that nobody can tell."""

    owed: tuple[RestartDebt, ...] = ()
    notes: tuple[Note, ...] = ()


def debts_of(
    instance: InstanceTarget,
    resources: Iterable[Resource],
    observed: Observed,
    record: AppliedRecord | None,
) -> Debts:
    """Files that are on disk as declared, and that the running process was not started with.

    The record knows what our own start gave the process. Of another one there is evidence: a file that
    was not changed after its start was read by it; one that was, and is not what we had applied, was
    not. Else nobody knows (PLN129), and nothing is restarted for that.
    """
    start = observed.starts.get(instance.name)
    if start is None:
        return Debts()
    owed: list[RestartDebt] = []
    unknown: list[Resource] = []
    notes: list[Note] = []
    for resource in resources:
        if resource.kind is Kind.SETTINGS and resource.id in observed.settings:
            found = observed.settings[resource.id]
            owed += _settings(resource, start, found.stale)
            notes += _settings_not_known(resource, start, found.unsure)
        seen = observed.seen.get(resource.id, ABSENT)
        if not is_part(resource) or seen.digest != resource.digest:
            continue  # what is not as declared is a change, and has its own restart
        if resource.path == instance.executable:
            # The kernel knows which file it executes, unless that is the interpreter of a script.
            if observed.runtime[instance.name].trees[0].replaced or _was_other(
                resource, start, record
            ):
                owed.append(_debt(resource, start, ""))
            continue
        before = _started_with(resource, start, record)
        if before is None:
            unknown.append(resource)
        elif before != resource.digest:
            owed.append(_debt(resource, start, before))
    notes += [_not_known(start, unknown)] if unknown else []
    return Debts(tuple(owed), tuple(notes))


def _started_with(resource: Resource, start: StartSeen, record: AppliedRecord | None) -> str | None:
    """Digest of what the process was started with, None where nobody knows."""
    started = record.started if record is not None else NOT_STARTED
    if started.process == start.process and resource.id in started.parts:
        return started.parts[resource.id]
    if resource.id not in start.changed:
        return resource.digest
    applied = record.resources.get(resource.id) if record is not None else None
    return None if applied is None or applied.digest == resource.digest else applied.digest


def _was_other(resource: Resource, start: StartSeen, record: AppliedRecord | None) -> bool:
    """Whether our own start gave the process another file."""
    started = record.started if record is not None else NOT_STARTED
    known = started.parts if started.process == start.process else {}
    return known.get(resource.id, resource.digest) != resource.digest


def _debt(resource: Resource, start: StartSeen, before: str) -> RestartDebt:
    name = name_of(resource)
    since = start.changed.get(resource.id, "")
    return RestartDebt(
        resource.instance,
        resource.id,
        (name,),
        f"{resource.path} is not what the process was started with",
        since,
        start.process,
        before,
    )


def name_of(resource: Resource) -> str:
    """What people call it: `release`, `unit`, or its path."""
    if resource.kind is Kind.ARTEFACT:
        return RELEASE
    return UNIT if resource.path.startswith(UNIT_FOLDERS) else resource.path


def refused_debts(change: Change, observed: Observed, record: AppliedRecord | None) -> Debts:
    """Settings of a change that this very process was given, and did not take."""
    start = observed.starts.get(change.instance)
    live = record.live if record is not None else NOT_LIVE
    if start is None or live.process != start.process or change.impact is not Impact.RESTART:
        return Debts()
    names = tuple(
        f.name
        for f in change.fields
        if f.name in live.refused and live.refused[f.name] == element_digest(f.after)
    )
    if not names:
        return Debts()
    reason = "the running process did not take it over REST"
    return Debts((RestartDebt(change.instance, change.resource, names, reason, "", start.process),))


def debt_deltas(debts: Iterable[RestartDebt], origin: str) -> list[FieldDelta]:
    """What a restart will settle, as fields of the service."""
    return [
        FieldDelta(name, "as at its start", "as on disk", Status.PENDING, origin)
        for name in dict.fromkeys(name for debt in debts for name in debt.names)
    ]


def _settings(resource: Resource, start: StartSeen, names: tuple[str, ...]) -> list[RestartDebt]:
    if not names:
        return []
    since = start.changed.get(resource.id, "")
    reason = "the running process has another value than pbx.xml, which it says itself"
    return [RestartDebt(resource.instance, resource.id, names, reason, since, start.process)]


def _settings_not_known(resource: Resource, start: StartSeen, names: tuple[str, ...]) -> list[Note]:
    if not names:
        return []
    return [
        Note(
            NOT_KNOWN,
            "advice",
            resource.instance,
            f"whether the process works with {', '.join(names)} of pbx.xml is not known: what is there "
            f"was not applied by pbxfleet, and the file was written while it ran, at "
            f"{start.changed[resource.id]}",
            "the PBX has it if it wrote that itself; if a person did, restart it at a quiet time",
            resource.id,
        )
    ]


def _not_known(start: StartSeen, files: list[Resource]) -> Note:
    first = files[0]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    verb = "was" if len(files) == 1 else "were"
    return Note(
        NOT_KNOWN,
        "advice",
        first.instance,
        f"whether the process was started with {first.path}{more} is not known: it was not started "
        f"by pbxfleet, and that {verb} touched later, at {start.changed[first.id]}",
        "restart it at a quiet time, if somebody has changed the file meanwhile",
        first.id,
    )
