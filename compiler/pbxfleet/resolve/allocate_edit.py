"""Explicit changes of the ledger: the only ways in which what was handed out ever moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from ipaddress import ip_address

from pbxfleet.model.resolved import Allocation, Ledger, Resource, Thing
from pbxfleet.resolve.allocate import without

Held = dict[tuple[str, Thing], tuple[str, ...]]


def renamed(ledger: Ledger, old: str, new: str) -> Ledger:
    """Everything of `old` is held by `new`, which holds nothing yet; a tombstone comes back to life."""
    entry = ledger.allocations.get(old) or ledger.tombstones[old]
    return Ledger({**_but(ledger.allocations, old), new: entry}, {}, _but(ledger.tombstones, old))


def released(ledger: Ledger, names: Collection[str]) -> Ledger:
    """What these tombstones hold is free again."""
    return replace(ledger, tombstones=_but(ledger.tombstones, *names))


def reallocated(ledger: Ledger, name: str, only: Resource | None) -> Ledger:
    """An instance gives back what it holds, of one kind or all: the next compile hands out others."""
    entry = ledger.allocations[name]
    gone = {thing for thing in entry.things if only in (None, thing.resource)}
    left = without(entry, gone)
    others = _but(ledger.allocations, name)
    return replace(ledger, allocations={**others, name: left} if left.things else others)


def given(ledger: Ledger, name: str, things: Collection[Thing]) -> Ledger | str:
    """The instance holds these things instead of those of their kinds; else why that cannot be.

    Addresses take the place of those of their family, in order; all of one family are named.
    """
    entry = ledger.allocations[name]
    wanted = [thing.text for thing in things if thing.resource is Resource.ADDRESS]
    addresses: list[str] = []
    for version in (4, 6):
        held = [text for text in entry.addresses if ip_address(text).version == version]
        new = [text for text in wanted if ip_address(text).version == version]
        if new and len(new) != len(held):
            return f"{name} holds {len(held)} addresses of IPv{version}, and {len(new)} are named"
        addresses += new or held
    one = {thing.resource: thing.text for thing in things}
    held_kinds = {thing.resource for thing in entry.things}
    for resource in one:
        if resource not in held_kinds:
            return f"{name} holds nothing of {resource.value} that could be moved"
    changed = Allocation(
        host=entry.host,
        addresses=tuple(addresses),
        cpu=int(one[Resource.CORE]) if Resource.CORE in one else entry.cpu,
        rtp=one.get(Resource.RTP, entry.rtp),
        number=int(one[Resource.NUMBER]) if Resource.NUMBER in one else entry.number,
        ports=one.get(Resource.PORTS, entry.ports),
    )
    return replace(ledger, allocations={**ledger.allocations, name: changed})


def holders(ledger: Ledger) -> Held:
    """By host and thing: who holds it, in order of names."""
    held: dict[tuple[str, Thing], list[str]] = {}
    known = {**ledger.tombstones, **ledger.allocations}
    for name in sorted(known):
        for thing in known[name].things:
            held.setdefault((known[name].host, thing), []).append(name)
    return {key: tuple(names) for key, names in held.items()}


def _but(entries: Mapping[str, Allocation], *names: str) -> dict[str, Allocation]:
    return {name: entry for name, entry in entries.items() if name not in names}
