"""Free numbers of a host: addresses, cores, RTP blocks, instance numbers; lowest first."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from pbxfleet.core.span import Span
from pbxfleet.model.desired import AddressRange, HostFile
from pbxfleet.model.net import Address, PortRange, Protocol
from pbxfleet.model.network import standard_addresses

ForeignPorts = Mapping[Address | None, Sequence[PortRange]]


class Fault(NamedTuple):
    """Why an instance may not have an address: `why` follows the address, `place` says so."""

    code: str
    why: str
    place: Span | None


def address_fault(host: HostFile, address: Address) -> Fault | None:
    """Why an instance may not have the address (NET101, NET102, NET103), None if it may."""
    own = address in standard_addresses(host)
    if own and host.reserve_address.value:
        place = host.reserve_address.origin
        return Fault("NET103", f"is the address of {host.name} itself, which is reserved", place)
    for reserved in host.reserved:
        if address in reserved.what.value:
            why = f"is reserved on {host.name}{reserved.words}"
            return Fault("NET102", why, reserved.what.origin)
    if own or any(address in assigned.value for assigned in host.addresses):
        return None
    assigned_at = host.addresses[0].origin if host.addresses else None
    return Fault("NET101", f"is not assigned to {host.name}", assigned_at)


def free_addresses(host: HostFile, version: int, taken: set[Address]) -> Iterator[Address]:
    """Allocatable addresses of one family, lowest first, without those in `taken`.

    `taken` is looked at when the next one is asked for; the host's own addresses, and those on which
    other programs listen, are never given.
    """
    family = IPv4Address if version == 4 else IPv6Address
    blocked = [r.what.value for r in host.reserved if r.what.value.first.version == version]
    ranges = {r.value for r in host.addresses if r.value.first.version == version}
    own = {*standard_addresses(host), *foreign_addresses(host)}
    for pool in sorted(ranges, key=lambda r: (int(r.first), int(r.last))):
        number = int(pool.first)
        while number <= int(pool.last):
            address = family(number)
            beyond = _end_of_reserved(blocked, address)
            if beyond is not None:
                number = beyond + 1
                continue
            if address not in own and address not in taken:
                yield address
            number += 1


def foreign_addresses(host: HostFile) -> set[Address]:
    """The addresses that other programs of the host listen on by name."""
    binds = (listener.bind.value for listener in host.foreign_listeners)
    return {bind.address for bind in binds if bind.address is not None}


def foreign_ports(host: HostFile, protocols: Collection[Protocol]) -> ForeignPorts:
    """Ports of other programs: under None those on every address, else those on that one."""
    ports: dict[Address | None, list[PortRange]] = {}
    for listener in host.foreign_listeners:
        bind = listener.bind.value
        if listener.protocol in protocols:
            ports.setdefault(bind.address, []).append(PortRange(bind.port, bind.port))
    return ports


def _end_of_reserved(blocked: Sequence[AddressRange], address: Address) -> int | None:
    ends = [int(reserved.last) for reserved in blocked if address in reserved]
    return max(ends, default=None)


def has_family(host: HostFile, version: int) -> bool:
    """Whether the host was assigned any address of the family."""
    return any(r.value.first.version == version for r in host.addresses)


def core_ranges(cores: Iterable[int]) -> str:
    """Sorted cores as ranges: `0-3, 8`."""
    parts: list[list[int]] = []
    for core in cores:
        if parts and parts[-1][-1] == core - 1:
            parts[-1][1:] = [core]
        else:
            parts.append([core])
    return ", ".join("-".join(map(str, part)) for part in parts)


def free_cores(host: HostFile, taken: set[int]) -> Iterator[int]:
    """Cores of the host that are neither the system's nor reserved nor in `taken`, lowest first."""
    cpus = () if host.cpus is None else host.cpus.value
    system = () if host.system_cpus is None else host.system_cpus.value
    reserved = {core for r in host.reserved_cpus for core in r.what.value}
    return (core for core in sorted({*cpus} - {*system} - reserved) if core not in taken)


def free_numbers(taken: set[int]) -> Iterator[int]:
    """1, 2, 3, … without those in `taken`."""
    number = 1
    while True:
        if number not in taken:
            yield number
        number += 1


def even_up(port: int) -> int:
    """The port, or the next if it is odd: RTP takes the even one, RTCP the next (RFC 3550, 11)."""
    return port + port % 2


class PortBlocks:
    """Blocks of ports of one host: handed-out blocks never overlap each other.

    `grid` is the first port at which a block may start, and the distance to the next such port.
    """

    def __init__(
        self, pool: PortRange, size: int, taken: Iterable[PortRange], grid: tuple[int, int]
    ) -> None:
        self._pool = pool
        self._size = size
        self._base, self._step = grid
        self._low = self._base
        self._taken: list[tuple[int, int]] = []
        for first, last in sorted((block.first, block.last) for block in taken):
            if self._taken and first <= self._taken[-1][1]:
                below = self._taken.pop()
                self._taken.append((below[0], max(below[1], last)))
            else:
                self._taken.append((first, last))

    def take(self, beside: Sequence[PortRange]) -> PortRange | None:
        """The lowest free block that is disjoint from all of `beside`, or None if there is none."""
        while (end := self._blocked_until(self._low)) is not None:
            self._low = self._above(end)
        first = self._low
        while first + self._size - 1 <= self._pool.last:
            block = PortRange(first, first + self._size - 1)
            ends = [other.last for other in beside if other.overlaps(block)]
            end = max(ends, default=None) or self._blocked_until(first)
            if end is None:
                insort(self._taken, (block.first, block.last))
                return block
            first = self._above(end)
        return None

    def _above(self, port: int) -> int:
        """The first port above `port` at which a block may start."""
        return self._base + ((port - self._base) // self._step + 1) * self._step

    def _blocked_until(self, first: int) -> int | None:
        # Taken blocks are disjoint, so only the one that starts last can reach into this block.
        at = bisect_right(self._taken, (first + self._size - 1, 65536)) - 1
        if at >= 0 and self._taken[at][1] >= first:
            return self._taken[at][1]
        return None
