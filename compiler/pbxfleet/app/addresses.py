"""Which addresses others see of a fleet, from what is declared; no host is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.app.fleet import Fleet
from pbxfleet.app.reading import read_fleet
from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.report.addresses import HostAddresses, host_addresses


def fleet_addresses(
    repository: str, only: Sequence[str]
) -> tuple[Fleet, tuple[HostAddresses, ...]]:
    """The addresses of every host, or of those in `only`; none if the fleet has an error.

    Raises Refused if a named host is not declared.
    """
    fleet = read_fleet(repository)
    if fleet.resolved is None:
        return fleet, ()
    known = {host.name: host for host in fleet.resolved.hosts}
    for name in only:
        if name not in known:
            raise Refused(f"{name} is not a declared host", hint=did_you_mean(name, known))
    wanted = (host for name, host in known.items() if not only or name in only)
    return fleet, tuple(host_addresses(host) for host in wanted)
