"""Everything a plan needs to know of a host, read in one pass and without touching anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import HostView
from pbxfleet.model.applied import AppliedRecord, AppliedResource
from pbxfleet.model.observed import Observed, Seen, SettingsSeen, What
from pbxfleet.model.target import Field, InstanceTarget, Kind, Resource, Target
from pbxfleet.observe.strays import find_strays

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
    applied = {
        resource_id: resource
        for record in records.values()
        for resource_id, resource in record.resources.items()
    }
    seen: dict[str, Seen] = {}
    settings: dict[str, SettingsSeen] = {}
    same: set[str] = set()
    for resource in target.resources.values():
        if resource.kind is Kind.SERVICE:
            continue
        before = applied.get(resource.id)
        state = _look(view, resource.path, resource.kind, before)
        seen[resource.id] = state
        if resource.kind is Kind.SETTINGS and state.what is What.FILE:
            if _settings_unchanged(resource, state, before):
                same.add(resource.id)
            else:
                settings[resource.id] = read_settings(
                    view, resource.path, read_fields(resource.instance)
                )
    for resource_id, before in applied.items():
        if resource_id not in target.resources and before.kind != Kind.SERVICE:
            seen[resource_id] = _look(view, HostPath(before.path), Kind(before.kind), None)
    return _with_services(view, target, records, seen, settings, same)


def _with_services(
    view: HostView,
    target: Target,
    records: Mapping[str, AppliedRecord],
    seen: dict[str, Seen],
    settings: dict[str, SettingsSeen],
    same: set[str],
) -> Observed:
    instances = known_instances(target, records)
    services = view.service_states(instances)
    running = view.runs_services
    files = {r.path for r in target.resources.values() if r.kind is Kind.FILE}
    return Observed(
        seen=seen,
        settings=settings,
        same_as_applied=frozenset(same),
        services=services,
        runtime=view.runtime(instances) if running else {},
        foreign=view.foreign_sockets(instances) if running else (),
        strays=find_strays(view, target.services, files, instances),
        facts=view.facts() if running else None,
        runs_services=running,
        owners_matter=view.owners_matter,
    )


def known_instances(
    target: Target, records: Mapping[str, AppliedRecord]
) -> Sequence[InstanceTarget]:
    """Declared instances, then those that are only remembered, each in order of their names."""
    gone = [
        record.declared
        for name, record in sorted(records.items())
        if record.declared is not None and name not in target.instances
    ]
    return [*target.instances.values(), *gone]


def _look(view: HostView, path: HostPath, kind: Kind, before: AppliedResource | None) -> Seen:
    """Like `view.look`, but a large release file is not read again while its identity is unchanged."""
    if kind is Kind.ARTEFACT and before is not None and before.stat is not None:
        unchanged = view.identity(path) == before.stat
        if unchanged:
            return Seen(What.FILE, before.mode or 0, before.owner, before.stat[2], before.digest)
    return view.look(path)


def _settings_unchanged(resource: Resource, state: Seen, before: AppliedResource | None) -> bool:
    return (
        before is not None
        and state.digest == before.digest
        and resource.fields_digest == before.fields_digest
    )


def read_settings(view: HostView, path: HostPath, fields: Sequence[Field]) -> SettingsSeen:
    """What the pbx.xml at `path` says about `fields`; a file that cannot be understood is a problem."""
    from pbxfleet.pbx.pbx_xml import PbxXmlError, read

    try:
        content = view.read(path)
        if content is None:
            return SettingsSeen({}, frozenset(), "the file vanished while it was read")
        document = read(content)
    except PbxXmlError as error:
        return SettingsSeen({}, frozenset(), f"{path}:{error.line}:{error.column}: {error.message}")
    except HostError as error:
        return SettingsSeen({}, frozenset(), f"{path}: {error.message}")
    values: dict[str, str | None] = {}
    opaque: set[str] = set()
    for field in fields:
        element = document.get(field.name)
        values[field.name] = None if element is None else element.value
        if element is not None and element.encrypted:
            opaque.add(field.name)
    return SettingsSeen(values, frozenset(opaque), "")
