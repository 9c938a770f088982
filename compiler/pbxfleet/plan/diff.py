"""Target, observed and applied state to changes: the whole three-way comparison of a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import NOTHING_PROVEN, AppliedRecord, AppliedResource, Proof
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.ignoring import NOTHING_IGNORED, Ignoring
from pbxfleet.model.observed import ABSENT, Observed, Seen
from pbxfleet.model.plan import Change, Note, Verb
from pbxfleet.model.target import Field, Impact, InstanceTarget, Kind, Resource, Target
from pbxfleet.plan.activation import WRITTEN_ONLY, activation_notes
from pbxfleet.plan.debt import debts_of, refused_debts
from pbxfleet.plan.files import diff_directory, diff_file, diff_pruned, in_the_way
from pbxfleet.plan.ignored import accepted, settings_that_count, strays_that_count, without_ignored
from pbxfleet.plan.leaving import Directories
from pbxfleet.plan.releases import Switch, release_notes, release_switch, with_release
from pbxfleet.plan.runtime import socket_index, strangers
from pbxfleet.plan.services import NOTHING_RUNS, diff_removed, diff_service
from pbxfleet.plan.settings import diff_settings

ReadFields = Callable[[str], tuple[Field, ...]]


class Difference(NamedTuple):
    """Everything that is not as declared: changes by instance in order, notes, and other releases.

    `debts` are the restarts that running instances are owed.
    """

    changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    switches: tuple[Switch, ...] = ()
    debts: tuple[RestartDebt, ...] = ()


def diff(
    target: Target,
    observed: Observed,
    records: Mapping[str, AppliedRecord],
    read_fields: ReadFields,
    ignoring: Ignoring = NOTHING_IGNORED,
) -> Difference:
    """Changes that turn the observed host into the target, in order of instance and resource.

    Only what the target names, and what apply once wrote, is compared: nothing else is ours. What the
    fleet has `ignoring` rules for is no change, but a note.
    """
    if target.own_networks:  # addresses and sockets of the machine say nothing about containers
        observed = observed._replace(facts=None, foreign=())
    comparison = _Comparison(target, observed, records, read_fields, ignoring)
    for instance, resources in by_instance(target).items():
        comparison.instance(instance, resources)
    comparison.gone()
    found = strangers(target.instances.values(), observed.foreign, comparison.notes)
    comparison.notes += accepted(found, ignoring)
    strays, left = strays_that_count(observed.strays, ignoring)
    comparison.notes += left
    notes = comparison.notes + [
        Note(
            "PLN124",
            "warning",
            "",
            f"{stray.path} {stray.why}",
            "declare it, or leave it: it is never touched",
            f"path:{stray.path}",
            stray.why,
            found=stray.path,
        )
        for stray in strays
    ]
    changes = tuple(sorted(comparison.changes, key=in_change_order))
    said = tuple(dict.fromkeys((*notes, *activation_notes(changes))))
    return Difference(changes, said, tuple(comparison.switches), tuple(comparison.debts))


def of_host(difference: Difference) -> Difference:
    """What differs of the host's own files, without its instances."""
    changes = tuple(change for change in difference.changes if not change.instance)
    notes = (n for n in difference.notes if not n.instance and n.code != WRITTEN_ONLY)
    said = (*notes, *activation_notes(changes))
    return Difference(changes, said, (), difference.debts)


KINDS = tuple(Kind)


def in_change_order(change: Change) -> tuple[str, int, str]:
    """Where a change stands among those of a host."""
    return (change.instance, KINDS.index(change.kind), change.resource)


def by_instance(target: Target) -> dict[str, list[Resource]]:
    """Resources grouped by instance, in order of the names; "" holds those of the host itself."""
    grouped: dict[str, list[Resource]] = {}
    for resource in target.resources.values():
        grouped.setdefault(resource.instance, []).append(resource)
    return dict(sorted(grouped.items()))


def _no_longer_live(change: Change) -> Change:
    return change._replace(impact=Impact.RESTART) if change.impact is Impact.LIVE else change


