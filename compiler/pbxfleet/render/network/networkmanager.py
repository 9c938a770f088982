"""NetworkManager: a whole profile of the interface, because profiles are not joined.

A device has one active profile. A second one with only our addresses would take down the operator's, so
this one takes its place, with the host's own addresses, routers and name servers (nm-settings-keyfile(5)).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from pbxfleet.core.paths import HostPath
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.network.base import (
    HEADING,
    NetworkFile,
    declared_network,
    device,
    placed_addresses,
)
from pbxfleet.render.own_templates import render

FOLDER = "/etc/NetworkManager/system-connections"


def profile_name(host: ResolvedHost) -> str:
    """Name of the profile, as `nmcli connection up` wants it."""
    return f"pbxfleet-{device(host)}"


def files(host: ResolvedHost) -> Iterator[NetworkFile]:
    """The profile, 0600: NetworkManager ignores profiles that others may read."""
    name = profile_name(host)
    text = render("networkmanager.nmconnection.j2", Values(host, name), {})
    yield NetworkFile(HostPath(f"{FOLDER}/{name}.nmconnection"), text.encode(), 0o600)


class Values:
    """What the template sees. The id of the profile follows from host and interface alone."""

    heading = HEADING

    def __init__(self, host: ResolvedHost, name: str) -> None:
        self.name = name
        self.device = device(host)
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.device}.{host.name}.pbxfleet"))
        self.families = (Family(host, 4), Family(host, 6))


class Family:
    """One of the sections [ipv4] and [ipv6]: automatic unless the host's own address is declared."""

    def __init__(self, host: ResolvedHost, version: int) -> None:
        network = declared_network(host)
        own = [str(s.value) for s in network.standard if s.value.version == version]
        placed = [str(p) for p in placed_addresses(host) if p.address.version == version]
        self.section = f"ipv{version}"
        self.method = "manual" if own else "auto"
        self.addresses = tuple(dict.fromkeys((*own, *placed)))
        self.gateway = next(_of(version, (g.value for g in network.gateway)), "")
        self.dns = tuple(_of(version, (d.value for d in network.dns)))


def _of(version: int, addresses: Iterable[Address]) -> Iterator[str]:
    return (str(address) for address in addresses if address.version == version)
