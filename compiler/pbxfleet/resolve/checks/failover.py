"""Failover pairs: both halves name each other, have different roles and live on different hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.desired import FailoverRole
from pbxfleet.model.summary import HalfSummary, HostSummary, InstanceSummary


class Half(NamedTuple):
    """An instance that is declared as half of a pair."""

    host: HostSummary
    instance: InstanceSummary
    failover: HalfSummary


def check(hosts: Sequence[HostSummary]) -> Iterator[Diagnostic]:
    """FLO104 not named back, FLO105 one role twice, FLO106 (a warning) both on one host.

    A peer that is not among the hosts has problems of its own and is passed over.
    """
    instances = {i.name: i for host in hosts for i in host.instances}
    halves = {
        i.name: Half(host, i, i.failover)
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
        elif half.instance.name < peer.instance.name:
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
    if half.host.name == peer.host.name:
        yield Diagnostic(
            "FLO106",
            f"{one} and {other} are a failover pair on one host, {half.host.name}",
            peer.failover.origin,
            Severity.WARNING,
            related=((half.failover.origin, f"{one} is declared here"),),
            hint="put one of them on another host: this pair does not survive the loss of the host",
        )