class _Comparison:
    """Collects changes and notes of one host."""

    def __init__(
        self,
        target: Target,
        observed: Observed,
        records: Mapping[str, AppliedRecord],
        read_fields: ReadFields,
        ignoring: Ignoring,
    ) -> None:
        self.ignoring = ignoring
        self.target = target
        self.observed = observed
        self.records = records
        self.read_fields = read_fields
        self.foreign = socket_index(observed.foreign)
        self.changes: list[Change] = []
        self.notes: list[Note] = []
        self.switches: list[Switch] = []
        self.debts: list[RestartDebt] = []
        self.directories = Directories(target)

    def instance(self, name: str, resources: list[Resource]) -> None:
        """One declared instance, or (name "") the host's own files."""
        record = self.records.get(name)
        self.notes += self._moved(name, record)
        changes: list[Change] = []
        service = None
        for resource in resources:
            if resource.kind is Kind.SERVICE:
                service = resource
            else:
                change = self._resource(resource, record)
                changes += [change] if change is not None else []
        changes = self._released(name, record, changes)
        runtime = self.observed.runtime.get(name, NOTHING_RUNS)
        # Below a root folder nobody can tell whether the instance runs, so the dearer class stands.
        if self.observed.runs_services and not runtime.trees and not runtime.unreadable:
            changes = [c._replace(impact=Impact.NONE) for c in changes]  # nobody is interrupted
        if service is not None:
            declared = self.target.instances[name]
            debts = self._owed(declared, resources, record, changes)
            change, said = diff_service(
                service, declared, self.observed, record, changes, self.foreign, debts
            )
            self.notes += said
            if change is not None and change.action in (Verb.START, Verb.RESTART):
                # Who is restarted anyway finds the settings in its file: that lasts.
                changes = [_no_longer_live(c) for c in changes]
            self.changes += [change] if change is not None else []
        self.changes += changes

    def _owed(
        self,
        declared: InstanceTarget,
        resources: list[Resource],
        record: AppliedRecord | None,
        changes: list[Change],
    ) -> tuple[RestartDebt, ...]:
        """What files have changed under the running process; settings that it refused have a change."""
        debts = debts_of(declared, resources, self.observed, record)
        self.notes += debts.notes
        self.debts += debts.owed
        for change in changes:
            if change.kind is Kind.SETTINGS:
                self.debts += refused_debts(change, self.observed, record).owed
        return debts.owed

    def _released(
        self, name: str, record: AppliedRecord | None, changes: list[Change]
    ) -> list[Change]:
        """The changes in words of releases, where release files are among them."""
        declared = self.target.instances.get(name)
        if declared is None or not any(c.kind is Kind.ARTEFACT for c in changes):
            return changes
        switch = release_switch(self.target, declared, self.observed, record)
        self.switches += [switch] if switch is not None else []
        self.notes += release_notes(self.target, switch)
        return [with_release(change, switch) for change in changes]

    def _resource(self, resource: Resource, record: AppliedRecord | None) -> Change | None:
        seen = self.observed.seen.get(resource.id, ABSENT)
        before = record.resources.get(resource.id) if record is not None else None
        note = in_the_way(resource, seen)
        if note is not None:
            self.notes.append(note)
            return None
        if resource.kind is Kind.DIRECTORY:
            return diff_directory(resource, seen, before)
        if resource.kind is not Kind.SETTINGS:
            changed = diff_file(resource, seen, before, owners_matter=self.observed.owners_matter)
            is_first = before is None and seen == ABSENT
            if changed is not None and resource.kind is Kind.FILE and not is_first:
                changed, said = without_ignored(changed, self.ignoring)
                self.notes += said
            return changed
        if resource.id in self.observed.same_as_applied:
            return None
        return self._settings(resource, seen, before, record)

    def _settings(
        self,
        resource: Resource,
        seen: Seen,
        before: AppliedResource | None,
        record: AppliedRecord | None,
    ) -> Change | None:
        found = self.observed.settings.get(resource.id)
        fields: Sequence[Field] = self.read_fields(resource.instance)
        if seen != ABSENT and self.ignoring.rules:
            fields, left = settings_that_count(resource, fields, found, self.ignoring)
            self.notes += left
        proof = self._proof(resource.instance, record)
        change, said = diff_settings(resource, seen, found, before, fields, proof)
        self.notes += said
        return change

    def _proof(self, name: str, record: AppliedRecord | None) -> Proof:
        """What the last start did not settle; another release may take what this one did not."""
        declared = self.target.instances.get(name)
        if record is None or record.declared is None or declared is None:
            return NOTHING_PROVEN
        is_same = record.declared.release == declared.release
        return record.proof if is_same else record.proof._replace(unproven=())

    def gone(self) -> None:
        """What was applied and is no longer declared: files, and instances."""
        kept: set[HostPath] | None = None
        for name, record in sorted(self.records.items()):
            for resource_id, before in sorted(record.resources.items()):
                if before.kind != Kind.FILE or resource_id in self.target.resources:
                    continue
                kept = kept or {r.path for r in self.target.resources.values()}
                if before.path not in kept:
                    seen = self.observed.seen.get(resource_id, ABSENT)
                    change = diff_pruned(resource_id, before, name, seen)
                    self.changes += [change] if change is not None else []
            if name and name not in self.target.instances:
                change, said = diff_removed(record, self.observed)
                self.changes += [change] if change is not None else []
                self.notes += said
                self._leaving(name, record)

    def _leaving(self, name: str, record: AppliedRecord) -> None:
        leaving = self.observed.leaving.get(name)
        if leaving is None or record.declared is None:
            return
        change, said = self.directories.change(name, record.declared.directory, leaving)
        self.changes += [change] if change is not None else []
        self.notes += said

    def _moved(self, name: str, record: AppliedRecord | None) -> list[Note]:
        """An instance whose directory was renamed: its data would stay behind in the old one."""
        declared = self.target.instances.get(name)
        if declared is None or record is None or record.declared is None or not record.resources:
            return []  # unknown, or once removed: then its old directory is a stray
        old = record.declared.directory
        resource_id = f"{Kind.SETTINGS}:{declared.directory}/pbx.xml"
        if old == declared.directory or self.observed.seen.get(resource_id, ABSENT) != ABSENT:
            return []
        return [
            Note(
                "PLN115",
                "error",
                name,
                f"the directory moved from {old} to {declared.directory}, where no pbx.xml is",
                f"stop {name}, move the directory with its data, then apply again",
                resource_id,
            )
        ]
