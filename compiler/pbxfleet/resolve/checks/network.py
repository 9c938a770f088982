"""The host's [network]: each backend has what it needs, the filter knows what to let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from ipaddress import ip_network

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import ServiceBackend, Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.network import (
    MOST_LABEL,
    Firewall,
    HostNetwork,
    NetworkBackend,
    alias_name,
    standard_addresses,
)
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.model.services import ContainerNetwork
from pbxfleet.resolve.pools import address_fault

HOST_ROUTES = {4: 32, 6: 128}


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """NET201 to NET204, NET206, NET207 ([network]), FWL101 to FWL105, NET211 to NET214 (sources)."""
    # What a layer under the instances says is reported once, not once an instance.
    yield from dict.fromkeys(_all(host))


def _all(host: ResolvedHost) -> Iterator[Diagnostic]:
    network = host.file.network
    if network is not None:
        yield from _keys(network)
        yield from _ifcfg(host, network)
        yield from _prefixes(host, network)
        yield from _containers(host, network)
        if network.firewall.value is Firewall.NFTABLES:
            yield from _filtered(host)
    usable = {
        *standard_addresses(host.file),
        *(a.value for i in host.instances for a in i.addresses),
    }
    for instance in host.instances:
        yield from _allow_list(host, instance)
        yield from _sources(host, instance, usable)


def _keys(network: HostNetwork) -> Iterator[Diagnostic]:
    """NET201 for keys that a backend needs, NET202 for keys that it has no use for."""
    backend = network.backend
    networkd, manager = NetworkBackend.NETWORKD, NetworkBackend.NETWORKMANAGER
    if backend.value is not NetworkBackend.OFF and network.interface is None:
        yield _lacks(backend, "interface", 'say on which one, for example interface = "eth0"')
    if backend.value is networkd and network.network_file is None:
        hint = "name the file of the interface; networkctl status IF shows it as Network File"
        yield _lacks(backend, "network_file", hint)
    families = {standard.value.version for standard in network.standard}
    for gateway in network.gateway:
        if backend.value is manager and gateway.value.version not in families:
            family = f"IPv{gateway.value.version}"
            hint = f"say standard with the host's own {family} address and prefix length"
            yield Diagnostic(
                "NET204",
                f"there is a gateway for {family} but no address of the host's own",
                gateway.origin,
                hint=hint,
            )
    unused: tuple[tuple[str, Sequence[Span], NetworkBackend], ...] = (
        ("network_file", [network.network_file.origin] if network.network_file else [], networkd),
        ("gateway", [one.origin for one in network.gateway], manager),
        ("dns", [one.origin for one in network.dns], manager),
    )
    for key, places, wanted in unused:
        if places and backend.value is not wanted:
            yield Diagnostic(
                "NET202",
                f'{key} is for backend "{wanted}", this host has "{backend.value}"',
                places[0],
                related=((backend.origin, "chosen here"),),
                hint="remove it: it would change nothing",
            )


def _lacks(backend: Sourced[NetworkBackend], key: str, hint: str) -> Diagnostic:
    message = f'backend "{backend.value}" needs the key {key}'
    return Diagnostic("NET201", message, backend.origin, hint=hint)


def _ifcfg(host: ResolvedHost, network: HostNetwork) -> Iterator[Diagnostic]:
    """NET203 for what alias files cannot hold: IPv6, and interface names that leave no room."""
    if network.backend.value is not NetworkBackend.IFCFG:
        return
    for instance in host.instances:
        for address in instance.addresses:
            if address.value.version == 6:
                yield Diagnostic(
                    "NET203",
                    f"alias files cannot hold the IPv6 address {address.value}",
                    address.origin,
                    related=((network.backend.origin, "alias files are chosen here"),),
                    hint="choose another backend, or keep addresses by hand with backend = off",
                )
    if network.interface is not None:
        yield from _alias_names(host, network.interface)


def _alias_names(host: ResolvedHost, interface: Sourced[str]) -> Iterator[Diagnostic]:
    """NET203 where the interface's name leaves too little room to tell addresses from each other."""
    seen: dict[str, Sourced[Address]] = {}
    for address in (a for i in host.instances for a in i.addresses if a.value.version == 4):
        name = alias_name(interface.value, address.value)
        first = seen.setdefault(name, address)
        if name.endswith(":"):
            message = f"{interface.value} leaves no room for the alias of {address.value}"
        elif first.value != address.value:
            message = f"{address.value} and {first.value} would both be {name}"
        else:
            continue
        yield Diagnostic(
            "NET203",
            message,
            address.origin,
            related=((interface.origin, "the interface"),),
            hint=f"labels such as eth0:cb00710a have at most {MOST_LABEL} characters",
        )


