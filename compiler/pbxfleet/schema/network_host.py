"""Readers and model of a host's [network], and of what instances say about their packets."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address, ip_interface, ip_network
from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.network import (
    DeviceType,
    Firewall,
    HostNetwork,
    Interface,
    Network,
    NetworkBackend,
    Own,
    SourceWish,
)
from pbxfleet.schema import shapes
from pbxfleet.schema.network import address
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.scalars import one_of, text_of, whole
from pbxfleet.schema.table import Items, Reads, Table
from pbxfleet.source.nodes import Node

_NETWORK = 'a network such as "198.51.100.0/24", or one address'
_INTERFACE_ADDRESS = 'an address with its prefix length such as "203.0.113.2/24"'
_SOURCE = '"own" or an address'
_DEVICE = 'the name of an interface such as "eth0"'
_FILE = 'the name of a file such as "10-eth0.network"'

FILE_PATTERN = r"^[A-Za-z0-9_@-][A-Za-z0-9_.@-]*\.network$"


def network(node: Node) -> Sourced[Network]:
    """A network in CIDR form; an address is the network of itself. Problems: NET205."""
    found = text_of(node, _NETWORK)
    with suppress(ValueError):
        return Sourced(ip_network(found.text), found.span)
    hint = ""
    with suppress(ValueError):
        hint = f'write "{ip_network(found.text, strict=False)}" for the whole network'
    raise problem("NET205", f'{KEY} must be {_NETWORK}, not "{found.text}"', hint=hint)


def interface_address(node: Node) -> Sourced[Interface]:
    """An address with its prefix length. Problems: NET205."""
    found = text_of(node, _INTERFACE_ADDRESS)
    try:
        if "/" in found.text and "%" not in found.text:
            return Sourced(ip_interface(found.text), found.span)
    except ValueError:
        pass
    raise problem("NET205", f'{KEY} must be {_INTERFACE_ADDRESS}, not "{found.text}"')


def gateway(node: Node) -> Sourced[Address]:
    """A literal address, link-local ones among them. Problems: NET205."""
    wanted = "the address of a router"
    found = text_of(node, wanted)
    try:
        if "%" not in found.text:
            return Sourced(ip_address(found.text), found.span)
    except ValueError:
        pass
    raise problem("NET205", f'{KEY} must be {wanted}, not "{found.text}"')


def source_wish(node: Node) -> Sourced[SourceWish]:
    """`own`, or a literal address. Problems: FMT116."""
    found = text_of(node, _SOURCE)
    if found.text == Own.OWN:
        return Sourced(Own.OWN, found.span)
    literal = address(node)
    return Sourced(literal.value, literal.origin)


def device(node: Node) -> Sourced[str]:
    """The name of a network interface. Problems: NET205."""
    return _named(node, _DEVICE, shapes.DEVICE_PATTERN)


def network_file(node: Node) -> Sourced[str]:
    """The name of a `.network` file of systemd-networkd, without folder. Problems: NET205."""
    return _named(node, _FILE, FILE_PATTERN)


def _named(node: Node, wanted: str, pattern: str) -> Sourced[str]:
    found = text_of(node, wanted)
    if re.fullmatch(pattern, found.text) is None or found.text in (".", ".."):
        raise problem("NET205", f'{KEY} must be {wanted}, not "{found.text}"')
    return Sourced(found.text, found.span)


_Device: TypeAlias = Annotated[Sourced[str], Reads(device, shapes.DEVICE)]
_NetworkFile: TypeAlias = Annotated[
    Sourced[str], Reads(network_file, {"type": "string", "pattern": FILE_PATTERN})
]
_Backend: TypeAlias = Annotated[
    Sourced[NetworkBackend],
    Reads(one_of(NetworkBackend), shapes.words(NetworkBackend)),
]
_Firewall: TypeAlias = Annotated[Sourced[Firewall], Reads(one_of(Firewall), shapes.words(Firewall))]
_DeviceType: TypeAlias = Annotated[
    Sourced[DeviceType], Reads(one_of(DeviceType), shapes.words(DeviceType))
]
_Interface: TypeAlias = Annotated[
    Sourced[Interface], Reads(interface_address, shapes.INTERFACE_ADDRESS)
]
_Router: TypeAlias = Annotated[Sourced[Address], Reads(gateway, shapes.ADDRESS)]
_Server: TypeAlias = Annotated[Sourced[Address], Reads(address, shapes.ADDRESS)]
_SourceWish: TypeAlias = Annotated[
    Sourced[SourceWish], Reads(source_wish, shapes.either({"const": "own"}, shapes.ADDRESS))
]
_Network: TypeAlias = Annotated[Sourced[Network], Reads(network, shapes.NETWORK)]

AdminAllow: TypeAlias = Annotated[list[_Network], Items()]
SourceAddress: TypeAlias = Annotated[
    list[_SourceWish], Items(single=True, wanted='"own", an address or a list of addresses')
]

PREFIX_IPV4 = 32
PREFIX_IPV6 = 128


def _bits(most: int) -> Reads:
    return Reads(whole(1, most), shapes.number(1, most, "bits"))


class NetworkModel(Table):
    """Network of a host: who keeps the addresses of its instances, and what is let in to them."""

    backend: _Backend | None = Field(
        None,
        description="What keeps the addresses of instances over a restart of the machine.",
        examples=["networkd"],
        json_schema_extra={"default": NetworkBackend.OFF},
    )
    interface: _Device | None = Field(
        None, description="Interface that the addresses are put on.", examples=["eth0"]
    )
    network_file: _NetworkFile | None = Field(
        None,
        description="Name of the file of systemd-networkd that configures the interface; the "
        "addresses go into a folder beside it (backend networkd).",
        examples=["10-eth0.network"],
    )
    device_type: _DeviceType | None = Field(
        None,
        description="Section of netplan that the interface stands in (backend netplan).",
        examples=["bonds"],
        json_schema_extra={"default": DeviceType.ETHERNETS},
    )
    prefix_ipv4: Annotated[Sourced[int], _bits(32)] | None = Field(
        None,
        description="Prefix length in bits of the IPv4 addresses of instances.",
        examples=[24],
        json_schema_extra={"default": PREFIX_IPV4},
    )
    prefix_ipv6: Annotated[Sourced[int], _bits(128)] | None = Field(
        None,
        description="Prefix length in bits of the IPv6 addresses of instances.",
        examples=[64],
        json_schema_extra={"default": PREFIX_IPV6},
    )
    standard: Annotated[list[_Interface], Items(single=True, wanted="an address")] | None = Field(
        None,
        description="The host's own addresses with prefix lengths (backend networkmanager); a "
        "family without one is left to DHCP or router advertisements.",
        examples=[["203.0.113.2/24", "2001:db8:1::2/64"]],
    )
    gateway: Annotated[list[_Router], Items(single=True, wanted="an address")] | None = Field(
        None,
        description="Routers of the host (backend networkmanager).",
        examples=[["203.0.113.1", "fe80::1"]],
    )
    dns: Annotated[list[_Server], Items(single=True, wanted="an address")] | None = Field(
        None,
        description="Name servers of the host (backend networkmanager).",
        examples=[["198.51.100.53"]],
    )
    firewall: _Firewall | None = Field(
        None,
        description="What lets in only declared ports to the addresses of instances.",
        examples=["nftables"],
        json_schema_extra={"default": Firewall.OFF},
    )


def lower_network(model: NetworkModel, span: Span) -> HostNetwork:
    """The table as the compiler works with it; values that it does not say point at `span`."""
    return HostNetwork(
        span=span,
        backend=model.backend or Sourced(NetworkBackend.OFF, span),
        firewall=model.firewall or Sourced(Firewall.OFF, span),
        prefix_ipv4=model.prefix_ipv4 or Sourced(PREFIX_IPV4, span),
        prefix_ipv6=model.prefix_ipv6 or Sourced(PREFIX_IPV6, span),
        device_type=model.device_type or Sourced(DeviceType.ETHERNETS, span),
        interface=model.interface,
        network_file=model.network_file,
        standard=tuple(model.standard or ()),
        gateway=tuple(model.gateway or ()),
        dns=tuple(model.dns or ()),
    )
