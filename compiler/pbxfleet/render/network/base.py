"""What all network backends share: a file, and the addresses that belong into it."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.model.net import Address
from pbxfleet.model.network import HostNetwork
from pbxfleet.model.resolved import ResolvedHost

HEADING = "Written by pbxfleet. A change made here is drift; the next apply undoes it."


class NetworkFile(NamedTuple):
    """A file of the host's network, with its permission bits."""

    path: HostPath
    content: bytes
    mode: int


class Placed(NamedTuple):
    """An address of instances with the prefix length in bits that it is put on the interface with."""

    address: Address
    prefix: int
    used_by: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix}"


def declared_network(host: ResolvedHost) -> HostNetwork:
    """The table [network] of a host that has one."""
    assert host.file.network is not None, "asked for by the table"
    return host.file.network


def device(host: ResolvedHost) -> str:
    """The interface; the checks refuse a backend without one (NET201)."""
    interface = declared_network(host).interface
    return "" if interface is None else interface.value


def placed_addresses(host: ResolvedHost) -> tuple[Placed, ...]:
    """Addresses that instances use, IPv4 first, each family in order.

    Without the host's standard address, which is there already, and without loopback addresses.
    """
    network = declared_network(host)
    standard = None if host.file.address is None else host.file.address.value
    used: dict[Address, list[str]] = {}
    for instance in host.instances:
        for address in dict.fromkeys(a.value for a in instance.addresses):
            used.setdefault(address, []).append(instance.name)
    prefix = {4: network.prefix_ipv4.value, 6: network.prefix_ipv6.value}
    return tuple(
        Placed(address, prefix[address.version], tuple(used[address]))
        for address in sorted(used, key=lambda a: (a.version, int(a)))
        if address != standard and not address.is_loopback
    )
