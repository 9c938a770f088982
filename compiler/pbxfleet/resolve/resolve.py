"""Resolve: desired state, reference files and ledger become one state with nothing open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Outcome, outcome
from pbxfleet.model.desired import Desired, HostFile, ReleaseFile
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import (
    Ledger,
    Reference,
    Resolved,
    ResolvedHost,
    ResolvedInstance,
)
from pbxfleet.resolve.allocate import Grant, allocate
from pbxfleet.resolve.checks import check
from pbxfleet.resolve.desk import Asking
from pbxfleet.resolve.elements import Elements, read_elements
from pbxfleet.resolve.failover import check_failover, failover_of
from pbxfleet.resolve.identity import check_identity
from pbxfleet.resolve.instance import build_instance
from pbxfleet.resolve.layers import join
from pbxfleet.resolve.listeners import Draft
from pbxfleet.resolve.paths import needs_number
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.roles import RoleMap, check_mapped, check_reference, role_map


class Resolution(NamedTuple):
    """What came out: the resolved fleet (or why not), and the ledger that remembers allocations.

    `sound` holds the instances without an error of their own; `checks.check` can look at it even if
    the outcome has no value, so that all problems are told at once.
    """

    outcome: Outcome[Resolved]
    ledger: Ledger
    sound: Resolved


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the instances have in common while they are resolved."""

    desired: Desired
    references: Mapping[str, Reference]
    roles: RoleMap
    problems: Problems


def resolve(desired: Desired, references: Mapping[str, Reference], ledger: Ledger) -> Resolution:
    """Resolve every instance; all problems of all instances are reported at once.

    `references` maps release names to their reference files; every release that an instance uses
    needs one. The ledger keeps what it remembers; new allocations are added, entries of instances
    that no longer exist leave it. It is to be written only if the outcome has a value.
    """
    problems = Problems()
    roles = role_map(desired, problems)
    check_mapped(desired, references, roles, problems)
    inputs = Inputs(desired, references, roles, problems)
    askings = _askings(inputs)
    grants, new_ledger = allocate(list(askings.values()), ledger, problems)
    drafts = _drafts(inputs, askings, grants)
    built: dict[str, tuple[str, ResolvedInstance]] = {}
    for name, draft in drafts.items():
        host = askings[name].host
        check_failover(desired, draft.file, draft.layer.failover, problems)
        instance = build_instance(draft, host)
        if instance is not None:
            built[name] = (host.name, instance)
    for name, (host_name, instance) in tuple(built.items()):
        draft = drafts[name]
        failover = failover_of(draft.file, draft.layer.failover, built, problems)
        if failover is not None:
            built[name] = (host_name, replace(instance, failover=failover))
    check_identity(drafts.values(), problems)
    sound = _resolved(desired, built, problems)
    kept = _with_unplaced(new_ledger, ledger, desired)
    return Resolution(outcome(sound, problems.diagnostics()), kept, sound)


def resolve_and_check(
    desired: Desired, references: Mapping[str, Reference], ledger: Ledger
) -> Resolution:
    """`resolve`, then every check of the whole fleet, with the diagnostics of both together."""
    resolution = resolve(desired, references, ledger)
    found = [*resolution.outcome.diagnostics, *check(resolution.sound)]
    return resolution._replace(outcome=outcome(resolution.sound, found))


def _askings(inputs: Inputs) -> dict[str, Asking]:
    """What each instance asks of its host, by name in sorted order; reports REF101."""
    desired = inputs.desired
    layers = {
        name: join(host.defaults, desired.fleet.defaults) for name, host in desired.hosts.items()
    }
    askings: dict[str, Asking] = {}
    for name in sorted(desired.instances):
        file = desired.instances[name]
        host = desired.hosts.get(file.host.value)
        if host is None:
            hint = inputs.problems.hint("host", file.host.value, desired.hosts)
            message = f'no host is called "{file.host.value}"'
            inputs.problems.add(Diagnostic("REF101", message, file.host.origin, hint=hint), name)
            continue
        layer = join(file.layer, layers[host.name])
        askings[name] = Asking(file, host, layer, needs_number(host, file))
    return askings


