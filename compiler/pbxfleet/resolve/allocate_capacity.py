"""How much of a host is used, kept back and free, and how many more instances it takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from pbxfleet.model.capacity import Capacity, Costs, Reservation, Supply, share
from pbxfleet.model.desired import AddressRange, Auto, HostFile, Layer
from pbxfleet.model.net import PortRange, Protocol, joined
from pbxfleet.model.network import standard_addresses
from pbxfleet.model.resolved import (
    Allocation,
    Ledger,
    ResolvedHost,
    ResolvedInstance,
    Resource,
)
from pbxfleet.resolve.allocate_blocks import parse_range
from pbxfleet.resolve.allocate_ports import with_media
from pbxfleet.resolve.pools import (
    PortBlocks,
    core_ranges,
    even_up,
    foreign_addresses,
    foreign_ports,
)
from pbxfleet.resolve.recovery import Terms
from pbxfleet.resolve.room import CORE, IPV4, IPV6, PORTS, RTP, needs_of

WORDS = {
    IPV4: "IPv4 addresses",
    IPV6: "IPv6 addresses",
    CORE: "cores",
    RTP: "RTP blocks",
    PORTS: "port blocks",
}
# A new instance has this tenant, which answers for every name (https://doc.vodia.com/docs/domain-overview).
EVERY_INSTANCE_HAS = "localhost"


class Held(NamedTuple):
    """Things of a host as texts: what its instances hold, and what is held by those that are gone."""

    used: Mapping[Resource, frozenset[str]]
    gone: Mapping[Resource, frozenset[str]]


def capacity_of(host: ResolvedHost, defaults: Layer, ledger: Ledger) -> Capacity:
    """The capacity of a resolved host; `defaults` are the layers under its instances.

    An instance of the usual kind is one that says nothing but its host; on a host with cores it also
    takes one, unless the defaults say that instances are not pinned.
    """
    held = _held(host, ledger)
    supplies = _supplies(host.file, held)
    room, limits = _room(host.file, defaults, supplies)
    tenants = {tenant.lower() for instance in host.instances for tenant in customers(instance)}
    declaring = sum(bool(customers(instance)) for instance in host.instances)
    price = host.file.price
    return Capacity(
        host=host.name,
        supplies=tuple(supplies.values()),
        reservations=tuple(_reservations(host.file)),
        instances=len(host.instances),
        room=room,
        limits=limits,
        tenants=len(tenants),
        with_tenants=declaring,
        room_tenants=room * len(tenants) // declaring if room is not None and declaring else None,
        costs=None
        if price is None
        else Costs(
            price.amount.value,
            price.currency,
            share(price.amount.value, len(host.instances)),
            share(price.amount.value, len(tenants)),
        ),
    )


def customers(instance: ResolvedInstance) -> tuple[str, ...]:
    """The tenants that somebody is a customer of, as they are written."""
    return tuple(t.value for t in instance.tenants if t.value.lower() != EVERY_INSTANCE_HAS)


def _held(host: ResolvedHost, ledger: Ledger) -> Held:
    names = {instance.name for instance in host.instances}
    used = [entry for name, entry in ledger.allocations.items() if name in names]
    gone = [entry for entry in ledger.tombstones.values() if entry.host == host.name]
    now = _by_resource(used)
    return Held(now, {kind: texts - now[kind] for kind, texts in _by_resource(gone).items()})


def _by_resource(entries: Iterable[Allocation]) -> dict[Resource, frozenset[str]]:
    found: dict[Resource, set[str]] = {resource: set() for resource in Resource}
    for entry in entries:
        for thing in entry.things:
            found[thing.resource].add(thing.text)
    return {resource: frozenset(texts) for resource, texts in found.items()}


def _supplies(host: HostFile, held: Held) -> dict[str, Supply]:
    """By kind, of the kinds that the host has at all."""
    supplies: dict[str, Supply] = {}
    for kind, version in ((IPV4, 4), (IPV6, 6)):
        if any(r.value.first.version == version for r in host.addresses):
            supplies[kind] = _addresses(host, kind, version, held)
    if host.cpus is not None:
        pool = set(host.cpus.value)
        kept = set(() if host.system_cpus is None else host.system_cpus.value)
        kept |= {core for reserved in host.reserved_cpus for core in reserved.what.value}
        used, gone = ({*map(int, of[Resource.CORE])} & pool for of in held)
        free = len(pool - kept - used - gone)
        supplies[CORE] = Supply(
            WORDS[CORE], len(pool), len(used), len(pool & kept - used), len(gone - used), free
        )
    if host.rtp is not None:
        grid = (even_up(host.rtp.value.first), 2)
        size = host.rtp_block.value
        supplies[RTP] = _blocks(host, RTP, (host.rtp.value, size, grid), held)
    if host.ports is not None and host.port_block is not None:
        size = host.port_block.value
        grid = (host.ports.value.first, size)
        supplies[PORTS] = _blocks(host, PORTS, (host.ports.value, size, grid), held)
    return supplies


def _addresses(host: HostFile, kind: str, version: int, held: Held) -> Supply:
    pool = _spans(r.value for r in host.addresses if r.value.first.version == version)
    held_back = [*(r.what.value for r in host.reserved)]
    held_back += [AddressRange(a, a) for a in foreign_addresses(host)]
    kept = _spans(r for r in held_back if r.first.version == version)
    used, gone = (_inside(of[Resource.ADDRESS], version, pool) for of in held)
    own = {int(a) for a in standard_addresses(host) if a.version == version}
    own = {n for n in own if _is_in(n, pool) and not _is_in(n, kept)} - used
    total = sum(last - first + 1 for first, last in pool)
    reserved = sum(
        max(0, min(last, end) - max(first, start) + 1)
        for first, last in pool
        for start, end in kept
    )
    reserved += len(own) - sum(_is_in(n, kept) for n in used)
    gone = {n for n in gone - used - own if not _is_in(n, kept)}
    free = total - reserved - len(used) - len(gone)
    return Supply(WORDS[kind], total, len(used), reserved, len(gone), free)


def _inside(texts: Collection[str], version: int, pool: list[tuple[int, int]]) -> set[int]:
    addresses = (ip_address(text) for text in texts)
    return {int(a) for a in addresses if a.version == version and _is_in(int(a), pool)}


def _spans(ranges: Iterable[AddressRange]) -> list[tuple[int, int]]:
    return joined((int(r.first), int(r.last)) for r in ranges)


def _is_in(number: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _blocks(
    host: HostFile, kind: str, pool: tuple[PortRange, int, tuple[int, int]], held: Held
) -> Supply:
    resource = Resource.RTP if kind == RTP else Resource.PORTS
    used, gone = ([parse_range(text) for text in of[resource]] for of in held)
    kept = [reserved.what.value for reserved in host.reserved_ports]
    protocols = (Protocol.UDP,) if kind == RTP else tuple(Protocol)
    kept += foreign_ports(host, protocols).get(None, ())
    total, beside = _fitting(pool, ()), _fitting(pool, kept)
    free = _fitting(pool, [*kept, *used, *gone])
    return Supply(WORDS[kind], total, len(used), total - beside, len(gone), free)


def _fitting(pool: tuple[PortRange, int, tuple[int, int]], taken: Iterable[PortRange]) -> int:
    """How many blocks can still be handed out, as the allocator does it."""
    ports, size, grid = pool
    blocks = PortBlocks(ports, size, taken, grid)
    number = 0
    while blocks.take(()) is not None:
        number += 1
    return number


def _room(
    host: HostFile, defaults: Layer, supplies: Mapping[str, Supply]
) -> tuple[int | None, tuple[str, ...]]:
    """How many more instances there is room for, and what that is due to."""
    layer = with_media(defaults)
    needs = needs_of(layer, Terms(host, layer, host))
    if host.cpus is not None and (layer.cpu is None or isinstance(layer.cpu.value, Auto)):
        needs = {**needs, **({CORE: 1} if layer.cpu is None else {})}
    rooms = {
        kind: supplies[kind].free // need if kind in supplies else 0 for kind, need in needs.items()
    }
    if not rooms:
        return None, ()
    room = min(rooms.values())
    return room, tuple(WORDS[kind] for kind in WORDS if rooms.get(kind) == room)


def _reservations(host: HostFile) -> Iterator[Reservation]:
    for address in host.reserved:
        first, last = address.what.value.first, address.what.value.last
        what = str(first) if first == last else f"{first}-{last}"
        yield Reservation(what, address.reason)
    if host.system_cpus is not None:
        yield Reservation(_cores(host.system_cpus.value), "left to the system")
    for cores in host.reserved_cpus:
        yield Reservation(_cores(cores.what.value), cores.reason)
    for ports in host.reserved_ports:
        one = ports.what.value
        what = f"port {one.first}" if one.first == one.last else f"ports {one}"
        yield Reservation(what, ports.reason)


def _cores(cores: tuple[int, ...]) -> str:
    """Sorted cores with their word: `cores 0-3, 8`."""
    return f"{'core' if len(cores) == 1 else 'cores'} {core_ranges(cores)}"
