"""One host: its own files, its part of the ledger, and what its instances must know of their peers.

Nothing here looks at another host, so what comes out can be kept until one of these changes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    FleetFile,
    HostFile,
    InstanceFile,
    Layer,
    Policy,
    ReleaseFile,
    Role,
)
from pbxfleet.model.guards import Guards
from pbxfleet.model.ignoring import Ignored
from pbxfleet.model.maintenance import Maintenance
from pbxfleet.model.net import Address
from pbxfleet.model.plans import IgnoredHere
from pbxfleet.model.policy import ACKNOWLEDGED, Acknowledgement, Rules
from pbxfleet.model.reserved import Tombstones
from pbxfleet.model.resolved import Ledger, ReleaseRules, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.allocate import Grant, allocate
from pbxfleet.resolve.allocate_ports import listen_in_block, with_media
from pbxfleet.resolve.checks.addresses import unfit_address
from pbxfleet.resolve.checks.cpus import unfit_core
from pbxfleet.resolve.context import FleetContext
from pbxfleet.resolve.desk import Asking
from pbxfleet.resolve.elements import Elements
from pbxfleet.resolve.failover import check_failover, check_hosts, failover_of
from pbxfleet.resolve.identity import Taken, taken_over
from pbxfleet.resolve.instance import build_instance
from pbxfleet.resolve.layers import join
from pbxfleet.resolve.listeners import Draft
from pbxfleet.resolve.paths import needs_number
from pbxfleet.resolve.problems import Problems, Shared
from pbxfleet.resolve.references import release_called
from pbxfleet.resolve.roles import roles_of_host, roles_of_layer


class Unmapped(NamedTuple):
    """A role that is declared although no element is mapped to it; `instance` is "" for the host."""

    instance: str
    role: Role
    place: Span


class HostFindings(NamedTuple):
    """What the rest of the fleet must know of a host's resolution: small, can be pickled and kept.

    `releases` are those that its instances use, `taken` what they take over from reference files.
    """

    host: str
    single: tuple[Diagnostic, ...]
    shared: tuple[Shared, ...]
    unmapped: tuple[Unmapped, ...]
    releases: tuple[str, ...]
    taken: tuple[Taken, ...]
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class HostDraft:
    """A host whose instances are resolved but for their failover halves; by name, in order.

    `built` lacks instances that could not be made; some in it have problems of their own.
    """

    host: HostFile
    askings: Sequence[Asking]
    grants: Mapping[str, Grant]
    drafts: Mapping[str, Draft]
    built: Mapping[str, ResolvedInstance]
    unmapped: tuple[Unmapped, ...]
    ledger: Ledger
    problems: Problems
    releases: ReleaseRules
    fleet: FleetFile


def draft_host(
    context: FleetContext, host: HostFile, files: Sequence[InstanceFile], ledger: Ledger
) -> HostDraft:
    """Resolve the instances of one host (all of them, in order of names) up to their peers.

    `ledger` is the host's part of it (`ledger_parts.parts_of`).
    """
    problems = Problems()
    askings = askings_of(host, files, join(host.defaults, context.fleet.defaults))
    keep = context.fleet.policy.tombstones is Tombstones.KEEP
    grants, kept = allocate(host, askings, ledger, context.instances, problems, keep=keep)
    for asking in askings:
        check_failover(host, context.instances, asking.file, asking.layer.failover, problems)
    problems.single += check_hosts(host, askings)
    drafts = _drafts(context, askings, grants, problems)
    built: dict[str, ResolvedInstance] = {}
    for name, draft in drafts.items():
        instance = build_instance(draft, host)
        if instance is not None:
            built[name] = instance
    unmapped, rules = _unmapped(context, host, files), _release_rules(context)
    return HostDraft(
        host, askings, grants, drafts, built, unmapped, kept, problems, rules, context.fleet
    )


def askings_of(host: HostFile, files: Sequence[InstanceFile], defaults: Layer) -> list[Asking]:
    """What these instances ask of the host; `defaults` are the layers under them there."""
    return [
        Asking(file, host, with_media(join(file.layer, defaults)), needs_number(host, file))
        for file in files
    ]


def _release_rules(context: FleetContext) -> ReleaseRules:
    fleet = context.fleet
    declared = tuple(fleet.releases[name] for name in sorted(fleet.releases))
    store = posixpath.normpath(posixpath.join("desired", fleet.artefacts))
    return ReleaseRules(declared, fleet.policy.downgrades, store)


def link_host(
    draft: HostDraft, peers: Mapping[str, tuple[str, ResolvedInstance]]
) -> tuple[ResolvedHost, HostFindings]:
    """Join the halves of failover pairs, and leave out the instances that have an error.

    `peers` has by instance name the host's name and the built instance: of this host's instances, and
    of those that they name as peers.
    """
    problems = draft.problems
    instances: list[ResolvedInstance] = []
    for name, instance in draft.built.items():
        own = draft.drafts[name]
        failover = failover_of(own.file, own.layer.failover, peers, problems)
        instances.append(instance if failover is None else replace(instance, failover=failover))
    sound = [instance for instance in instances if instance.name not in problems.names_failed]
    host = _resolved(draft, sound)
    for asking in draft.askings:  # of those that stay out, no check looks at what they declare
        if asking.name in problems.names_failed and asking.name in draft.grants:
            for diagnostic in _unfit(host, asking.layer, draft.grants[asking.name]):
                problems.share(diagnostic, asking.name, asking.file.span)
    return host, _findings(draft)


def _unfit(host: ResolvedHost, layer: Layer, grant: Grant) -> Iterator[Diagnostic]:
    """What is wrong with declared addresses and cores; of those from the ledger ALC102 says it."""
    declared = {wish.value for wish in layer.address or ()}
    for address in grant.addresses:
        if address.value in declared:
            yield from unfit_address(host.file, address)
    if grant.cpu is not None and layer.cpu is not None and layer.cpu.value == grant.cpu.value:
        yield from unfit_core(host, grant.cpu.value, grant.cpu.origin)


def _findings(draft: HostDraft) -> HostFindings:
    return HostFindings(
        host=draft.host.name,
        single=tuple(draft.problems.single),
        shared=draft.problems.shared_by(),
        unmapped=draft.unmapped,
        releases=tuple(sorted({d.elements.release.name for d in draft.drafts.values()})),
        taken=taken_over(draft.drafts.values()),
        ledger=draft.ledger,
    )


def _unmapped(
    context: FleetContext, host: HostFile, files: Sequence[InstanceFile]
) -> tuple[Unmapped, ...]:
    known = context.roles.elements
    found = [Unmapped("", role, at) for role, at in roles_of_host(host) if role not in known]
    for file in files:
        for role, at in roles_of_layer(file.layer):
            if role not in known:
                found.append(Unmapped(file.name, role, at))
    return tuple(found)


def _drafts(
    context: FleetContext,
    askings: Sequence[Asking],
    grants: Mapping[str, Grant],
    problems: Problems,
) -> dict[str, Draft]:
    """The instances whose release and reference file are known."""
    drafts: dict[str, Draft] = {}
    for asking in askings:
        release = _release(context, asking, problems)
        if release is None:
            continue
        elements = context.elements(release.name)
        if elements is None:
            problems.share(_no_reference(release), asking.name, asking.file.span)
            continue
        drafts[asking.name] = _draft(context, asking, grants[asking.name], elements, problems)
    return drafts


def _draft(
    context: FleetContext, asking: Asking, grant: Grant, elements: Elements, problems: Problems
) -> Draft:
    first: dict[int, Address] = {}
    for address in grant.addresses:
        first.setdefault(address.value.version, address.value)
    layer = asking.layer
    if grant.ports is not None:
        on = {role for role, element in elements.by_role.items() if element.binds}
        layer = listen_in_block(layer, asking.file.layer, grant.ports, on)
    return Draft(
        file=asking.file,
        layer=layer,
        grant=grant,
        own=frozenset(address.value for address in grant.addresses),
        moves={a: first[a.version] for a in elements.addresses if a.version in first},
        elements=elements,
        roles=context.roles,
        problems=problems,
        references=context.references,
    )


def _release(context: FleetContext, asking: Asking, problems: Problems) -> ReleaseFile | None:
    """The release of the instance; reports REL101 and REL102."""
    wish, releases = asking.layer.release, context.fleet.releases
    if wish is None:
        hint = "say release = ... for it, for its host or in [defaults] of the fleet"
        message = f"{asking.name} has no release"
        diagnostic = Diagnostic("REL101", message, asking.file.span, hint=hint)
        problems.add(diagnostic, asking.name)
        return None
    return release_called(releases, context.broken_releases, wish, asking.file, problems)


def _no_reference(release: ReleaseFile) -> Diagnostic:
    return Diagnostic(
        "REL103",
        f"release {release.name} cannot be used without its reference file",
        release.reference.origin,
        hint=f"put the pbx.xml of an installed instance at desired/{release.reference.value}",
    )


def _resolved(draft: HostDraft, instances: Sequence[ResolvedInstance]) -> ResolvedHost:
    file = draft.host
    return ResolvedHost(
        name=file.name,
        file=file,
        services=file.services.value,
        affinity=file.affinity.value,
        stop_timeout_s=file.stop_timeout_s.value,
        instances=tuple(instances),
        releases=draft.releases,
        rtp_ports_per_call=draft.fleet.policy.rtp_ports_per_call,
        managed_from=draft.fleet.managed_from,
        guards=_guards(file, draft.fleet.policy),
        rules=_rules(file.name, draft.fleet),
        sinks=file.sinks.over(draft.fleet.sinks),
        schedule=file.schedule.over(draft.fleet.schedule),
        ignored=draft.fleet.judging.ignored,
        maintenance=_maintenance(draft),
    )


def _maintenance(draft: HostDraft) -> Maintenance:
    """The host's windows, and those of instances that say their own."""
    host = draft.host.maintenance
    files = (asking.file for asking in draft.askings)
    own = {file.name: w for file in files if (w := file.maintenance) is not None}
    return host._replace(
        instances={name: own[name] for name in sorted(own) if own[name] != host.host},
        on_deadline=draft.fleet.policy.on_deadline.value,
    )