def _drafts(
    inputs: Inputs, askings: Mapping[str, Asking], grants: Mapping[str, Grant]
) -> dict[str, Draft]:
    """The instances whose release and reference file are known."""
    known: dict[str, Elements | None] = {}
    drafts: dict[str, Draft] = {}
    for name, asking in askings.items():
        release = _release(inputs, asking)
        if release is None:
            continue
        if release.name not in known:
            known[release.name] = _elements(inputs, release)
        elements = known[release.name]
        if elements is None:
            inputs.problems.share(_no_reference(release), name, asking.file.span)
            continue
        drafts[name] = _draft(inputs, asking, grants[name], elements)
    return drafts


def _draft(inputs: Inputs, asking: Asking, grant: Grant, elements: Elements) -> Draft:
    first: dict[int, Address] = {}
    for address in grant.addresses:
        first.setdefault(address.value.version, address.value)
    return Draft(
        file=asking.file,
        layer=asking.layer,
        grant=grant,
        own=frozenset(address.value for address in grant.addresses),
        moves={a: first[a.version] for a in elements.addresses if a.version in first},
        elements=elements,
        roles=inputs.roles,
        problems=inputs.problems,
    )


def _release(inputs: Inputs, asking: Asking) -> ReleaseFile | None:
    """The release of the instance; reports REL101 and REL102."""
    wish, releases = asking.layer.release, inputs.desired.fleet.releases
    if wish is None:
        hint = "say release = ... for it, for its host or in [defaults] of the fleet"
        message = f"{asking.name} has no release"
        diagnostic = Diagnostic("REL101", message, asking.file.span, hint=hint)
        inputs.problems.add(diagnostic, asking.name)
        return None
    release = releases.get(wish.value)
    if release is None:
        hint = inputs.problems.hint("release", wish.value, releases)
        message = f'no release is called "{wish.value}"'
        diagnostic = Diagnostic("REL102", message, wish.origin, hint=hint)
        inputs.problems.share(diagnostic, asking.name, asking.file.span)
    return release


def _elements(inputs: Inputs, release: ReleaseFile) -> Elements | None:
    """The reference file of a release, None without it; reports REF104, REF105 and ADV101 once."""
    reference = inputs.references.get(release.name)
    if reference is None:
        return None
    place = release.reference.origin
    check_reference(inputs.desired, inputs.roles, reference, place, inputs.problems)
    return read_elements(release, reference, inputs.roles, inputs.problems)


def _no_reference(release: ReleaseFile) -> Diagnostic:
    return Diagnostic(
        "REL103",
        f"release {release.name} cannot be used without its reference file",
        release.reference.origin,
        hint=f"put the pbx.xml of an installed instance at desired/{release.reference.value}",
    )


def _resolved(
    desired: Desired, built: Mapping[str, tuple[str, ResolvedInstance]], problems: Problems
) -> Resolved:
    by_host: dict[str, list[ResolvedInstance]] = {name: [] for name in desired.hosts}
    for name, (host_name, instance) in built.items():
        if name not in problems.names_failed:
            by_host[host_name].append(instance)
    return Resolved(
        fleet_name=desired.fleet.name.value,
        hosts=tuple(_host(desired.hosts[name], by_host[name]) for name in sorted(by_host)),
        deletion_budget=desired.fleet.policy.deletion_budget,
    )


def _host(file: HostFile, instances: list[ResolvedInstance]) -> ResolvedHost:
    return ResolvedHost(
        name=file.name,
        file=file,
        services=file.services.value,
        affinity=file.affinity.value,
        stop_timeout_s=file.stop_timeout_s.value,
        instances=tuple(instances),
    )


def _with_unplaced(new: Ledger, before: Ledger, desired: Desired) -> Ledger:
    """Instances whose host is not known keep what the ledger remembers of them."""
    unplaced = {
        name: before.allocations[name]
        for name, file in desired.instances.items()
        if file.host.value not in desired.hosts and name in before.allocations
    }
    if not unplaced:
        return new
    allocations = {**new.allocations, **unplaced}
    spans = {**new.spans, **{n: before.spans[n] for n in unplaced if n in before.spans}}
    return Ledger({name: allocations[name] for name in sorted(allocations)}, spans)
