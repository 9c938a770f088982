"""The map of a resolved host: who has which address, core and RTP ports, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from itertools import pairwise

from pbxfleet.model.host_map import (
    AddressMap,
    HostMap,
    PairedHalf,
    Placed,
    PlacedListener,
    PortMap,
    Run,
    Use,
)
from pbxfleet.model.net import Protocol, joined
from pbxfleet.model.network import standard_addresses
from pbxfleet.model.resolved import (
    Allocation,
    Ledger,
    Listener,
    ResolvedHost,
    ResolvedInstance,
    Resource,
)
from pbxfleet.resolve.allocate_blocks import parse_range
from pbxfleet.resolve.allocate_capacity import customers
from pbxfleet.resolve.pools import foreign_ports

# Of several uses of one slot the first of these is shown: what somebody has before what is kept back.
_ORDER = {use: number for number, use in enumerate(Use)}


def host_map(host: ResolvedHost, ledger: Ledger) -> HostMap:
    """The map of one host, with what `ledger` keeps for instances that are gone."""
    gone = {name: held for name, held in ledger.tombstones.items() if held.host == host.name}
    return HostMap(
        host=host.name,
        services=str(host.services),
        standard=tuple(map(str, standard_addresses(host.file))),
        addresses=tuple(_addresses(host, gone)),
        cores=_cores(host, gone),
        rtp=_rtp(host, gone),
        instances=tuple(map(_placed, sorted(host.instances, key=_place))),
    )


def runs_of(pools: Iterable[tuple[int, int]], marks: Iterable[Run]) -> tuple[Run, ...]:
    """The slots of `pools` in rising order, each in exactly one run; slots without a mark are free.

    Where marks overlap, the strongest use is shown with the names of all marks that have it.
    """
    marks = list(marks)
    edges = {edge for mark in marks for edge in (mark.first, mark.last + 1)}
    pools = joined(pools)
    edges |= {edge for first, last in pools for edge in (first, last + 1)}
    cuts = sorted(edges)
    begins: dict[int, list[Run]] = {}
    ends: dict[int, list[Run]] = {}
    for mark in marks:
        begins.setdefault(mark.first, []).append(mark)
        ends.setdefault(mark.last + 1, []).append(mark)
    inside = {first: last for first, last in pools}
    active: dict[Run, int] = {}
    pool_end: int | None = None
    found: list[Run] = []
    for cut, following in pairwise(cuts):
        for mark in ends.get(cut, ()):
            active[mark] -= 1
            if not active[mark]:
                del active[mark]
        for mark in begins.get(cut, ()):
            active[mark] = active.get(mark, 0) + 1
        pool_end = inside.get(cut, pool_end)
        if pool_end is not None and cut <= pool_end:
            _append(found, _shown(cut, following - 1, active))
    return tuple(found)


def _shown(first: int, last: int, marks: Iterable[Run]) -> Run:
    strongest = min((_ORDER[mark.use] for mark in marks), default=None)
    if strongest is None:
        return Run(first, last, Use.FREE)
    shown = [mark for mark in marks if _ORDER[mark.use] == strongest]
    names = sorted({name for mark in shown for name in mark.names})
    whys = sorted({mark.why for mark in shown} - {""})
    return Run(first, last, shown[0].use, tuple(names), ", ".join(whys))


def _append(found: list[Run], run: Run) -> None:
    """Add a run, or make the last one longer if it goes on in the same way."""
    if found and found[-1].last + 1 == run.first and found[-1][2:] == run[2:]:
        run = found.pop()._replace(last=run.last)
    found.append(run)


def _addresses(host: ResolvedHost, gone: Mapping[str, Allocation]) -> Iterator[AddressMap]:
    file = host.file
    for version in (4, 6):
        pools = [r.value for r in file.addresses if r.value.first.version == version]
        if not pools:
            continue
        marks = [
            Run(int(a.value), int(a.value), Use.USED, (instance.name,))
            for instance in host.instances
            for a in instance.addresses
            if a.value.version == version
        ]
        for listener in file.foreign_listeners:
            address = listener.bind.value.address
            if address is not None and address.version == version:
                mark = Run(int(address), int(address), Use.FOREIGN, (listener.by,), listener.reason)
                marks.append(mark)
        marks += [
            Run(int(address), int(address), Use.OWN)
            for address in standard_addresses(file)
            if address.version == version
        ]
        marks += [
            Run(int(r.what.value.first), int(r.what.value.last), Use.RESERVED, (), r.reason)
            for r in file.reserved
            if r.what.value.first.version == version
        ]
        for name, text in _things(gone, Resource.ADDRESS):
            address = ip_address(text)
            if address.version == version:
                marks.append(Run(int(address), int(address), Use.GONE, (name,)))
        yield AddressMap(version, runs_of(((int(p.first), int(p.last)) for p in pools), marks))


def _cores(host: ResolvedHost, gone: Mapping[str, Allocation]) -> tuple[Run, ...]:
    file = host.file
    if file.cpus is None:
        return ()
    marks = [
        Run(instance.cpu.value, instance.cpu.value, Use.USED, (instance.name,))
        for instance in host.instances
        if instance.cpu is not None
    ]
    system = () if file.system_cpus is None else file.system_cpus.value
    marks += [Run(core, core, Use.SYSTEM) for core in system]
    for reserved in file.reserved_cpus:
        marks += [
            Run(core, core, Use.RESERVED, (), reserved.reason) for core in reserved.what.value
        ]
    for name, text in _things(gone, Resource.CORE):
        marks.append(Run(int(text), int(text), Use.GONE, (name,)))
    return runs_of(((core, core) for core in file.cpus.value), marks)


def _rtp(host: ResolvedHost, gone: Mapping[str, Allocation]) -> PortMap | None:
    file = host.file
    marks = [
        Run(instance.rtp.value.first, instance.rtp.value.last, Use.USED, (instance.name,))
        for instance in host.instances
        if instance.rtp is not None
    ]
    pool = None if file.rtp is None else (file.rtp.value.first, file.rtp.value.last)
    axis = [*((mark.first, mark.last) for mark in marks), *(() if pool is None else (pool,))]
    if not axis:
        return None
    first, last = min(one for one, _ in axis), max(one for _, one in axis)
    for ports in foreign_ports(file, (Protocol.UDP,)).values():
        marks += [Run(one.first, one.last, Use.FOREIGN) for one in ports]
    marks += [
        Run(r.what.value.first, r.what.value.last, Use.RESERVED, (), r.reason)
        for r in file.reserved_ports
    ]
    for name, text in _things(gone, Resource.RTP):
        ports_of = parse_range(text)
        marks.append(Run(ports_of.first, ports_of.last, Use.GONE, (name,)))
    return PortMap(first, last, pool, runs_of(((first, last),), marks))


def _things(gone: Mapping[str, Allocation], resource: Resource) -> Iterator[tuple[str, str]]:
    """Names of instances that are gone with what is kept for each."""
    for name, held in gone.items():
        for thing in held.things:
            if thing.resource is resource:
                yield name, thing.text


def _place(instance: ResolvedInstance) -> tuple[int, int, str]:
    first = instance.addresses[0].value if instance.addresses else None
    return (0, 0, instance.name) if first is None else (first.version, int(first), instance.name)


def _placed(instance: ResolvedInstance) -> Placed:
    failover = instance.failover
    return Placed(
        name=instance.name,
        addresses=tuple(str(address.value) for address in instance.addresses),
        cpu=None if instance.cpu is None else instance.cpu.value,
        listeners=tuple(sorted(map(_listener, instance.listeners))),
        rtp=None if instance.rtp is None else (instance.rtp.value.first, instance.rtp.value.last),
        rtp_address="" if instance.rtp_bind is None else str(instance.rtp_bind.value),
        release=instance.release.name,
        tenants=customers(instance),
        half=None
        if failover is None
        else PairedHalf(str(failover.role), failover.peer, failover.peer_host),
    )


def _listener(listener: Listener) -> PlacedListener:
    bind = listener.bind
    protocols: Sequence[Protocol] = listener.protocols
    address = "" if bind.address is None else str(bind.address)
    return PlacedListener(listener.role, tuple(map(str, protocols)), address, bind.port)
