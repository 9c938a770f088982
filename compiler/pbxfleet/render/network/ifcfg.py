"""Network scripts of RHEL up to 8: an alias file for each IPv4 address, beside the operator's file.

Written from the vendor's description of alias files (Red Hat Enterprise Linux 6 deployment guide, section
on alias and clone files): `ifcfg-IF:N` with DEVICE=IF:N, where N may have letters, and
ONPARENT for the start of the machine.
There are no alias files for IPv6; the checks refuse such an address (NET203).
"""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.paths import HostPath
from pbxfleet.model.network import alias_name
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.network.base import HEADING, NetworkFile, device, placed_addresses

FOLDER = "/etc/sysconfig/network-scripts"


def files(host: ResolvedHost) -> Iterator[NetworkFile]:
    """One file an address, 0644."""
    name = device(host)
    for placed in placed_addresses(host):
        if placed.address.version == 4:
            alias = alias_name(name, placed.address)
            lines = (
                f"# {HEADING}",
                f"# {', '.join(placed.used_by)}",
                f"DEVICE={alias}",
                f"IPADDR={placed.address}",
                f"PREFIX={placed.prefix}",
                "ONPARENT=yes",
            )
            path = HostPath(f"{FOLDER}/ifcfg-{alias}")
            yield NetworkFile(path, "\n".join((*lines, "")).encode(), 0o644)
