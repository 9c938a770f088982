"""Allocation: `auto` becomes a value once; the ledger remembers it, and nothing moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pbxfleet.model.desired import Auto, Sourced
from pbxfleet.model.net import Address, PortRange
from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.resolve.allocate_addresses import allocate_addresses, wishes_of
from pbxfleet.resolve.allocate_numbers import allocate_cores, allocate_instance_numbers
from pbxfleet.resolve.allocate_ports import allocate_ports
from pbxfleet.resolve.allocate_rtp import allocate_rtp
from pbxfleet.resolve.desk import Asking, Desk
from pbxfleet.resolve.problems import Problems


@dataclass(frozen=True, slots=True)
class Grant:
    """What an instance has, declared or allocated; IPv4 addresses come first."""

    addresses: tuple[Sourced[Address], ...]
    cpu: Sourced[int] | None
    rtp: Sourced[PortRange] | None
    number: int | None
    ports: Sourced[PortRange] | None = None


def allocate(
    askings: Sequence[Asking], ledger: Ledger, problems: Problems
) -> tuple[Mapping[str, Grant], Ledger]:
    """What each instance has, and the ledger that remembers it.

    What the ledger remembers stays as long as the host has it; new ones are the lowest that are
    free, handed out in order of instance names. Entries of instances that are not in `askings`
    leave the ledger. An instance with a problem (ALC1xx) keeps its entry as it was.
    """
    grants: dict[str, Grant] = {}
    allocations: dict[str, Allocation] = {}
    by_host: dict[str, list[Asking]] = {}
    for asking in sorted(askings, key=lambda asking: asking.name):
        by_host.setdefault(asking.host.name, []).append(asking)
    for here in by_host.values():
        granted, remembered = _allocate_host(Desk(here[0].host, ledger, problems), here)
        grants |= granted
        allocations |= remembered
    spans = {name: ledger.spans[name] for name in sorted(allocations) if name in ledger.spans}
    return grants, Ledger({name: allocations[name] for name in sorted(allocations)}, spans)


def _allocate_host(
    desk: Desk, askings: Sequence[Asking]
) -> tuple[dict[str, Grant], dict[str, Allocation]]:
    for asking in askings:
        if desk.is_elsewhere(asking) and _asks(asking):
            desk.moved(asking)
    addresses = allocate_addresses(desk, askings)
    known = {n: [a for a in found if a is not None] for n, found in addresses.items()}
    cores = allocate_cores(desk, askings)
    addresses_of = {n: [a.value for a in found] for n, found in known.items()}
    rtp = allocate_rtp(desk, askings, addresses_of)
    ports = allocate_ports(desk, askings, addresses_of)
    numbers = allocate_instance_numbers(desk, askings)
    grants: dict[str, Grant] = {}
    allocations: dict[str, Allocation] = {}
    for asking in askings:
        name = asking.name
        ordered = sorted(known[name], key=lambda a: a.value.version)
        grants[name] = Grant(
            tuple(ordered), cores.get(name), rtp.get(name), numbers.get(name), ports.get(name)
        )
        entry = _entry(asking, addresses[name], grants[name])
        if name in desk.problems.names_failed:
            entry = desk.ledger.allocations.get(name)
        if entry is not None:
            allocations[name] = entry
    return grants, allocations


def _asks(asking: Asking) -> bool:
    """Whether anything is to be allocated for the instance."""
    layer = asking.layer
    wishes: list[object] = [wish.value for wish in wishes_of(asking)]
    for sourced in (layer.cpu, layer.rtp, layer.ports):
        wishes += [] if sourced is None else [sourced.value]
    return _asks_number(asking) or any(isinstance(wish, Auto) for wish in wishes)


def _asks_number(asking: Asking) -> bool:
    return asking.needs_number and asking.file.number is None


def _entry(
    asking: Asking, addresses: Sequence[Sourced[Address] | None], grant: Grant
) -> Allocation | None:
    """The ledger's entry: only what was allocated, nothing that is declared."""
    if not _asks(asking):
        return None
    cpu, rtp, ports = asking.layer.cpu, asking.layer.rtp, asking.layer.ports
    return Allocation(
        host=asking.host.name,
        addresses=tuple(
            str(address.value)
            for wish, address in zip(wishes_of(asking), addresses, strict=True)
            if isinstance(wish.value, Auto) and address is not None
        ),
        cpu=grant.cpu.value if grant.cpu and cpu and isinstance(cpu.value, Auto) else None,
        rtp=str(grant.rtp.value) if grant.rtp and rtp and isinstance(rtp.value, Auto) else None,
        number=grant.number if _asks_number(asking) else None,
        ports=str(grant.ports.value)
        if grant.ports and ports and isinstance(ports.value, Auto)
        else None,
    )
