"""RTP ranges: disjoint on a shared address, free of other UDP ports, within the host's range."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address, PortRange, Protocol
from pbxfleet.model.resolved import Listener, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.checks.listeners import shown
from pbxfleet.resolve.checks.sockets import Spot, spots
from pbxfleet.resolve.problems import NAMED_AT_MOST, Problems


class Media(NamedTuple):
    """The RTP ports of one instance on one address."""

    instance: ResolvedInstance
    address: Sourced[Address]
    rtp: Sourced[PortRange]

    @property
    def place(self) -> Span:
        """Where to change it: the range or the address, whichever is in the instance's own file."""
        own = self.instance.span.file
        mine = [s for s in (self.rtp.origin, self.address.origin) if s.file == own]
        return mine[0] if mine else self.rtp.origin


class UdpPort(NamedTuple):
    """A UDP port that a listener takes."""

    port: int
    instance: ResolvedInstance
    listener: Listener


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """RTP101 overlaps, RTP102 ports of listeners inside, RTP103 odd borders, RTP104 outside."""
    media = [m for instance in host.instances for m in _media(instance)]
    by_address: dict[Address, list[Media]] = {}
    for m in media:
        by_address.setdefault(m.address.value, []).append(m)
    udp = _udp_ports(host)
    for here in by_address.values():
        yield from _overlaps(here)
        yield from _inside(here, udp)
    yield from _borders(host, media)


def media_addresses(instance: ResolvedInstance) -> tuple[Sourced[Address], ...]:
    """Where media is received: the RTP bind address, or any address if that is not known."""
    return instance.addresses if instance.rtp_bind is None else (instance.rtp_bind,)


def _media(instance: ResolvedInstance) -> Iterator[Media]:
    if instance.rtp is not None:
        for address in media_addresses(instance):
            yield Media(instance, address, instance.rtp)


def _overlaps(here: list[Media]) -> Iterator[Diagnostic]:
    """Each range with the one below that reaches highest: n ranges give at most n - 1 reports."""
    ordered = sorted(here, key=lambda m: (m.rtp.value.first, m.instance.name))
    for below, media in zip(_highest(ordered), ordered[1:], strict=True):
        if not below.rtp.value.overlaps(media.rtp.value):
            continue
        one, other = media.instance.name, below.instance.name
        related = [(below.place, f"RTP ports {below.rtp.value} of {other}")]
        for address in (below.address, media.address):
            if address.origin not in (below.place, media.place):
                related.append((address.origin, f"address {address.value}"))
        yield Diagnostic(
            "RTP101",
            f"RTP ports {media.rtp.value} of {one} overlap {below.rtp.value} of {other} "
            f"on {media.address.value}",
            media.place,
            related=tuple(dict.fromkeys(related)),
            hint='give each a range of its own, rtp = "auto", or an address of its own',
        )


def _highest(ordered: list[Media]) -> Iterator[Media]:
    """For each range but the last: of the ranges up to it, the one that reaches highest."""
    highest = ordered[0]
    for media in ordered[:-1]:
        if media.rtp.value.last > highest.rtp.value.last:
            highest = media
        yield highest


def _udp_ports(host: ResolvedHost) -> dict[Spot, list[UdpPort]]:
    """UDP ports of listeners by address, sorted by port."""
    ports: dict[Spot, list[UdpPort]] = {}
    for instance in host.instances:
        for listener in instance.listeners:
            if Protocol.UDP in listener.protocols:
                for spot in spots(listener.bind):
                    ports.setdefault(spot, []).append(
                        UdpPort(listener.bind.port, instance, listener)
                    )
    for listed in ports.values():
        listed.sort(key=lambda udp: udp.port)
    return ports


def _inside(here: list[Media], udp: dict[Spot, list[UdpPort]]) -> Iterator[Diagnostic]:
    """At most one report for each range, however many ports it contains."""
    for media in here:
        address, ports = media.address.value, media.rtp.value
        contained: list[UdpPort] = []
        count = 0
        for spot in ((address.version, int(address)), (address.version, None)):
            listed = udp.get(spot, [])
            start = bisect_left(listed, ports.first, key=lambda udp: udp.port)
            end = bisect_left(listed, ports.last + 1, key=lambda udp: udp.port)
            contained += listed[start : min(end, start + NAMED_AT_MOST)]
            count += end - start
        if contained:
            yield _contains(media, contained[:NAMED_AT_MOST], count)


def _contains(media: Media, contained: list[UdpPort], count: int) -> Diagnostic:
    name = media.instance.name
    first = contained[0]
    whose = "its own" if first.instance.name == name else f"{first.instance.name}'s"
    more = f" and {count - 1} more" if count > 1 else ""
    related = [
        (udp.listener.origin, f"{udp.listener.role} of {udp.instance.name}") for udp in contained
    ]
    return Diagnostic(
        "RTP102",
        f"RTP ports {media.rtp.value} of {name} contain {whose} {first.listener.role} port: "
        f"{shown(first.listener.bind)}{more}",
        media.place,
        related=tuple(dict.fromkeys(related)),
        hint="choose a range without this port, or another port",
    )


def _borders(host: ResolvedHost, media: list[Media]) -> Iterator[Diagnostic]:
    problems = Problems()
    pool = host.file.rtp
    seen: set[str] = set()
    for instance, _, rtp in media:
        if instance.name in seen:
            continue
        seen.add(instance.name)
        ports = rtp.value
        if ports.first % 2 or not ports.last % 2:
            problems.share(_odd(ports, rtp.origin), instance.name, instance.span)
        if pool is not None and (ports.first not in pool.value or ports.last not in pool.value):
            problems.share(_outside(host, rtp, pool), instance.name, instance.span)
    yield from problems.diagnostics()


def _odd(ports: PortRange, place: Span) -> Diagnostic:
    return Diagnostic(
        "RTP103",
        f"RTP ports {ports} do not start even and end odd",
        place,
        Severity.ADVICE,
        hint=f"write {ports.first + ports.first % 2}-{ports.last - (1 - ports.last % 2)}: "
        "RTP takes an even port, RTCP the next one",
    )


def _outside(host: ResolvedHost, rtp: Sourced[PortRange], pool: Sourced[PortRange]) -> Diagnostic:
    return Diagnostic(
        "RTP104",
        f"RTP ports {rtp.value} are outside {pool.value}, the RTP range of {host.name}",
        rtp.origin,
        related=((pool.origin, f"RTP range of {host.name}"),),
        hint="choose a part of that range, or widen it",
    )
