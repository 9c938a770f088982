"""Network of a host as people declare it: where addresses are written, and what is let in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from typing import TypeAlias

from pbxfleet.core.span import Span
from pbxfleet.model.desired import HostFile, Sourced
from pbxfleet.model.net import Address

Network: TypeAlias = IPv4Network | IPv6Network
Interface: TypeAlias = IPv4Interface | IPv6Interface


class NetworkBackend(StrEnum):
    """What keeps the addresses of a host; `off` leaves them to the operator."""

    OFF = "off"
    NETWORKD = "networkd"
    NETPLAN = "netplan"
    NETWORKMANAGER = "networkmanager"
    IFCFG = "ifcfg"


class Firewall(StrEnum):
    """What filters packets to the addresses of instances."""

    OFF = "off"
    NFTABLES = "nftables"


class DeviceType(StrEnum):
    """Section of a netplan file in which the interface stands."""

    ETHERNETS = "ethernets"
    BONDS = "bonds"
    BRIDGES = "bridges"
    VLANS = "vlans"


class Own(StrEnum):
    """Source address of outgoing TCP: the first address of the instance in each family."""

    OWN = "own"


SourceWish: TypeAlias = Address | Own


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """The table [network] of a host; None means that the key is not there.

    `prefix_ipv4` and `prefix_ipv6` are prefix lengths in bits of the addresses of instances.
    `standard`, `gateway` and `dns` are for a profile that stands alone (NetworkManager).
    """

    span: Span = field(compare=False)
    backend: Sourced[NetworkBackend]
    firewall: Sourced[Firewall]
    prefix_ipv4: Sourced[int]
    prefix_ipv6: Sourced[int]
    device_type: Sourced[DeviceType]
    interface: Sourced[str] | None = None
    network_file: Sourced[str] | None = None
    standard: tuple[Sourced[Interface], ...] = ()
    gateway: tuple[Sourced[Address], ...] = ()
    dns: tuple[Sourced[Address], ...] = ()


def standard_addresses(file: HostFile) -> dict[Address, Span]:
    """The host's own addresses with the place of each, as far as they are declared, in that order."""
    own = {} if file.address is None else {file.address.value: file.address.origin}
    declared = () if file.network is None else file.network.standard
    for standard in declared:
        own.setdefault(standard.value.ip, standard.origin)
    return own
