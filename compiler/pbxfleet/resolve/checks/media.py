"""RTP ranges as claims, and which of them exclude each other or a listener."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address, PortRange, Protocol
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance, Resource, Thing
from pbxfleet.resolve.checks.claims import (
    Claim,
    Conflict,
    Kind,
    Line,
    address_lines,
    remembered_lines,
)
from pbxfleet.resolve.checks.sockets import Socket, Spot, spots
from pbxfleet.resolve.problems import NAMED_AT_MOST


class Media(NamedTuple):
    """The UDP ports that an instance picks from for media, on one address."""

    address: Address
    ports: PortRange


class Inside(NamedTuple):
    """Listeners within a range of media ports: the first few, and how many there are."""

    media: Claim
    ports: tuple[Claim, ...]
    total: int


def media_claims(host: ResolvedHost) -> list[Claim]:
    """The RTP ports of every instance on each of its media addresses."""
    return [claim for instance in host.instances for claim in _claims(instance)]


def media_of(claim: Claim) -> Media:
    """What a claim of this kind claims."""
    assert isinstance(claim.key, Media)
    return claim.key


def media_addresses(instance: ResolvedInstance) -> tuple[Sourced[Address], ...]:
    """Where media is received: the RTP bind address, or any address if that is not known."""
    return instance.addresses if instance.rtp_bind is None else (instance.rtp_bind,)


def _claims(instance: ResolvedInstance) -> Iterator[Claim]:
    rtp = instance.rtp
    if rtp is None:
        return
    for address in media_addresses(instance):
        block = Thing(Resource.RTP, str(rtp.value))
        lines = (
            Line(rtp.origin, f"RTP ports {rtp.value}"),
            *remembered_lines(instance, block, rtp.origin),
            *address_lines(instance, address, given=True),
        )
        key = Media(address.value, rtp.value)
        yield Claim(Kind.MEDIA, key, "RTP ports", instance.name, instance.span, lines)


def overlaps(claims: Iterable[Claim]) -> Iterator[Conflict]:
    """Each range with the one below that reaches highest: n ranges give at most n - 1 conflicts.

    Nothing is yielded exactly when no two ranges on one address have a port in common.
    """
    by_address: dict[Address, list[Claim]] = {}
    for claim in claims:
        by_address.setdefault(media_of(claim).address, []).append(claim)
    for here in by_address.values():
        highest: Claim | None = None
        for claim in sorted(here, key=lambda c: (media_of(c).ports.first, c.owner)):
            ports = media_of(claim).ports
            if highest is None:
                highest = claim
                continue
            if media_of(highest).ports.overlaps(ports):
                yield Conflict(highest, claim)
            if ports.last > media_of(highest).ports.last:
                highest = claim


def inside(media: Iterable[Claim], sockets: Iterable[Claim]) -> Iterator[Inside]:
    """Ranges with UDP ports of listeners in them; at most one for each range, its own ports first.

    A port that lies in a range of its own instance is not held against others as well: fewer lines
    explain it, and it has to go from there anyway.
    """
    sockets, media = list(sockets), list(media)
    by_owner: dict[str, list[Claim]] = {}
    for claim in sockets:
        by_owner.setdefault(claim.owner, []).append(claim)
    own_of = {owner: _udp_ports(claims) for owner, claims in by_owner.items()}
    explained = {id(c) for claim in media for c in _mine(claim, own_of.get(claim.owner, {}))}
    udp = _udp_ports(claim for claim in sockets if id(claim) not in explained)
    for claim in media:
        address, ports = media_of(claim)
        mine = list(_mine(claim, own_of.get(claim.owner, {})))
        contained: list[Claim] = []
        count = len(mine)
        for spot in _covering(address):
            listed = udp.get(spot, [])
            start = bisect_left(listed, ports.first, key=_port)
            end = bisect_left(listed, ports.last + 1, key=_port)
            contained += listed[start : min(end, start + NAMED_AT_MOST)]
            count += end - start
        if count:
            named = tuple(dict.fromkeys((*mine, *contained)))[:NAMED_AT_MOST]
            yield Inside(claim, named, count)


def _mine(media: Claim, own: Mapping[Spot, Sequence[Claim]]) -> Iterator[Claim]:
    """The UDP ports of the range's own instance that lie in it."""
    address, ports = media_of(media)
    for spot in _covering(address):
        yield from (claim for claim in own.get(spot, ()) if _port(claim) in ports)


def _covering(address: Address) -> tuple[Spot, Spot]:
    """What a socket covers that takes packets to the address."""
    return (address.version, int(address)), (address.version, None)


def _udp_ports(sockets: Iterable[Claim]) -> dict[Spot, list[Claim]]:
    """Claims of UDP ports by what they cover, sorted by port."""
    ports: dict[Spot, list[Claim]] = {}
    for claim in sockets:
        assert isinstance(claim.key, Socket)
        if Protocol.UDP in claim.key.protocols:
            for spot in spots(claim.key.bind):
                ports.setdefault(spot, []).append(claim)
    for listed in ports.values():
        listed.sort(key=_port)
    return ports


def _port(claim: Claim) -> int:
    assert isinstance(claim.key, Socket)
    return claim.key.bind.port