def _containers(host: ResolvedHost, network: HostNetwork) -> Iterator[Diagnostic]:
    """NET207 and FWL104 where instances are containers that have their addresses beside the host."""
    compose = host.file.compose
    if host.services is not ServiceBackend.COMPOSE or compose is None:
        return
    if compose.network.value is ContainerNetwork.HOST:
        return
    related = ((compose.network.origin, "containers have networks of their own"),)
    if network.backend.value is not NetworkBackend.OFF:
        yield Diagnostic(
            "NET207",
            "addresses of containers would be put on the host, too",
            network.backend.origin,
            related=related,
            hint="remove backend: the container engine gives containers their addresses",
        )
    if network.firewall.value is not Firewall.OFF:
        yield Diagnostic(
            "FWL104",
            "packets to these containers pass the host's firewall by",
            network.firewall.origin,
            related=related,
            hint="remove firewall, or run the containers on the network of the host",
        )


def _prefixes(host: ResolvedHost, network: HostNetwork) -> Iterator[Diagnostic]:
    """NET206 for a prefix length by which an address would be that of a network."""
    prefixes = {4: network.prefix_ipv4, 6: network.prefix_ipv6}
    for instance in host.instances:
        for address in instance.addresses:
            version = address.value.version
            prefix = prefixes[version]
            if prefix.value >= HOST_ROUTES[version] - 1:
                continue
            net = ip_network(f"{address.value}/{prefix.value}", strict=False)
            if address.value in ((net[0], net[-1]) if version == 4 else (net[0],)):
                yield Diagnostic(
                    "NET206",
                    f"with prefix length {prefix.value}, {address.value} is an end of {net}",
                    address.origin,
                    related=((prefix.origin, "the prefix length"),),
                    hint=f"an address that is routed to the host has {HOST_ROUTES[version]}",
                )


def _filtered(host: ResolvedHost) -> Iterator[Diagnostic]:
    """FWL101 for the standard address, which is never filtered; FWL102 for unknown media ports.

    Of one that is reserved NET103 says more.
    """
    own = standard_addresses(host.file)
    for instance in host.instances:
        for address in instance.addresses:
            if address.value in own and address_fault(host.file, address.value) is None:
                yield Diagnostic(
                    "FWL101",
                    f"{instance.name} uses {address.value}, which the firewall does not look at",
                    address.origin,
                    Severity.WARNING,
                    related=((own[address.value], "it is the host's own address"),),
                    hint="give it an address of its own: closing this one would close SSH too",
                )
        if instance.rtp is None:
            yield Diagnostic(
                "FWL102",
                f"the firewall would close all media of {instance.name}: its ports are not known",
                instance.span,
                hint="say rtp for the instance or its host, as it stands in the PBX",
            )


def _allow_list(host: ResolvedHost, instance: ResolvedInstance) -> Iterator[Diagnostic]:
    """FWL103 for an allow-list that nothing enforces, FWL105 for one that keeps out too many."""
    network = host.file.network
    if not instance.admin_allow:
        return
    everybody = any(allowed.value.prefixlen == 0 for allowed in instance.admin_allow)
    if instance.acme is not None and instance.acme.value and not everybody:
        yield Diagnostic(
            "FWL105",
            f"admin_allow keeps the certificate authority away from {instance.name}",
            instance.acme.origin,
            related=((instance.admin_allow[0].origin, "only these reach its web ports"),),
            hint="remove admin_allow, or acme and give the instance its certificate by hand",
        )
    if network is None or network.firewall.value is Firewall.OFF:
        yield Diagnostic(
            "FWL103",
            f"nothing enforces admin_allow: {host.name} has no firewall",
            instance.admin_allow[0].origin,
            hint='say firewall = "nftables" in [network] of the host, or remove admin_allow',
        )


def _sources(
    host: ResolvedHost, instance: ResolvedInstance, usable: AbstractSet[Address]
) -> Iterator[Diagnostic]:
    """NET211 to NET214 for source addresses that cannot be given."""
    seen: dict[int, Sourced[Address]] = {}
    own = standard_addresses(host.file)
    for wish in instance.source_addresses[:1]:
        if host.services is not ServiceBackend.SYSTEMD:
            yield Diagnostic(
                "NET211",
                f'source addresses need services = "systemd", {host.name} has "{host.services}"',
                wish.origin,
                related=((host.file.services.origin, "chosen here"),),
                hint="the kernel tells instances apart by the cgroups that systemd makes",
            )
    for wish in instance.source_addresses:
        first = seen.setdefault(wish.value.version, wish)
        if first is not wish:
            yield Diagnostic(
                "NET212",
                f"{instance.name} has two source addresses of one family",
                wish.origin,
                related=((first.origin, "the first one"),),
                hint="keep one for IPv4 and one for IPv6",
            )
        if wish.value not in usable:
            fault = address_fault(host.file, wish.value)
            why = fault.why if fault is not None else "is not used by any instance of the host"
            yield Diagnostic(
                "NET213",
                f"source address {wish.value} {why}",
                wish.origin,
                hint='answers come back to it: choose "own", or an address that an instance has',
            )
        if not any(address.version == wish.value.version for address in own):
            yield Diagnostic(
                "NET214",
                f"the IPv{wish.value.version} address that {host.name} sends from is not declared",
                wish.origin,
                hint="say it in standard of [network], for example "
                + ('"203.0.113.2/24"' if wish.value.version == 4 else '"2001:db8::2/64"'),
            )
