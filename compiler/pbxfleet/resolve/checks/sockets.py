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

from pbxfleet.model.net import Bind, Family, Protocol
from pbxfleet.model.plans import ForeignListener
from pbxfleet.model.resolved import Listener, ResolvedHost, ResolvedInstance, Resource
from pbxfleet.resolve.checks.claims import (
    Claim,
    Conflict,
    Kind,
    Line,
    address_lines,
    remembered_lines,
)

Spot = tuple[int, int | None]  # IP version, and the address as a number or None for the wildcard


class Socket(NamedTuple):
    """What a listener opens: one bind, of each of these protocols."""

    protocols: tuple[Protocol, ...]
    bind: Bind


def shown(bind: Bind) -> str:
    """The bind as people say it: `203.0.113.10:80`, or `port 80 of every IPv4 address`."""
    if bind.address is None:
        family = {Family.IPV4: "IPv4 ", Family.IPV6: "IPv6 ", Family.ANY: ""}[bind.family]
        return f"port {bind.port} of every {family}address"
    text = str(bind.address)
    return f"[{text}]:{bind.port}" if bind.address.version == 6 else f"{text}:{bind.port}"


def socket_claims(host: ResolvedHost) -> list[Claim]:
    """The listeners of every instance."""
    return [socket_claim(i, listener) for i in host.instances for listener in i.listeners]


def socket_claim(instance: ResolvedInstance, listener: Listener) -> Claim:
    """One listener of one instance: the line with the port, and the line with the address."""
    bind = listener.bind
    literal = listener.names_address or bind.address is None
    said = shown(bind) if literal else f"port {bind.port}"
    lines = [Line(listener.origin, f"{said} ({listener.role})")]
    for one in instance.remembered:
        if one.thing.resource is Resource.PORTS and one.wish == listener.origin:
            lines += remembered_lines(instance, one.thing, one.wish)
    at = [a for a in instance.addresses if a.value == bind.address]
    if at:
        lines += address_lines(instance, at[0], given=not literal)
    return Claim(
        Kind.SOCKET,
        Socket(listener.protocols, bind),
        listener.role,
        instance.name,
        instance.span,
        tuple(lines),
        listener.as_reference,
        bind.is_wildcard,
    )


def foreign_claims(host: ResolvedHost) -> list[Claim]:
    """The sockets that other programs of the host hold, as its file says."""
    return [_foreign(listener) for listener in host.file.foreign_listeners]


def _foreign(listener: ForeignListener) -> Claim:
    bind = listener.bind.value
    reason = f" ({listener.reason})" if listener.reason else ""
    line = Line(listener.bind.origin, f"{shown(bind)} is held by {listener.by}{reason}")
    socket = Socket((listener.protocol,), bind)
    wide = bind.is_wildcard
    return Claim(Kind.SOCKET, socket, listener.by, listener.by, None, (line,), is_wide=wide)


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


class Table:
    """Sockets that are taken, by protocol and port."""

    def __init__(self) -> None:
        self._taken: dict[tuple[Protocol, int], Taken] = {}

    def excluding(self, claim: Claim) -> Iterator[Conflict]:
        """At most one taken claim per protocol and family that excludes this one."""
        socket = _socket(claim)
        covered = spots(socket.bind)
        for protocol in socket.protocols:
            at = self._taken.get((protocol, socket.bind.port))
            for holder in dict.fromkeys(map(at.holder, covered)) if at else ():
                if holder is not None and not _ran_together(holder, claim):
                    yield Conflict(holder, claim, protocol)

    def take(self, claim: Claim) -> None:
        """Take the sockets of a claim, except where an earlier one has them."""
        socket = _socket(claim)
        for protocol in socket.protocols:
            at = self._taken.setdefault((protocol, socket.bind.port), Taken())
            for spot in spots(socket.bind):
                at.take(spot, claim)


def conflicts(claims: Iterable[Claim]) -> Iterator[Conflict]:
    """Each later claim with at most one earlier claim per protocol and family that excludes it.

    Nothing is yielded exactly when the kernel grants all claims. Takes time in proportion to their
    number. What excludes another claim of its own instance is not held against others as well: fewer
    lines explain it.
    """
    table = Table()
    own: dict[str, Table] = {}
    for claim in claims:
        mine = own.setdefault(claim.owner, Table())
        # All spots are asked before one is taken: a bare port does not exclude itself.
        yield from list(mine.excluding(claim)) or table.excluding(claim)
        mine.take(claim)
        table.take(claim)


def conflicts_with(held: Iterable[Claim], claims: Iterable[Claim]) -> Iterator[Conflict]:
    """Claims that cannot be granted beside sockets that are held; the held ones are never judged."""
    table = Table()
    for claim in held:
        table.take(claim)
    for claim in claims:
        yield from table.excluding(claim)


def _socket(claim: Claim) -> Socket:
    assert isinstance(claim.key, Socket)
    return claim.key


def _ran_together(one: Claim, other: Claim) -> bool:
    """Whether both are as in the reference file, and one is of a transport that we do not know.

    The instance that the reference file was taken from ran with both, so they do not exclude
    each other: they are of different transports.
    """
    return (
        one.owner == other.owner
        and one.loose
        and other.loose
        and len(_socket(one).protocols) + len(_socket(other).protocols) > 2
    )
