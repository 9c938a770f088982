"""Everything a plan needs to know of a host, read in one pass and without touching anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import HostView
from pbxfleet.model.applied import AppliedRecord, AppliedResource
from pbxfleet.model.elements import was_written
from pbxfleet.model.ignoring import SETTING
from pbxfleet.model.observed import Observed, Seen, SettingsSeen, StartSeen, What
from pbxfleet.model.target import ONCE, Field, InstanceTarget, Kind, Resource, Target
from pbxfleet.observe.leaving import find_leaving
from pbxfleet.observe.running import as_running
from pbxfleet.observe.starts import find_starts
from pbxfleet.observe.strays import find_strays

if TYPE_CHECKING:
    from pbxfleet.pbx.pbx_xml import PbxXml

ReadFields = Callable[[str], tuple[Field, ...]]


def observe(
    view: HostView,
    target: Target,
    records: Mapping[str, AppliedRecord],
    read_fields: ReadFields,
) -> Observed:
    """The host's state as far as target and applied records are concerned.

    A pbx.xml whose bytes are those that apply left behind is not parsed: its elements are known.
    `read_fields` gives the declared elements of an instance, asked only where that is not so.
    """
    files = _files(view, target, records, read_fields)
    gone = _no_longer_declared(target, records)
    for resource_id, path in gone.items():
        files.seen[resource_id] = view.look(path)
    ours = {r.path for r in target.resources.values() if r.kind is Kind.FILE}.union(gone.values())
    instances = known_instances(target, records)
    running = view.runs_services
    runtime, foreign = view.running(instances) if running else ({}, ())
    settings: Mapping[str, SettingsSeen] = files.settings
    facts = view.facts() if running else None
    starts: Mapping[str, StartSeen] = {}
    if facts is not None:
        starts = find_starts(view, target, records, runtime, facts.boot, files.seen, settings)
    if starts and settings:
        settings = as_running(view, target, records, settings, starts, read_fields)
    return Observed(
        seen=files.seen,
        settings=settings,
        same_as_applied=frozenset(files.same_as_applied),
        services=view.service_states(instances, runtime),
        runtime=runtime,
        foreign=foreign,
        strays=find_strays(view, target.services, ours, instances),
        facts=facts,
        runs_services=running,
        owners_matter=view.owners_matter,
        leaving=find_leaving(view, target, records),
        starts=starts,
    )


class _Files(NamedTuple):
    """Parts of `Observed`."""

    seen: dict[str, Seen]
    settings: dict[str, SettingsSeen]
    same_as_applied: set[str]


def _files(
    view: HostView,
    target: Target,
    records: Mapping[str, AppliedRecord],
    read_fields: ReadFields,
) -> _Files:
    files = _Files({}, {}, set())
    # What is left alone is to be told, and so has to be looked for.
    left_alone = [rule for rule in target.rules.ignored if rule.what == SETTING]
    for resource in target.resources.values():
        if resource.kind is Kind.SERVICE:
            continue
        record = records.get(resource.instance)
        before = record.resources.get(resource.id) if record is not None else None
        state = _look(view, resource.path, resource.kind, before)
        files.seen[resource.id] = state
        if resource.kind is Kind.SETTINGS and state.what is What.FILE:
            is_plain = not any(rule.covers(resource.instance) for rule in left_alone)
            if before is not None and is_plain and _is_as_left(resource, state, before):
                files.same_as_applied.add(resource.id)
            else:
                fields = read_fields(resource.instance)
                found = read_settings(view, resource.path, fields, before)
                files.settings[resource.id] = found
    return files


def _no_longer_declared(
    target: Target, records: Mapping[str, AppliedRecord]
) -> dict[str, HostPath]:
    """Files that apply wrote and the target does not name, by id; what else it wrote is kept."""
    return {
        resource_id: HostPath(before.path)
        for record in records.values()
        for resource_id, before in record.resources.items()
        if before.kind == Kind.FILE and resource_id not in target.resources
    }


def known_instances(
    target: Target, records: Mapping[str, AppliedRecord]
) -> Sequence[InstanceTarget]:
    """Declared instances, then those that are only remembered, each in order of their names.

    Not the removed ones whose directory a declared instance has taken over: what runs there is its.
    """
    taken = {i.directory for i in target.instances.values()} if len(records) else set()
    gone = [
        record.declared
        for name, record in sorted(records.items())
        if record.declared is not None
        and name not in target.instances
        and (record.resources or record.declared.directory not in taken)
    ]
    return [*target.instances.values(), *gone]


def _look(view: HostView, path: HostPath, kind: Kind, before: AppliedResource | None) -> Seen:
    """Like `view.look`, but a release file is not read again while its identity is unchanged."""
    if kind is Kind.ARTEFACT and before is not None and before.stat is not None:
        unchanged = view.identity(path) == before.stat
        if unchanged:
            return Seen(What.FILE, before.mode or 0, before.owner, before.stat[2], before.digest)
    return view.look(path)


def _is_as_left(resource: Resource, state: Seen, before: AppliedResource) -> bool:
    """Whether a pbx.xml is as apply left it, with every declared element as it is declared now."""
    return state.digest == before.digest and resource.fields_digest == before.fields_digest


def read_settings(
    view: HostView, path: HostPath, fields: Sequence[Field], before: AppliedResource | None
) -> SettingsSeen:
    """What the pbx.xml at `path` says about `fields`; a file that cannot be understood is a problem.

    `before` is what was applied there. Whether the file takes the edits is tried out here: an
    instance that was stopped for an edit which then is refused would be an outage for nothing.
    """
    from pbxfleet.pbx.meaning import must_change
    from pbxfleet.pbx.pbx_xml import PbxXmlError, edit, read

    try:
        content = view.read(path)
        if content is None:
            return SettingsSeen({}, frozenset(), "the file vanished while it was read")
        document = read(content)
    except PbxXmlError as error:
        return SettingsSeen({}, frozenset(), f"{path}:{error.line}:{error.column}: {error.message}")
    except HostError as error:
        return SettingsSeen({}, frozenset(), f"{path}: {error.message}")
    found = _elements(document, fields)
    edits = {
        f.name: f.value
        for f in fields
        if must_change(
            f,
            found.values[f.name],
            opaque=f.name in found.opaque,
            known=before is not None and was_written(f.name, before.fields),
        )
    }
    try:
        if edits:
            edit(content, edits)
    except PbxXmlError as error:
        return found._replace(refused=f"{path}:{error.line}:{error.column}: {error.message}")
    return found._replace(refused=_unclear(document, path, fields))


def _unclear(document: PbxXml, path: HostPath, fields: Sequence[Field]) -> str:
    """The first owned element that is there twice: which of its values counts cannot be told."""
    for field in fields:
        element = document.get(field.name)
        if element is None or element.editable or element.encrypted or field.ownership in ONCE:
            continue
        if field.secret is None:
            return f"{path}:{element.line}:{element.column}: {element.why_not}"
    return ""


def _elements(document: PbxXml, fields: Sequence[Field]) -> SettingsSeen:
    values: dict[str, str | None] = {}
    opaque: set[str] = set()
    for field in fields:
        element = document.get(field.name)
        values[field.name] = None if element is None else element.value
        if element is not None and element.encrypted:
            opaque.add(field.name)
    return SettingsSeen(values, frozenset(opaque), "")
