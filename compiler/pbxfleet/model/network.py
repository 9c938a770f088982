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


MOST_LABEL = 15  # characters of an address label (IFNAMSIZ without its end)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def alias_name(interface: str, address: Address) -> str:
    """The alias of an IPv4 address: it depends on these two alone, so that no other one moves it.

    The address as a number of 8 digits to base 16; where there is less room, its last digits to base
    36, of which 7 hold it whole. `ifup-aliases` takes letters and digits (initscripts). Without room
    for a single digit it ends in the colon.
    """
    room = MOST_LABEL - len(interface) - 1
    if room >= 8:
        return f"{interface}:{int(address):08x}"
    rest, digits = int(address), ""
    for _ in range(min(room, 7)):
        rest, digit = divmod(rest, 36)
        digits = _DIGITS[digit] + digits
    return f"{interface}:{digits}"


def standard_addresses(file: HostFile) -> dict[Address, Span]:
    """The host's own addresses with the place of each, as far as they are declared, in that order."""
    own = {} if file.address is None else {file.address.value: file.address.origin}
    declared = () if file.network is None else file.network.standard
    for standard in declared:
        own.setdefault(standard.value.ip, standard.origin)
    return own
