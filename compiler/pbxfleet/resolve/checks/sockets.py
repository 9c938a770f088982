"""Which sockets the kernel grants together.

A bind of an address and port fails when another socket of that protocol has the port on the same
address or on the wildcard of its family; a wildcard fails when any address of its family has the
port (ip(7), ipv6(7), tcp(7)). SO_REUSEADDR does not change that for listening TCP sockets. For UDP
it would let both binds succeed and the traffic go to one of them, so UDP is judged as without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address
from typing import NamedTuple

from pbxfleet.core.span import Span
from pbxfleet.model.net import Bind, Family, Protocol
from pbxfleet.model.resolved import Listener, ResolvedInstance

Spot = tuple[int, int | None]  # IP version, and the address as a number or None for the wildcard


class Claim(NamedTuple):
    """One listener of one instance."""

    instance: ResolvedInstance
    listener: Listener

    @property
    def place(self) -> Span:
        """Where to change it: in the instance's file if possible, else where the port is said."""
        own = self.instance.span.file
        if self.listener.origin.file == own:
            return self.listener.origin
        for address in self.instance.addresses:
            if address.value == self.listener.bind.address and address.origin.file == own:
                return address.origin
        return self.listener.origin


class Conflict(NamedTuple):
    """Two claims that cannot both be granted, the earlier first."""

    earlier: Claim
    later: Claim
    protocol: Protocol


class Taken:
    """The claims on one port of one protocol so far."""

    def __init__(self) -> None:
        self._wildcards: dict[int, Claim] = {}
        self._addresses: dict[Spot, Claim] = {}
        self._first: dict[int, Claim] = {}

    def holder(self, spot: Spot) -> Claim | None:
        """The claim that keeps the kernel from granting `spot` to another socket, None if free."""
        version, number = spot
        if number is None:
            return self._wildcards.get(version) or self._first.get(version)
        return self._addresses.get(spot) or self._wildcards.get(version)

    def take(self, spot: Spot, claim: Claim) -> None:
        """Remember the claim, unless an earlier one has the spot."""
        version, number = spot
        if number is None:
            self._wildcards.setdefault(version, claim)
        else:
            self._addresses.setdefault(spot, claim)
            self._first.setdefault(version, claim)


def spots(bind: Bind) -> tuple[Spot, ...]:
    """What a bind covers. A bare port covers both families, be it by one dual-stack socket or two.

    An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address (ipv6(7)).
    """
    address = bind.address
    if address is not None:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        literal = address if mapped is None else mapped
        return ((literal.version, int(literal)),)
    match bind.family:
        case Family.IPV4:
            return ((4, None),)
        case Family.IPV6:
            return ((6, None),)
        case Family.ANY:
            return ((4, None), (6, None))


def conflicts(claims: Iterable[Claim]) -> Iterator[Conflict]:
    """Each later claim with at most one earlier claim per protocol and family that excludes it.

    Nothing is yielded exactly when the kernel grants all claims. Takes time in proportion to their
    number.
    """
    taken: dict[tuple[Protocol, int], Taken] = {}
    for claim in claims:
        covered = spots(claim.listener.bind)
        for protocol in claim.listener.protocols:
            at = taken.setdefault((protocol, claim.listener.bind.port), Taken())
            # All spots are asked before one is taken: a bare port does not exclude itself.
            for holder in dict.fromkeys(map(at.holder, covered)):
                if holder is not None and not _ran_together(holder, claim):
                    yield Conflict(holder, claim, protocol)
            for spot in covered:
                at.take(spot, claim)


def _ran_together(one: Claim, other: Claim) -> bool:
    """Whether both are as in the reference file, and one is of a transport that we do not know.

    The instance that the reference file was taken from ran with both, so they do not exclude
    each other: they are of different transports.
    """
    return (
        one.instance is other.instance
        and one.listener.as_reference
        and other.listener.as_reference
        and len(one.listener.protocols) + len(other.listener.protocols) > 2
    )
