"""Addresses: the host has them, they are not reserved, and an instance names each once."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import HostFile, Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.network import standard_addresses
from pbxfleet.model.resolved import Listener, ResolvedHost
from pbxfleet.resolve.checks.sockets import shown, spots
from pbxfleet.resolve.pools import Fault, address_fault
from pbxfleet.resolve.problems import Problems

_HINTS = {
    "NET101": "have it assigned and add it to addresses of the host, or choose another one",
    "NET102": "choose another address, or take it out of reserved",
    "NET103": "choose another address, or say reserve_address = false",
}


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """NET101 not assigned to the host, NET102 reserved, NET103 the host's own, NET104 named twice.

    That two instances use one address is allowed; then their ports decide (BND101, RTP101).
    """
    problems = Problems()
    for instance in host.instances:
        seen: dict[Address, Span] = {}
        for address in instance.addresses:
            for unfit in unfit_address(host.file, address):
                problems.share(unfit, instance.name, instance.span)
            first = seen.setdefault(address.value, address.origin)
            if first != address.origin:
                problems.add(_twice(instance.name, address, first))
        for listener in instance.listeners:
            if _takes_own(host.file, listener):
                problems.share(_own_taken(host.file, listener), instance.name, instance.span)
    yield from problems.diagnostics()


def unfit_address(host: HostFile, address: Sourced[Address]) -> Iterator[Diagnostic]:
    """NET101 to NET103: what is wrong with one address, whatever else its instance says."""
    fault = address_fault(host, address.value)
    if fault is not None:
        yield _unfit(host, address, fault)


def _unfit(host: HostFile, address: Sourced[Address], fault: Fault) -> Diagnostic:
    what = "others are assigned here" if fault.code == "NET101" else "reserved here"
    related: tuple[tuple[Span, str], ...] = ()
    if fault.place is not None:
        related = ((fault.place, what),)
    if fault.code == "NET103":
        related += ((standard_addresses(host)[address.value], f"the address of {host.name}"),)
    message = f"{address.value} {fault.why}"
    return Diagnostic(fault.code, message, address.origin, related=related, hint=_HINTS[fault.code])


def _twice(instance: str, address: Sourced[Address], first: Span) -> Diagnostic:
    return Diagnostic(
        "NET104",
        f"{instance} names {address.value} twice",
        address.origin,
        related=((first, "first named here"),),
        hint="remove one of them",
    )


def _takes_own(host: HostFile, listener: Listener) -> bool:
    """Whether a wildcard takes an address of the host's own although that is reserved."""
    if not host.reserve_address.value or not listener.bind.is_wildcard:
        return False
    covered = spots(listener.bind)
    return any((own.version, None) in covered for own in standard_addresses(host))


def _own_taken(host: HostFile, listener: Listener) -> Diagnostic:
    return Diagnostic(
        "NET103",
        f"{listener.role} takes {shown(listener.bind)}, also of the reserved one of {host.name}",
        listener.origin,
        related=((host.reserve_address.origin, "reserved here"),),
        hint=f"name the port alone ({listener.bind.port}) to bind the instance's own addresses",
    )
