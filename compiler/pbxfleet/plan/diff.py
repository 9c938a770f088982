"""Target, observed and applied state to changes: the whole three-way comparison of a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import AppliedRecord, AppliedResource
from pbxfleet.model.observed import ABSENT, Observed
from pbxfleet.model.plan import Change, Note
from pbxfleet.model.target import Field, Kind, Resource, Target
from pbxfleet.plan.files import diff_directory, diff_file, diff_pruned, in_the_way
from pbxfleet.plan.runtime import SocketIndex, socket_index
from pbxfleet.plan.services import diff_removed, diff_service
from pbxfleet.plan.settings import diff_settings

ReadFields = Callable[[str], tuple[Field, ...]]


class Difference(NamedTuple):
    """Everything that is not as declared: changes by instance in order, and notes."""

    changes: tuple[Change, ...]
    notes: tuple[Note, ...]


def diff(
    target: Target,
    observed: Observed,
    records: Mapping[str, AppliedRecord],
    read_fields: ReadFields,
) -> Difference:
    """Changes that turn the observed host into the target, in order of instance and resource.

    Only what the target names, and what apply once wrote, is compared: nothing else is ours.
    """
    changes: list[Change] = []
    notes: list[Note] = []
    foreign = socket_index(observed.foreign)
    for instance, resources in by_instance(target).items():
        found, said = _diff_instance(
            target, instance, resources, observed, records.get(instance), read_fields, foreign
        )
        changes += found
        notes += said
    for name, record in sorted(records.items()):
        changes += _pruned(target, record, observed)
        if name and name not in target.instances:
            change, said = diff_removed(record, observed)
            changes += [change] if change else []
            notes += said
    notes += [
        Note(
            "PLN124",
            "warning",
            "",
            f"{stray.path} {stray.why}",
            "declare it, or leave it: it is never touched",
        )
        for stray in observed.strays
    ]
    return Difference(tuple(sorted(changes, key=_order)), tuple(dict.fromkeys(notes)))


def _order(change: Change) -> tuple[str, int, str]:
    return (change.instance, list(Kind).index(change.kind), change.resource)


def by_instance(target: Target) -> dict[str, list[Resource]]:
    """Resources grouped by instance, in order of the names; "" holds those of the host itself."""
    grouped: dict[str, list[Resource]] = {}
    for resource in target.resources.values():
        grouped.setdefault(resource.instance, []).append(resource)
    return dict(sorted(grouped.items()))


def _diff_instance(
    target: Target,
    instance: str,
    resources: list[Resource],
    observed: Observed,
    record: AppliedRecord | None,
    read_fields: ReadFields,
    foreign: SocketIndex,
) -> tuple[list[Change], list[Note]]:
    changes: list[Change] = []
    notes: list[Note] = _moved(target, instance, record, observed)
    service = None
    for resource in resources:
        if resource.kind is Kind.SERVICE:
            service = resource
            continue
        before = record.resources.get(resource.id) if record is not None else None
        unproven = record.proof.unproven if record is not None else ()
        change, said = _diff_resource(resource, observed, before, read_fields, unproven)
        notes += said
        if change is not None:
            changes.append(change)
    if service is not None:
        declared = target.instances[instance]
        change, said = diff_service(service, declared, observed, record, changes, foreign)
        notes += said
        if change is not None:
            changes.append(change)
    return changes, notes


def _diff_resource(
    resource: Resource,
    observed: Observed,
    before: AppliedResource | None,
    read_fields: ReadFields,
    unproven: tuple[str, ...],
) -> tuple[Change | None, list[Note]]:
    seen = observed.seen.get(resource.id, ABSENT)
    note = in_the_way(resource, seen)
    if note is not None:
        return None, [note]
    if resource.kind is Kind.DIRECTORY:
        return diff_directory(resource, seen, before), []
    if resource.kind is Kind.SETTINGS:
        if resource.id in observed.same_as_applied:
            return None, []
        fields = read_fields(resource.instance)
        found = observed.settings.get(resource.id)
        return diff_settings(resource, seen, found, before, fields, unproven)
    return diff_file(resource, seen, before, owners_matter=observed.owners_matter), []


def _pruned(target: Target, record: AppliedRecord, observed: Observed) -> list[Change]:
    gone = (
        diff_pruned(resource_id, before, record.instance, observed.seen.get(resource_id, ABSENT))
        for resource_id, before in sorted(record.resources.items())
        if resource_id not in target.resources
    )
    return [change for change in gone if change is not None]


def _moved(
    target: Target, instance: str, record: AppliedRecord | None, observed: Observed
) -> list[Note]:
    """An instance whose directory was renamed: its data would stay behind in the old one."""
    if record is None or record.declared is None or instance not in target.instances:
        return []
    declared = target.instances[instance]
    old = record.declared.directory
    seen = observed.seen.get(settings_id(declared.directory), ABSENT)
    if old == declared.directory or seen != ABSENT:
        return []
    return [
        Note(
            "PLN115",
            "error",
            instance,
            f"the directory moved from {old} to {declared.directory}, where no pbx.xml is",
            f"stop {instance}, move the directory with its data, then apply again",
        )
    ]


def settings_id(directory: HostPath) -> str:
    """Resource id of the pbx.xml in an instance's directory."""
    return f"{Kind.SETTINGS}:{directory}/pbx.xml"
