"""What really comes out if instances move to a host: the resolver and the host's checks are asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.desired import InstanceFile
from pbxfleet.model.ledger_parts import of_instances
from pbxfleet.model.rehearsal import Seat
from pbxfleet.model.resolved import Ledger, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.allocate import allocate
from pbxfleet.resolve.checks import check_host
from pbxfleet.resolve.context import FleetContext
from pbxfleet.resolve.host import askings_of, draft_host, link_host
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.recovery import Moved, Terms, address_map, readdressed


class Guest(NamedTuple):
    """An instance that moves: as it is where it was, and its file for the host it goes to."""

    now: ResolvedInstance
    moved: Moved


class Trial(NamedTuple):
    """What the host says of its guests: how they start, what the ledger would remember, what is wrong.

    `faults` are errors only; without any, every guest is in `built`.
    """

    built: Mapping[str, ResolvedInstance]
    moved: Mapping[str, Moved]
    ledger: Ledger
    faults: tuple[Diagnostic, ...]


def trial(
    context: FleetContext,
    terms: Terms,
    home: tuple[ResolvedHost, Sequence[InstanceFile], Ledger],
    guests: Sequence[Guest],
) -> Trial:
    """Let the guests (in order of names) start on a host beside the instances that it has.

    `home` is the host as resolved, the files of its instances and its part of the ledger.
    """
    host, files, ledger = home
    names = [guest.now.name for guest in guests]
    both = sorted([*files, *(g.moved.file for g in guests)], key=lambda file: file.name)
    problems = Problems()
    askings = askings_of(terms.pool, both, terms.defaults)
    declared = {*ledger.allocations, *(asking.name for asking in askings)}
    grants, kept = allocate(terms.pool, askings, ledger, declared, problems, keep=True)
    kept = of_instances(kept, names)
    moved: dict[str, Moved] = {}
    for now, found in guests:
        new = [address.value for address in grants[now.name].addresses]
        moved[now.name] = readdressed(found, address_map([a.value for a in now.addresses], new))
    faults = _errors(problems.diagnostics())
    draft = draft_host(context, terms.host, [one.file for one in moved.values()], kept)
    linked, _ = link_host(draft, {})
    faults += _errors(draft.problems.diagnostics())
    near = [*neighbours(host, files, linked.instances, moved), *linked.instances]
    near.sort(key=lambda instance: instance.name)
    told = check_host(replace(host, instances=tuple(near)))
    faults += _errors(told)
    faults += _raised(told, context, {one.file.span.file for one in moved.values()})
    return Trial({i.name: i for i in linked.instances}, moved, kept, faults)


def neighbours(
    host: ResolvedHost,
    files: Sequence[InstanceFile],
    guests: Sequence[ResolvedInstance],
    moved: Mapping[str, Moved],
) -> Sequence[ResolvedInstance]:
    """The instances of a host that a guest could be in the way of.

    A guest with addresses of its own and nothing special meets those that bind every address or have
    a directory of their own, and one more: what all instances of a host have in common shows with it.
    """
    if any(_is_special(moved[guest.name].file, guest) for guest in guests):
        return host.instances
    addresses = {address.value for guest in guests for address in guest.addresses}
    return [
        instance
        for number, (instance, file) in enumerate(zip(host.instances, files, strict=True))
        if number == 0
        or _is_special(file, instance)
        or any(address.value in addresses for address in instance.addresses)
    ]


def _is_special(file: InstanceFile, instance: ResolvedInstance) -> bool:
    """Whether it claims something that does not follow from its name and addresses."""
    own = {address.value for address in instance.addresses}
    elsewhere = any(listener.bind.address not in own for listener in instance.listeners)
    paths = any(
        isinstance(wish.value.value, str) and "/" in wish.value.value
        for wish in file.layer.settings.values()
    )
    return file.directory is not None or file.number is not None or elsewhere or paths


def _raised(
    found: Sequence[Diagnostic], context: FleetContext, files: Collection[str]
) -> tuple[Diagnostic, ...]:
    """What is no error by itself, but one for this fleet, and concerns one of these files."""
    severities = context.fleet.judging.severities
    raised = {code for code, wish in severities.items() if wish.value is Severity.ERROR}
    return tuple(
        d
        for d in found
        if d.code in raised
        and d.severity is not Severity.ERROR
        and any(s is not None and s.file in files for s in (d.span, *(s for s, _ in d.related)))
    )


def _errors(found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(d for d in found if d.severity is Severity.ERROR)


def seat_of(instance: ResolvedInstance) -> Seat:
    """What an instance has on its host."""
    ports: dict[str, list[str]] = {}
    for listener in instance.listeners:
        here = ports.setdefault(str(listener.role), [])
        if str(listener.bind.port) not in here:
            here.append(str(listener.bind.port))
    return Seat(
        addresses=tuple(str(address.value) for address in instance.addresses),
        cpu=None if instance.cpu is None else instance.cpu.value,
        rtp=None if instance.rtp is None else str(instance.rtp.value),
        release=instance.release.name,
        ports=tuple((role, " ".join(sorted(ports[role], key=int))) for role in sorted(ports)),
    )


def changes(before: ResolvedInstance, after: ResolvedInstance) -> tuple[str, ...]:
    """What is not as before besides addresses, core and media: ports, release, settings."""
    old, new = seat_of(before), seat_of(after)
    was, now = dict(old.ports), dict(new.ports)
    found = [
        f"{role} {was.get(role, 'off')} -> {now.get(role, 'off')}"
        for role in sorted({*was, *now})
        if was.get(role) != now.get(role)
    ]
    if old.release != new.release:
        found.append(f"release {old.release} -> {new.release}")
    if (old.cpu is None) != (new.cpu is None):
        found.append("pinned to a core" if old.cpu is None else "no longer pinned to a core")
    said = {s.name: s.value for s in before.settings if s.label.startswith("settings.")}
    says = {s.name: s.value for s in after.settings if s.label.startswith("settings.")}
    names = sorted(n for n in {*said, *says} if said.get(n) != says.get(n))
    return (*found, *(f"setting {name}" for name in names))
