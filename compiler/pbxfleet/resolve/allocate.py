"""Allocation: `auto` becomes a value once; the ledger remembers it, and nothing moves it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pbxfleet.core.span import Span
from pbxfleet.model.desired import Auto, HostFile, Sourced
from pbxfleet.model.net import Address, PortRange
from pbxfleet.model.resolved import Allocation, Ledger, Remembered, Resource, Thing
from pbxfleet.resolve.allocate_addresses import allocate_addresses, wishes_of
from pbxfleet.resolve.allocate_numbers import allocate_cores, allocate_instance_numbers
from pbxfleet.resolve.allocate_ports import allocate_ports
from pbxfleet.resolve.allocate_rtp import allocate_rtp
from pbxfleet.resolve.desk import Asking, Desk
from pbxfleet.resolve.problems import Problems


@dataclass(frozen=True, slots=True)
class Grant:
    """What an instance has, declared or allocated; IPv4 addresses come first."""

    addresses: tuple[Sourced[Address], ...]
    cpu: Sourced[int] | None
    rtp: Sourced[PortRange] | None
    number: int | None
    ports: Sourced[PortRange] | None = None
    remembered: tuple[Remembered, ...] = ()


def allocate(
    host: HostFile,
    askings: Sequence[Asking],
    ledger: Ledger,
    declared: Collection[str],
    problems: Problems,
    *,
    keep: bool,
) -> tuple[Mapping[str, Grant], Ledger]:
    """What each instance of a host has, and the part of the ledger that remembers it.

    What the ledger remembers stays as long as the host has it; new ones are the lowest that are
    free, handed out in order of instance names. Instances that are not among the `declared` ones of
    the fleet are gone; with `keep` what they hold is not handed out, else it is
    forgotten. An instance with a problem (ALC1xx) keeps its entry as it was.
    """
    gone = gone_from(ledger, host.name, declared) if keep else {}
    desk = Desk(host, ledger, problems, gone)
    ordered = sorted(askings, key=lambda asking: asking.name)
    grants, allocations = _allocate_host(desk, ordered)
    held = {thing for entry in allocations.values() for thing in entry.things}
    left = ((name, without(entry, held)) for name, entry in desk.removed.items())
    tombstones = {name: entry for name, entry in left if entry.things}
    names = sorted({*allocations, *tombstones})
    spans = {name: ledger.spans[name] for name in names if name in ledger.spans}
    return grants, Ledger(allocations, spans, tombstones)


def gone_from(ledger: Ledger, host: str, declared: Collection[str]) -> dict[str, Allocation]:
    """What the ledger knows of a host's instances that are not declared (any more), by name."""
    known = {**ledger.tombstones, **ledger.allocations}
    return {
        name: known[name]
        for name in sorted(known)
        if name not in declared and known[name].host == host
    }


def without(entry: Allocation, things: Collection[Thing]) -> Allocation:
    """The entry without these things."""
    left = {thing for thing in entry.things if thing not in things}
    return replace(
        entry,
        addresses=tuple(a for a in entry.addresses if Thing(Resource.ADDRESS, a) in left),
        cpu=entry.cpu if Thing(Resource.CORE, str(entry.cpu)) in left else None,
        rtp=entry.rtp if Thing(Resource.RTP, str(entry.rtp)) in left else None,
        number=entry.number if Thing(Resource.NUMBER, str(entry.number)) in left else None,
        ports=entry.ports if Thing(Resource.PORTS, str(entry.ports)) in left else None,
        declared=frozenset(),
    )


def _allocate_host(
    desk: Desk, askings: Sequence[Asking]
) -> tuple[dict[str, Grant], dict[str, Allocation]]:
    for asking in askings:
        if desk.is_elsewhere(asking) and _asks(asking):
            desk.moved(asking)
        if asking.name in desk.ledger.tombstones:
            desk.revived(asking)
    addresses = allocate_addresses(desk, askings)
    known = {n: [a for a in found if a is not None] for n, found in addresses.items()}
    cores = allocate_cores(desk, askings)
    rtp = allocate_rtp(desk, askings, known)
    ports = allocate_ports(desk, askings, known)
    numbers = allocate_instance_numbers(desk, askings)
    grants: dict[str, Grant] = {}
    allocations: dict[str, Allocation] = {}
    for asking in askings:
        name = asking.name
        ordered = sorted(known[name], key=lambda a: a.value.version)
        grant = Grant(
            tuple(ordered), cores.get(name), rtp.get(name), numbers.get(name), ports.get(name)
        )
        made = _entry(asking, grant)
        grants[name] = replace(grant, remembered=tuple(_remembered(desk, asking, grant, made)))
        entry: Allocation | None = made
        if name in desk.problems.names_failed:
            entry = desk.entry(name)
        if entry is not None and entry.things:
            allocations[name] = entry
    return grants, allocations


def _remembered(
    desk: Desk, asking: Asking, grant: Grant, entry: Allocation
) -> Iterator[Remembered]:
    """Of what stands for `auto`: the lines of the ledger that it comes from."""
    blocks = ((Resource.RTP, grant.rtp), (Resource.PORTS, grant.ports))
    had: list[tuple[Thing, Span]] = [
        (Thing(Resource.ADDRESS, str(address.value)), address.origin) for address in grant.addresses
    ]
    if grant.cpu is not None:
        had.append((Thing(Resource.CORE, str(grant.cpu.value)), grant.cpu.origin))
    had += [(Thing(kind, str(block.value)), block.origin) for kind, block in blocks if block]
    if grant.number is not None:
        had.append((Thing(Resource.NUMBER, str(grant.number)), asking.file.span))
    handed = set(entry.handed_out)
    for thing, wish in had:
        line = desk.ledger.lines.get((asking.name, thing))
        if line is not None and thing in handed and not desk.is_elsewhere(asking):
            yield Remembered(thing, wish, line)


def _asks(asking: Asking) -> bool:
    """Whether anything is to be allocated for the instance."""
    layer = asking.layer
    wishes: list[object] = [wish.value for wish in wishes_of(asking)]
    for sourced in (layer.cpu, layer.rtp, layer.ports):
        wishes += [] if sourced is None else [sourced.value]
    return _asks_number(asking) or any(isinstance(wish, Auto) for wish in wishes)


def _asks_number(asking: Asking) -> bool:
    return asking.needs_number and asking.file.number is None


def _entry(asking: Asking, grant: Grant) -> Allocation:
    """The ledger's entry: what was allocated, and what is declared and nobody else may be given."""
    layer = asking.layer
    declared = {
        Thing(Resource.ADDRESS, str(wish.value))
        for wish in wishes_of(asking)
        if not isinstance(wish.value, Auto)
    }
    if grant.cpu is not None and layer.cpu is not None and not isinstance(layer.cpu.value, Auto):
        declared.add(Thing(Resource.CORE, str(grant.cpu.value)))
    if grant.ports and layer.ports and not isinstance(layer.ports.value, Auto):
        declared.add(Thing(Resource.PORTS, str(grant.ports.value)))
    if grant.number is not None and asking.file.number is not None:
        declared.add(Thing(Resource.NUMBER, str(grant.number)))
    is_block = layer.rtp is not None and isinstance(layer.rtp.value, Auto)
    return Allocation(
        host=asking.host.name,
        addresses=tuple(dict.fromkeys(str(address.value) for address in grant.addresses)),
        cpu=grant.cpu.value if grant.cpu else None,
        rtp=str(grant.rtp.value) if grant.rtp and is_block else None,
        number=grant.number,
        ports=str(grant.ports.value) if grant.ports else None,
        declared=frozenset(declared),
    )
