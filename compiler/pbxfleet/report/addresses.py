"""Which addresses others see, for their allow-lists: partners, mail servers, firewalls of customers.

What the PBX opens over TCP leaves from the host's standard address unless `source_address` says otherwise;
SIP and media leave from the sockets that the instance has bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pbxfleet.model.net import Address, Bind, Family, Protocol
from pbxfleet.model.network import standard_addresses
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance

VERSIONS = (4, 6)
ANY_PROTOCOL = "any"


class Ports(NamedTuple):
    """Ports `first` to `last`, both included, of one address; `protocol` may be `any`."""

    address: str
    protocol: str
    first: int
    last: int


class InstanceAddresses(NamedTuple):
    """One instance as others see it.

    `outgoing_tcp` are the addresses that its TCP connections leave from, `source_address` whether they
    are chosen for it; `unknown` are families (4, 6) that it has and of which that is not declared.
    `spf` are terms for the records of `domains`. `partners` are all addresses that anything comes from.
    `listens` is what others must be able to reach.
    """

    name: str
    outgoing_tcp: tuple[str, ...]
    source_address: bool
    unknown: tuple[int, ...]
    spf: tuple[str, ...]
    domains: tuple[str, ...]
    partners: tuple[str, ...]
    listens: tuple[Ports, ...]


class HostAddresses(NamedTuple):
    """A host's standard addresses as declared, and its instances in order of their names."""

    host: str
    standard: tuple[str, ...]
    instances: tuple[InstanceAddresses, ...]


def host_addresses(host: ResolvedHost) -> HostAddresses:
    """The addresses of a host as others see them."""
    standard = tuple(standard_addresses(host.file))
    return HostAddresses(
        host.name, _texts(standard), tuple(_instance(i, standard) for i in host.instances)
    )


def _instance(instance: ResolvedInstance, standard: Sequence[Address]) -> InstanceAddresses:
    own = [a.value for a in instance.addresses]
    chosen = [wish.value for wish in instance.source_addresses]
    outgoing: list[Address] = []
    unknown: list[int] = []
    for version in VERSIONS:
        found = [a for a in chosen or standard if a.version == version]
        found = found or [a for a in standard if a.version == version]
        outgoing += found
        has_one = any(a.version == version for a in own)
        unknown += [version] if has_one and not found else []
    return InstanceAddresses(
        name=instance.name,
        outgoing_tcp=_texts(outgoing),
        source_address=bool(chosen),
        unknown=tuple(unknown),
        spf=tuple(f"ip{a.version}:{a}" for a in _in_order(outgoing)),
        domains=tuple(tenant.value for tenant in instance.tenants),
        partners=_texts((*outgoing, *own)),
        listens=tuple(_listens(instance, own)),
    )


def _listens(instance: ResolvedInstance, own: Sequence[Address]) -> list[Ports]:
    found: set[tuple[Address, str, int, int]] = set()
    for listener in instance.listeners:
        protocols = listener.protocols
        word = protocols[0].value if len(protocols) == 1 else ANY_PROTOCOL
        port = listener.bind.port
        found.update((address, word, port, port) for address in _bound(listener.bind, own))
    if instance.rtp is not None:
        first, last = instance.rtp.value.first, instance.rtp.value.last
        bind = instance.rtp_bind
        media = own if bind is None else (bind.value,)
        found.update((address, Protocol.UDP.value, first, last) for address in media)
    in_order = sorted(found, key=lambda f: (f[0].version, int(f[0]), *f[1:]))
    return [Ports(str(address), word, first, last) for address, word, first, last in in_order]


def _bound(bind: Bind, own: Iterable[Address]) -> list[Address]:
    if bind.address is not None:
        return [bind.address]
    wanted = {Family.IPV4: (4,), Family.IPV6: (6,), Family.ANY: VERSIONS}[bind.family]
    return [address for address in own if address.version in wanted]


def _texts(addresses: Iterable[Address]) -> tuple[str, ...]:
    return tuple(str(address) for address in _in_order(addresses))


def _in_order(addresses: Iterable[Address]) -> list[Address]:
    """Each once, IPv4 first, each family in order."""
    return sorted(set(addresses), key=lambda a: (a.version, int(a)))


def addresses_data(hosts: Iterable[HostAddresses]) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [
        {
            "host": host.host,
            "standard": list(host.standard),
            "instances": [_instance_data(instance) for instance in host.instances],
        }
        for host in hosts
    ]


def _instance_data(instance: InstanceAddresses) -> dict[str, Any]:
    data: dict[str, Any] = instance._asdict()
    return {
        **{key: list(v) if isinstance(v, tuple) else v for key, v in data.items()},
        "unknown": [f"ipv{version}" for version in instance.unknown],
        "listens": [ports._asdict() for ports in instance.listens],
    }


def addresses_text(hosts: Iterable[HostAddresses]) -> str:
    """For people: one paragraph a host, one block an instance."""
    lines: list[str] = []
    for host in hosts:
        lines += [f"{host.host}: sends from {' '.join(host.standard) or 'an address not declared'}"]
        for instance in host.instances:
            lines += _instance_lines(instance)
        lines.append("")
    return "\n".join(lines)


def _instance_lines(instance: InstanceAddresses) -> list[str]:
    why = "its source_address" if instance.source_address else "the host's standard address"
    lines = [f"  {instance.name}"]
    shown = " ".join(instance.outgoing_tcp) or "(not declared)"
    lines.append(f"    outgoing TCP  {shown}   {why}")
    if instance.unknown:
        families = " and ".join(f"IPv{version}" for version in instance.unknown)
        lines.append(f"                  {families}: not declared (standard in [network])")
    if instance.spf:
        for_domains = f"   for {' '.join(instance.domains)}" if instance.domains else ""
        lines.append(f"    SPF           {' '.join(instance.spf)}{for_domains}")
    lines.append(f"    comes from    {' '.join(instance.partners)}")
    for (address, protocol), ports in _by_address(instance.listens).items():
        lines.append(f"    listens on    {address} {protocol} {','.join(ports)}")
    return lines


def _by_address(listens: Iterable[Ports]) -> Mapping[tuple[str, str], list[str]]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for ports in listens:
        word = str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"
        grouped.setdefault((ports.address, ports.protocol), []).append(word)
    return grouped
