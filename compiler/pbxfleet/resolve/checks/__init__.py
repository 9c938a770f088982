"""Checks over whole hosts and the whole fleet: one file per family of diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pbxfleet.core.diagnostics import Diagnostic, in_order
from pbxfleet.model.resolved import Resolved, ResolvedHost
from pbxfleet.resolve.checks import (
    addresses,
    advice,
    cpus,
    failover,
    listeners,
    paths,
    rtp,
)

HOST_CHECKS: tuple[Callable[[ResolvedHost], Iterator[Diagnostic]], ...] = (
    listeners.check,
    rtp.check,
    addresses.check,
    cpus.check,
    paths.check,
    advice.check_host,
)
FLEET_CHECKS: tuple[Callable[[Resolved], Iterator[Diagnostic]], ...] = (
    failover.check,
    advice.check_fleet,
)


def check(resolved: Resolved) -> tuple[Diagnostic, ...]:
    """Everything that cannot be true together or deserves attention, in order of places.

    Takes time in proportion to the number of instances. Reports BND101, BND106, RTP101 to RTP104,
    NET101 to NET104, CPU101 to CPU104, DIR102 to DIR107, FLO104 to FLO106 and ADV102 to ADV105.
    """
    found = [d for host in resolved.hosts for run in HOST_CHECKS for d in run(host)]
    found += [d for run in FLEET_CHECKS for d in run(resolved)]
    return in_order(found)
