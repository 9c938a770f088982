"""Failover pairs: both halves name each other, have different roles, and fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.desired import FailoverRole
from pbxfleet.model.summary import HalfSummary, HostSummary, InstanceSummary
from pbxfleet.resolve.problems import some


class Half(NamedTuple):
    """An instance that is declared as half of a pair."""

    instance: InstanceSummary
    failover: HalfSummary


def check(hosts: Sequence[HostSummary]) -> Iterator[Diagnostic]:
    """FLO104 not named back, FLO105 one role twice, FLO114 a peer_url where the peer does not listen.

    Warnings: FLO109 different releases, FLO115 different address families,
    FLO117 an address that dies with the peer. Advice: FLO116 the activation key.
    A peer that is not among the hosts has problems of its own and is passed over.
    """
    instances = {i.name: i for host in hosts for i in host.instances}
    halves = {
        i.name: Half(i, i.failover)
        for host in hosts
        for i in host.instances
        if i.failover is not None
    }
    for half in halves.values():
        peer = halves.get(half.failover.peer)
        if peer is None or peer.failover.peer != half.instance.name:
            other = instances.get(half.failover.peer)
            if other is not None:
                yield _not_back(half, other)
            continue
        yield from _peer_url(half, peer)
        yield from _dies_with(half, peer)
        if half.instance.name < peer.instance.name:
            yield from _pair(half, peer)


def _not_back(half: Half, other: InstanceSummary) -> Diagnostic:
    name, peer = half.instance.name, other.name
    wants = "primary" if half.failover.role == FailoverRole.SECONDARY else "secondary"
    place = other.span if other.failover is None else other.failover.origin
    says = "nothing of failover" if other.failover is None else f"peer {other.failover.peer}"
    return Diagnostic(
        "FLO104",
        f"{name} names {peer} as its peer, but {peer} says {says}",
        half.failover.origin,
        related=((place, f"{peer} is declared here"),),
        hint=f'declare failover = {{ role = "{wants}", peer = "{name}" }} for {peer}',
    )


def _pair(half: Half, peer: Half) -> Iterator[Diagnostic]:
    one, other = half.instance.name, peer.instance.name
    if half.failover.role == peer.failover.role:
        yield Diagnostic(
            "FLO105",
            f"{one} and {other} are both {half.failover.role}",
            peer.failover.role_origin,
            related=((half.failover.role_origin, f"{one} is {half.failover.role} here"),),
            hint="make one of them primary and the other secondary",
        )
    if half.instance.release != peer.instance.release:
        yield _releases(half, peer)
    yield from _families(half, peer)
    yield from _licences(half, peer)


def _peer_url(half: Half, peer: Half) -> Iterator[Diagnostic]:
    """A declared address is compared with what the peer binds; a name may lead through a proxy."""
    said = half.failover.peer_url
    if said is None:
        return
    url = urlsplit(said.value)
    port = url.port or (443 if url.scheme == "https" else 80)
    own = {address for _, address, _ in peer.failover.web}
    literal = _canonical(url.hostname or "") in own
    if literal:
        met = (url.scheme, _canonical(url.hostname or ""), port) in peer.failover.web
    else:
        met = any((scheme, at) == (url.scheme, port) for scheme, _, at in peer.failover.web)
    if met:
        return
    ends = [_shown(end) for end in peer.failover.web]
    yield Diagnostic(
        "FLO114",
        f"{peer.instance.name} has no {url.scheme.upper()} listener on port {port}"
        + (f" of {url.hostname}" if literal else ""),
        said.origin,
        Severity.ERROR if literal else Severity.WARNING,
        related=((peer.instance.span, f"{peer.instance.name} listens on {some(ends)}"),),
        hint="leave peer_url out to have it derived from the listeners"
        + ("" if literal else "; leave it if something in between translates the port"),
    )


def _canonical(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host


def _shown(end: tuple[str, str, int]) -> str:
    scheme, address, port = end
    return f"{scheme}://[{address}]:{port}" if ":" in address else f"{scheme}://{address}:{port}"


def _dies_with(half: Half, peer: Half) -> Iterator[Diagnostic]:
    """What the secondary needs on the day when the primary is dead, and what leads to the primary."""
    if half.failover.role != FailoverRole.SECONDARY:
        return
    instance = peer.instance
    names = {a.value for a in instance.addresses} | {t.value.lower() for t in instance.tenants}
    wanted = (
        ("validation_url", half.failover.validation_url, "believes itself cut off, and waits"),
        ("action_url", half.failover.action_url, "cannot call it"),
    )
    for key, said, outcome in wanted:
        host = "" if said is None else _canonical(urlsplit(said.value).hostname or "")
        if said is not None and host in names:
            yield Diagnostic(
                "FLO117",
                f"{key} of {half.instance.name} leads to its peer: when {instance.name} is dead, "
                f"{half.instance.name} {outcome}",
                said.origin,
                Severity.WARNING,
                related=((instance.span, f"instance {instance.name}"),),
                hint="name a server that lives elsewhere",
            )


def _releases(half: Half, peer: Half) -> Diagnostic:
    one, other = half.instance, peer.instance
    return Diagnostic(
        "FLO109",
        f"{one.name} has release {one.release}, its peer {other.name} has {other.release}",
        other.release_origin,
        Severity.WARNING,
        related=(
            (one.release_origin, f"release of {one.name}"),
            (peer.failover.origin, f"{other.name} is its peer"),
        ),
        hint="give both the same release; whether one reads the other's data is not documented",
    )


def _families(half: Half, peer: Half) -> Iterator[Diagnostic]:
    """What phones reach on one half, and would not reach on the other."""
    one, other = (_versions(h.instance) for h in (half, peer))
    if one == other or not one or not other:
        return
    lacking = peer if one - other else half
    missing = sorted(one - other or other - one)
    has = half if lacking is peer else peer
    words = " and ".join(f"IPv{version}" for version in missing)
    place = next(a.origin for a in has.instance.addresses if _version(a.value) in missing)
    yield Diagnostic(
        "FLO115",
        f"{has.instance.name} has an {words} address, its peer {lacking.instance.name} has none",
        lacking.instance.addresses[0].origin,
        Severity.WARNING,
        related=(
            (place, f"{words} address of {has.instance.name}"),
            (lacking.failover.origin, f"{has.instance.name} is its peer"),
        ),
        hint=f"give {lacking.instance.name} one: who comes over {words} does not reach it",
    )


def _versions(instance: InstanceSummary) -> set[int]:
    return {_version(address.value) for address in instance.addresses}


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def _licences(half: Half, peer: Half) -> Iterator[Diagnostic]:
    one, other = half.failover.licence, peer.failover.licence
    place = other or one
    if place is None:
        return
    names = f"{half.instance.name} and {peer.instance.name}"
    if one is None or other is None:
        has, lacks = (half, peer) if other is None else (peer, half)
        message = (
            f"{has.instance.name} declares an activation key, its peer {lacks.instance.name} none"
        )
    elif one.value == other.value:
        message = f"{names} have one activation key"
    else:
        message = f"{names} have two activation keys"
    related = ((one.origin, f"{half.instance.name} says"),) if one and one is not place else ()
    yield Diagnostic(
        "FLO116",
        message,
        place.origin,
        Severity.ADVICE,
        related=related,
        hint="the vendor does not document what a standby needs: ask, before it is needed, whether "
        "one key may be in both halves, and with two compare their limits",
    )
