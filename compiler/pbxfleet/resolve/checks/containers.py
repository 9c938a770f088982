"""Instances as containers: an image, and networks that their addresses fit into."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import ServiceBackend, Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.model.services import ComposeWish, ContainerNetwork
from pbxfleet.resolve.problems import Problems


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """SVC103 no image, SVC104 a network that is not described, SVC105 addresses that containers
    cannot have, SVC106 a table that nobody reads.
    """
    wish, services = host.file.compose, host.file.services
    yield from _unread(host)
    if host.services is not ServiceBackend.COMPOSE:
        return
    if wish is None or wish.image is None:
        yield Diagnostic(
            "SVC103",
            f"{host.name} runs containers, and no image is named",
            services.origin if wish is None else wish.span,
            hint='add image = "NAME@sha256:DIGEST" to [compose]',
        )
    if wish is not None and wish.network.value is not ContainerNetwork.HOST:
        yield from _network(wish)
        yield from _addresses(host, wish)


def _unread(host: ResolvedHost) -> Iterator[Diagnostic]:
    """Tables about another service manager, or about Linux on a host that has none."""
    file = host.file
    tables = (
        ("compose", file.compose, host.services is ServiceBackend.COMPOSE),
        ("windows", file.windows, host.services is ServiceBackend.WINDOWS),
        ("network", file.network, host.services is not ServiceBackend.WINDOWS),
    )
    for name, table, is_read in tables:
        if table is not None and not is_read:
            yield Diagnostic(
                "SVC106",
                f'[{name}] says nothing to a host with services = "{host.services}"',
                table.span,
                Severity.WARNING,
                related=((file.services.origin, "the service manager"),),
                hint="remove the table, or set services to what it is about",
            )


def _network(wish: ComposeWish) -> Iterator[Diagnostic]:
    if wish.parent is None or not wish.subnets:
        said = {"parent": wish.parent is not None, "subnets": bool(wish.subnets)}
        lacking = " and ".join(key for key, is_there in said.items() if not is_there)
        yield Diagnostic(
            "SVC104",
            f'network = "{wish.network.value}" needs {lacking}, and the host says none',
            wish.network.origin,
            hint='write parent = "eth0" and subnets = ["203.0.113.0/24"], as the machine has them',
        )
    for gateway in wish.gateways:
        if not any(gateway.value in subnet.value for subnet in wish.subnets):
            yield Diagnostic(
                "SVC104",
                f"the gateway {gateway.value} is in none of the subnets",
                gateway.origin,
                hint="a gateway is an address of the network that it leads out of",
            )


def _addresses(host: ResolvedHost, wish: ComposeWish) -> Iterator[Diagnostic]:
    problems = Problems()
    taken: dict[Address, tuple[ResolvedInstance, Sourced[Address]]] = {}
    for instance in host.instances:
        families: set[int] = set()
        for address in instance.addresses:
            text = _unfit(host, wish, address.value, families)
            families.add(address.value.version)
            first, other = taken.setdefault(address.value, (instance, address))
            related: tuple[tuple[Span, str], ...] = ()
            if not text and first is not instance:
                text = f"two containers cannot have one address: {address.value}"
                related = ((other.origin, f"of {first.name}"),)
            if text:
                found = Diagnostic(
                    "SVC105",
                    text,
                    address.origin,
                    related=related,
                    hint='give each container an address of its own, or use network = "host"',
                )
                problems.share(found, instance.name, instance.span)
    yield from problems.diagnostics()


def _unfit(host: ResolvedHost, wish: ComposeWish, address: Address, families: set[int]) -> str:
    """Why a container cannot have the address; "" if it can."""
    if wish.subnets and not any(address in subnet.value for subnet in wish.subnets):
        return f"{address} is in none of the subnets of the containers' network"
    if host.file.address is not None and address == host.file.address.value:
        return f"{address} is the host's own address, which a container cannot have as well"
    if address.version in families:
        return f"a container has one address of a family; {address} is a second one"
    return ""
