"""What the packet filter lets in: ports of the addresses of instances, and who may reach web ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import collapse_addresses
from typing import NamedTuple

from pbxfleet.model.desired import Role
from pbxfleet.model.net import Address, Bind, Family, Protocol, joined
from pbxfleet.model.network import Network, standard_addresses
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance

ADMIN_ROLES = (Role.HTTP.value, Role.HTTPS.value)
VERSIONS = {Family.IPV4: (4,), Family.IPV6: (6,), Family.ANY: (4, 6)}


class Opening(NamedTuple):
    """Ports `first` to `last`, both included, of one address and protocol."""

    address: Address
    protocol: Protocol
    first: int
    last: int


class AdminOpening(NamedTuple):
    """A TCP port of one address that one network may reach."""

    address: Address
    network: Network
    port: int


class Openings(NamedTuple):
    """The filter of a host; every list in order of addresses, without overlaps.

    `managed` are the addresses that it looks at: all that instances use, but for the host's standard
    addresses and loopback.
    """

    managed: tuple[Address, ...]
    open: tuple[Opening, ...]
    admin: tuple[AdminOpening, ...]


def openings(host: ResolvedHost) -> Openings:
    """What is open on a host, in time proportional to the number of its listeners."""
    managed = managed_addresses(host)
    ports: dict[tuple[Address, Protocol], list[tuple[int, int]]] = {}
    admin: dict[tuple[Address, int], list[Network]] = {}
    for instance in host.instances:
        allowed = [network.value for network in instance.admin_allow]
        for listener in instance.listeners:
            port = listener.bind.port
            web = bool(allowed) and listener.role in ADMIN_ROLES
            for address in _addresses(listener.bind, managed):
                for protocol in listener.protocols:
                    if not web:
                        ports.setdefault((address, protocol), []).append((port, port))
                    elif protocol is Protocol.TCP:
                        admin.setdefault((address, port), []).extend(allowed)
        if instance.rtp is not None:
            media = (instance.rtp.value.first, instance.rtp.value.last)
            for address in media_addresses(instance):
                if address in managed:
                    ports.setdefault((address, Protocol.UDP), []).append(media)
    return Openings(tuple(managed), tuple(_open(ports)), tuple(_admin(admin)))


def managed_addresses(host: ResolvedHost) -> dict[Address, None]:
    """Addresses that instances use, IPv4 first, without the host's own ones and without loopback."""
    own = standard_addresses(host.file)
    used = {a.value for instance in host.instances for a in instance.addresses}
    used |= {
        listener.bind.address
        for instance in host.instances
        for listener in instance.listeners
        if listener.bind.address is not None
    }
    kept = (a for a in used if a not in own and not a.is_loopback)
    return dict.fromkeys(sorted(kept, key=_order))


def media_addresses(instance: ResolvedInstance) -> Iterator[Address]:
    """Addresses of an instance that media may come to.

    The documented bind of media is for IPv4 only; what is not bound by it is left open in the range.
    """
    bind = instance.rtp_bind
    for address in dict.fromkeys(a.value for a in instance.addresses):
        if bind is None or address.version != bind.value.version or address == bind.value:
            yield address


def _addresses(bind: Bind, managed: Mapping[Address, None]) -> Iterable[Address]:
    """Managed addresses that a bind takes packets of; a wildcard takes those of every instance."""
    if bind.address is not None:
        return [bind.address] if bind.address in managed else []
    return [address for address in managed if address.version in VERSIONS[bind.family]]


def _open(ports: Mapping[tuple[Address, Protocol], list[tuple[int, int]]]) -> Iterator[Opening]:
    for address, protocol in sorted(ports, key=lambda key: (_order(key[0]), key[1])):
        for first, last in joined(ports[address, protocol]):
            yield Opening(address, protocol, first, last)


def _admin(admin: Mapping[tuple[Address, int], list[Network]]) -> Iterator[AdminOpening]:
    for address, port in sorted(admin, key=lambda key: (_order(key[0]), key[1])):
        for network in collapsed(admin[address, port], address.version):
            yield AdminOpening(address, network, port)


def collapsed(networks: Iterable[Network], version: int) -> list[Network]:
    """Networks of one family without overlaps, in order."""
    return list(collapse_addresses(n for n in networks if n.version == version))  # type: ignore[type-var]


def _order(address: Address) -> tuple[int, int]:
    return (address.version, int(address))
