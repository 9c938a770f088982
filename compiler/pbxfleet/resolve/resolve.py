"""Resolve: desired state, reference files and ledger become one state with nothing open.

Hosts are resolved one by one (`draft_host`, `link_host`); `conclude` joins what was found on them. A
caller that has kept a host's findings can leave the work on it out: the result is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Outcome, outcome
from pbxfleet.model.desired import NO_GAPS, Desired, InstanceFile
from pbxfleet.model.ledger_parts import NOTHING, joined, of_instances, of_lost_hosts, parts_of
from pbxfleet.model.resolved import Ledger, Reference, Resolved, ResolvedInstance
from pbxfleet.resolve.checks import check
from pbxfleet.resolve.context import FleetContext, fleet_context
from pbxfleet.resolve.gaps import certain, handed_out_now
from pbxfleet.resolve.host import HostDraft, HostFindings, draft_host, link_host
from pbxfleet.resolve.identity import check_identity
from pbxfleet.resolve.lost_hosts import lost_hosts
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.references import declared, unordered, unplaced
from pbxfleet.resolve.roles import check_mapped, check_reference, roles_of_layer


class Resolution(NamedTuple):
    """What came out: the resolved fleet (or why not), and the ledger that remembers allocations.

    `sound` holds the instances without an error of their own; `checks.check` can look at it even if
    the outcome has no value, so that all problems are told at once.
    """

    outcome: Outcome[Resolved]
    ledger: Ledger
    sound: Resolved


def resolve(desired: Desired, references: Mapping[str, Reference], ledger: Ledger) -> Resolution:
    """Resolve every instance; all problems of all instances are reported at once.

    `references` maps release names to their reference files; every release that an instance uses
    needs one. The ledger keeps what it remembers; new allocations are added, entries of instances
    that no longer exist leave it. It is to be written only if the outcome has a value.
    """
    if desired.gaps.fleet:
        return _names_only(desired, ledger)
    context = fleet_context(desired.fleet, references, declared(desired), desired.gaps.releases)
    drafts: list[HostDraft] = []
    files = files_by_host(desired.instances)
    hosts = {name: file.host.value for name, file in desired.instances.items()}
    parts = parts_of(ledger, hosts)
    for name in sorted(desired.hosts):
        part = parts.get(name, NOTHING)
        drafts.append(draft_host(context, desired.hosts[name], files.get(name, ()), part))
    peers = built_instances(drafts)
    linked = [link_host(draft, peers) for draft in drafts]
    findings = [found for _, found in linked]
    found = [*conclude(context, findings), *unplaced(desired)]
    found += lost_hosts(ledger, {*desired.hosts, *desired.gaps.hosts})
    sound = Resolved(
        fleet_name=desired.fleet.name.value,
        hosts=tuple(host for host, _ in linked),
        deletion_budget=desired.fleet.policy.deletion_budget,
    )
    # What the ledger remembers on hosts that are not declared is not decided here.
    homeless = [name for name, host in hosts.items() if host not in desired.hosts]
    elsewhere = [of_instances(ledger, homeless), of_lost_hosts(ledger, desired.hosts, hosts)]
    kept = joined([*elsewhere, *(found.ledger for found in findings)])
    return Resolution(outcome(sound, found), kept, sound)


def resolve_and_check(
    desired: Desired, references: Mapping[str, Reference], ledger: Ledger
) -> Resolution:
    """`resolve`, then every check of the whole fleet, with the diagnostics of both together.

    Of a desired state with gaps, only what stays true whatever the files that are not understood say.
    """
    resolution = resolve(desired, references, ledger)
    found = [*resolution.outcome.diagnostics, *check(resolution.sound)]
    if desired.gaps != NO_GAPS:
        found = list(certain(found, desired, handed_out_now(ledger, resolution.ledger)))
    return resolution._replace(outcome=outcome(resolution.sound, found))


def files_by_host(instances: Mapping[str, InstanceFile]) -> dict[str, list[InstanceFile]]:
    """The instances' files by the host that they name, in order of their names."""
    by_host: dict[str, list[InstanceFile]] = {}
    for name in sorted(instances):
        by_host.setdefault(instances[name].host.value, []).append(instances[name])
    return by_host


def built_instances(drafts: Iterable[HostDraft]) -> dict[str, tuple[str, ResolvedInstance]]:
    """Every instance that could be made, with the name of its host: what peers are looked up in."""
    return {
        name: (draft.host.name, instance)
        for draft in drafts
        for name, instance in draft.built.items()
    }


def conclude(context: FleetContext, findings: Sequence[HostFindings]) -> tuple[Diagnostic, ...]:
    """What was found on all hosts (in order of their names), and what only all together show."""
    problems = Problems()
    problems.single += context.found
    for found in findings:
        problems.take(found.single, found.shared)
    unmapped = [
        (role, place)
        for role, place in roles_of_layer(context.fleet.defaults)
        if role not in context.roles.elements
    ]
    places = sorted((u for found in findings for u in found.unmapped), key=lambda u: u.instance)
    unmapped += [(role, place) for _, role, place in places]
    check_mapped(context.fleet, context.references, unmapped, problems)
    wanted = {role for role, _ in unmapped}
    for release in sorted({name for found in findings for name in found.releases}):
        problems.single += unordered(context.fleet.releases[release])
        reference = context.references[release]
        place = context.fleet.releases[release].reference.origin
        check_reference(context.fleet, context.roles, wanted, reference, place, problems)
        problems.single += context.elements_found(release)
    check_identity((taken for found in findings for taken in found.taken), problems)
    return problems.diagnostics()


def _names_only(desired: Desired, ledger: Ledger) -> Resolution:
    """What can be told without defaults, releases and catalogue: which names lead nowhere."""
    sound = Resolved(desired.fleet.name.value, (), desired.fleet.policy.deletion_budget)
    return Resolution(outcome(sound, unplaced(desired)), ledger, sound)
