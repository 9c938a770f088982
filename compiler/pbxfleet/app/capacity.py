"""What hosts have left, and what instances and tenants cost, from the repository alone."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.app.fleet import Fleet
from pbxfleet.app.reading import read_fleet
from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.model.capacity import Capacity
from pbxfleet.resolve.allocate_capacity import capacity_of
from pbxfleet.resolve.layers import join


def fleet_capacity(repository: str, only: Sequence[str]) -> tuple[Fleet, tuple[Capacity, ...]]:
    """The capacity of every host, or of those in `only`; nothing if the fleet has an error.

    Counted as the next compile leaves it. Raises Refused if a named host is not declared.
    """
    fleet = read_fleet(repository)
    return fleet, capacities(fleet, only)


def capacities(fleet: Fleet, only: Sequence[str]) -> tuple[Capacity, ...]:
    """The same of a fleet that was read already."""
    if fleet.resolved is None or fleet.ledger is None or fleet.desired is None:
        return ()
    known = {host.name: host for host in fleet.resolved.hosts}
    for name in only:
        if name not in known:
            raise Refused(f"{name} is not a declared host", hint=did_you_mean(name, known))
    found = []
    for name, host in known.items():
        if not only or name in only:
            defaults = join(host.file.defaults, fleet.desired.fleet.defaults)
            found.append(capacity_of(host, defaults, fleet.ledger))
    return tuple(found)
