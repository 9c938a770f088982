"""Checks over one host and over the whole fleet: one file per family of diagnostics.

A host check sees one `ResolvedHost` only; a fleet check sees the hosts' summaries only. What is found
on a host can so be kept for as long as the host stays the same, whatever happens elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pbxfleet.core.diagnostics import Diagnostic, in_order
from pbxfleet.model.resolved import Resolved, ResolvedHost
from pbxfleet.model.summary import HostSummary
from pbxfleet.resolve.checks import (
    access,
    addresses,
    advice,
    backups,
    certificates,
    containers,
    cpus,
    drives,
    failover,
    identity,
    ignoring,
    listeners,
    network,
    outside,
    paths,
    places,
    rtp,
    services,
)
from pbxfleet.resolve.checks.summary import summarise

__all__ = ["FLEET_CHECKS", "HOST_CHECKS", "check", "check_fleet", "check_host", "summarise"]

HOST_CHECKS: tuple[Callable[[ResolvedHost], Iterator[Diagnostic]], ...] = (
    listeners.check,
    rtp.check,
    addresses.check,
    cpus.check,
    paths.check,
    places.check,
    services.check,
    network.check,
    backups.check,
    containers.check,
    outside.check,
    drives.check,
    certificates.check,
    access.check,
    advice.check,
    ignoring.check,
)
FLEET_CHECKS: tuple[Callable[[Sequence[HostSummary]], Iterator[Diagnostic]], ...] = (
    failover.check,
    identity.check,
    ignoring.check_fleet,
)


def check_host(host: ResolvedHost) -> tuple[Diagnostic, ...]:
    """What cannot be true together on one host, or deserves attention, in order of places.

    Takes time in proportion to the number of instances. Reports BND101, BND106, BND109, RTP101 to
    RTP107, NET101 to NET104, NET2xx, FWL1xx, CPU101 to CPU105, DIR102 to DIR110, SVC101 to SVC110,
    BKP101, BKP102, BKP106 to BKP110, CRT101 to CRT103, NET105, ADV102, ADV103, ADV109 to ADV111 and
    IGN101.
    """
    return in_order(d for run in HOST_CHECKS for d in run(host))


def check_fleet(hosts: Sequence[HostSummary]) -> tuple[Diagnostic, ...]:
    """What cannot be true together between hosts, in order of places.

    Takes time in proportion to the number of instances. Reports FLO104, FLO105, ADV104,
    ADV105, ADV107, ADV108, LIC101, LIC102, IGN103 and IGN104.
    """
    return in_order(d for run in FLEET_CHECKS for d in run(hosts))


def check(resolved: Resolved) -> tuple[Diagnostic, ...]:
    """`check_host` of every host and `check_fleet` of their summaries, in order of places."""
    found = [d for host in resolved.hosts for d in check_host(host)]
    found += check_fleet(tuple(map(summarise, resolved.hosts)))
    return in_order(found)
