"""What a host's [network] is made of: address configuration, packet filter, source addresses.

Everything here is written for the next start of the machine, or for the command that the plan names:
nothing reconfigures a live interface or filter by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.network import NetworkBackend
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.network import ifcfg, netplan, networkd, networkmanager, nftables
from pbxfleet.render.network.base import NetworkFile

ADDRESS_FILES: Mapping[NetworkBackend, Callable[[ResolvedHost], Iterator[NetworkFile]]] = {
    NetworkBackend.NETWORKD: networkd.files,
    NetworkBackend.NETPLAN: netplan.files,
    NetworkBackend.NETWORKMANAGER: networkmanager.files,
    NetworkBackend.IFCFG: ifcfg.files,
}


def network_files(host: ResolvedHost) -> Iterator[NetworkFile]:
    """Files of the host's network, in no particular order; none unless something asks for them."""
    yield from _address_files(host)
    yield from nftables.files(host)


def network_paths(host: ResolvedHost) -> Iterator[HostPath]:
    """Paths of `network_files`; their contents, which take their time, are not made."""
    yield from (file.path for file in _address_files(host))
    yield from nftables.paths(host)


def _address_files(host: ResolvedHost) -> Iterator[NetworkFile]:
    declared = host.file.network
    if declared is not None and declared.backend.value in ADDRESS_FILES:
        yield from ADDRESS_FILES[declared.backend.value](host)


def origins(host: ResolvedHost) -> tuple[Span, ...]:
    """Where it is declared: the table [network], or what asks for source addresses."""
    if host.file.network is not None:
        return (host.file.network.span,)
    wishes = (s.origin for i in host.instances for s in i.source_addresses)
    return tuple(dict.fromkeys(wishes))[:1] or (host.file.span,)
