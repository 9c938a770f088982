"""Network scripts of RHEL up to 8: an alias file for each IPv4 address, beside the operator's file.

Written from the vendor's description of alias files (Red Hat Enterprise Linux 6 deployment guide, section
on alias and clone files): `ifcfg-IF:N` with DEVICE=IF:N, and ONPARENT for the start of the machine.
There are no alias files for IPv6; the checks refuse such an address (NET203).
"""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.paths import HostPath
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.network.base import HEADING, NetworkFile, device, placed_addresses

FOLDER = "/etc/sysconfig/network-scripts"


def files(host: ResolvedHost) -> Iterator[NetworkFile]:
    """One file an address, 0644."""
    name = device(host)
    for position, placed in enumerate(placed_addresses(host)):
        if placed.address.version == 4:
            number = _number(host, placed.address, position)
            lines = (
                f"# {HEADING}",
                f"# {', '.join(placed.used_by)}",
                f"DEVICE={name}:{number}",
                f"IPADDR={placed.address}",
                f"PREFIX={placed.prefix}",
                "ONPARENT=yes",
            )
            path = HostPath(f"{FOLDER}/ifcfg-{name}:{number}")
            yield NetworkFile(path, "\n".join((*lines, "")).encode(), 0o644)


def _number(host: ResolvedHost, address: Address, position: int) -> int:
    """Number of the alias: the place among the assigned addresses, so that none ever moves."""
    before = 0
    for assigned in host.file.addresses:
        if address in assigned.value:
            return before + int(address) - int(assigned.value.first)
        before += assigned.value.size if assigned.value.first.version == 4 else 0
    return before + position
