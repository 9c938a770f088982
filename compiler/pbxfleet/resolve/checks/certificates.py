"""Certificates by HTTP challenge: the challenge must be able to reach port 80 of the instance.

The PBX has ACME built in, and the challenge comes to port 80 (https://doc.vodia.com/docs/admin-certs,
https://web.vodia.com/blog/multiple-instances-single-server).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Role
from pbxfleet.model.net import Address
from pbxfleet.model.network import Firewall
from pbxfleet.model.resolved import Listener, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.problems import Problems

CHALLENGE_PORT = 80

# RFC 1918, RFC 6598 (shared with a provider), RFC 3927, RFC 4193, loopback: no way from outside.
PRIVATE: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("127.0.0.0/8", "fc00::/7", "::1/128"),
    )
)


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """CRT101 no HTTP on port 80, CRT102 on private addresses only, CRT103 an allow-list before it.

    Only for instances that want certificates so (`acme`); all three are warnings or advice, because
    the PBX runs on with the certificate that it has.
    """
    problems = Problems()
    for instance in host.instances:
        if instance.acme is not None and instance.acme.value:
            found = _of_instance(host, instance, instance.acme.origin)
            for diagnostic in found:
                problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()


def _of_instance(
    host: ResolvedHost, instance: ResolvedInstance, place: Span
) -> Iterator[Diagnostic]:
    web = [listener for listener in instance.listeners if listener.role == Role.HTTP]
    reached = [listener for listener in web if listener.bind.port == CHALLENGE_PORT]
    if not reached:
        yield _no_port(web, place)
        return
    addresses = [a for listener in reached for a in _addresses(instance, listener)]
    if addresses and all(is_private(address) for address in addresses):
        yield Diagnostic(
            "CRT102",
            f"the challenge cannot reach {addresses[0]}, a private address, by itself",
            place,
            Severity.ADVICE,
            related=((reached[0].origin, "http is bound here"),),
            hint="forward port 80 of the public address to it, or upload certificates",
        )
    network = host.file.network
    filtered = network is not None and network.firewall.value is Firewall.NFTABLES
    if filtered and instance.admin_allow:
        yield Diagnostic(
            "CRT103",
            "the firewall lets only the admin allow-list in to port 80, and the challenge comes from "
            "anywhere",
            place,
            Severity.WARNING,
            related=((instance.admin_allow[0].origin, "the allow-list"),),
            hint="upload certificates, or do without admin_allow for this instance",
        )


def _no_port(web: list[Listener], place: Span) -> Diagnostic:
    related = ((web[0].origin, f"http is on port {web[0].bind.port}"),) if web else ()
    what = "HTTP is not on port 80" if web else "HTTP is off"
    return Diagnostic(
        "CRT101",
        f"certificates are wanted by HTTP challenge, but {what}",
        place,
        Severity.WARNING,
        related=related,
        hint="say listen.http = 80, which needs an address of its own; or acme = false, and upload "
        "certificates",
    )


def _addresses(instance: ResolvedInstance, listener: Listener) -> list[Address]:
    """Where a listener is reached: its address, or every one of the instance for a wildcard."""
    address = listener.bind.address
    return [a.value for a in instance.addresses] if address is None else [address]


def is_private(address: IPv4Address | IPv6Address) -> bool:
    """Whether packets from the Internet have no way to the address by themselves."""
    return any(address in network for network in PRIVATE)