def _guards(host: HostFile, policy: Policy) -> Guards:
    """What the host's file says, else what the fleet's policy says."""
    own = host.guards
    removed, archives = own.removed_directory, own.removed_archives
    return Guards(
        (policy.removed_directory if removed is None else removed.value).value,
        policy.removed_archives if archives is None else archives.value,
        any(name.value == host.name for name in policy.empty_hosts),
        "" if own.node_name is None else own.node_name.value,
        "" if own.machine_id is None else own.machine_id.value,
        policy.generations,
    )


def _rules(host: str, fleet: FleetFile) -> Rules:
    """The fleet's policy for changes of this host, with the acknowledgements that are about it."""
    judging, policy = fleet.judging, fleet.policy
    wishes = judging.severities
    return Rules(
        policy.restart_budget,
        policy.removals.value,
        tuple(c for c in ACKNOWLEDGED if c in wishes and wishes[c].value is not Severity.ERROR),
        tuple(
            sorted(
                Acknowledgement(one.code.value, one.what.value, one.reason, one.expires.value)
                for one in judging.acknowledgements
                if one.what.value.partition("/")[0] == host
            )
        ),
        tuple(sorted(_ignored(one) for one in judging.ignored if one.concerns(host))),
    )


def _ignored(one: IgnoredHere) -> Ignored:
    instance = "" if one.where is None else one.where.value.partition("/")[2]
    return Ignored(one.what, one.pattern.value, one.kind, instance, one.reason, one.expires.value)
