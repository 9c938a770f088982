"""Blocks of ports of the instances of one host: remembered, or the lowest that is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address, PortRange, Protocol
from pbxfleet.model.reserved import Reserved
from pbxfleet.model.resolved import Resource, Thing
from pbxfleet.resolve.desk import Asking, Desk, Holder, Lines
from pbxfleet.resolve.pools import PortBlocks, foreign_ports

Ranges = dict[str, Sourced[PortRange]]
AddressesOf = Mapping[str, Sequence[Sourced[Address]]]


@dataclass(frozen=True, slots=True)
class BlockSupply:
    """Where blocks of one kind come from; blocks start at `base` or a multiple of `step` above.

    `taken` are the ranges that are declared; `missing` says what is not there, and what to do,
    for an instance that gets no block beside these ranges.
    """

    resource: Resource
    pool: Sourced[PortRange] | None
    size: int
    step: int
    base: int
    taken: tuple[PortRange, ...]
    missing: Callable[[Sequence[PortRange]], tuple[str, str]]

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Of what is bound within a block: media is UDP, listeners are anything."""
        return (Protocol.UDP,) if self.resource is Resource.RTP else tuple(Protocol)


def parse_range(text: str) -> PortRange:
    """The range that the ledger writes as `first-last`."""
    first, _, last = text.partition("-")
    return PortRange(int(first), int(last))


def hand_out_blocks(
    desk: Desk,
    askings: Sequence[Asking],
    wishes: Mapping[str, Sourced[object]],
    supply: BlockSupply,
    beside: Callable[[str], Sequence[PortRange]],
) -> Ranges:
    """The block of each instance in `wishes`, disjoint from all others and from `beside(name)`.

    Nor has it reserved ports, those of other programs, or what an instance holds that is gone.
    Reports ALC101 (nothing left), ALC102 (no longer the host's), ALC104 (remembered twice).
    """
    kept = _kept(desk, askings, wishes, supply)
    blocks = None
    if supply.pool is not None:
        taken = [*supply.taken, *(block.value for block in kept.values())]
        taken += [parse_range(text) for text in desk.held(supply.resource)]
        taken += [reserved.what.value for reserved in desk.host.reserved_ports]
        taken += foreign_ports(desk.host, supply.protocols).get(None, ())
        blocks = PortBlocks(supply.pool.value, supply.size, taken, (supply.base, supply.step))
    for asking in askings:
        name = asking.name
        if name not in wishes or name in kept or desk.is_elsewhere(asking):
            continue
        near = beside(name)
        block = None if blocks is None else blocks.take(near)
        if block is None:
            desk.nothing_left(asking, wishes[name].origin, *supply.missing(near), supply.resource)
            continue
        kept[name] = Sourced(block, wishes[name].origin, wishes[name].overrode)
    return kept


def _kept(
    desk: Desk,
    askings: Sequence[Asking],
    wishes: Mapping[str, Sourced[object]],
    supply: BlockSupply,
) -> Ranges:
    """Remembered blocks; those that are no longer the host's, or overlap, are reported."""
    kept: Ranges = {}
    starts: list[tuple[PortRange, str]] = []
    by_name = {asking.name: asking for asking in askings}
    for name, wish in wishes.items():
        entry = desk.remembered(by_name[name])
        is_rtp = supply.resource is Resource.RTP
        text = None if entry is None else entry.rtp if is_rtp else entry.ports
        if text is None:
            continue
        block = parse_range(text)
        kept[name] = Sourced(block, wish.origin, wish.overrode)
        why = _fault(desk, block, supply)
        if why:
            desk.stale(by_name[name], wish.origin, Thing(supply.resource, text), why)
        else:
            starts.append((block, name))
    starts.sort(key=lambda held: (held[0].first, held[1]))
    # Each with the one below that reaches highest: the next below may be short, and end before.
    highest = starts[0] if starts else None
    for after, name in starts[1:]:
        assert highest is not None
        block, first = highest
        if block.overlaps(after):
            thing, its = Thing(supply.resource, str(after)), Thing(supply.resource, str(block))
            desk.twice(by_name[name], kept[name].origin, thing, first, its)
        if after.last > block.last:
            highest = (after, name)
    return kept


def check_declared_blocks(
    desk: Desk,
    askings: Sequence[Asking],
    both: tuple[Ranges, Ranges],
    resource: Resource,
    at: AddressesOf,
) -> None:
    """ALC109 for declared blocks that reach into one that is remembered for another instance.

    `both` are the declared blocks and the others; blocks meet where `at` gives their instances the
    same address. New ones are beside the declared ones anyway.
    """
    literal, others = both
    held: dict[Address, list[tuple[str, Span]]] = {}
    for name in others:
        for address in at[name]:
            held.setdefault(address.value, []).append((name, address.origin))
    met: dict[tuple[Span, PortRange, str], dict[str, Asking]] = {}
    places: dict[tuple[Span, PortRange, str], Lines] = {}
    for asking in askings:
        own = literal.get(asking.name)
        for address in () if own is None else at[asking.name]:
            for holder, its in held.get(address.value, ()):
                if own is not None and own.value.overlaps(others[holder].value):
                    key = (own.origin, own.value, holder)
                    met.setdefault(key, {})[asking.name] = asking
                    words = f"address {address.value} of"
                    here = (address.origin, f"{words} {asking.name}"), (its, f"{words} {holder}")
                    places.setdefault(key, here)
    for key, who in met.items():
        place, declared, holder = key
        block = others[holder]
        things = (Thing(resource, str(declared)), Thing(resource, str(block.value)))
        desk.declared([*who.values()], things, place, Holder(holder, block.origin), places[key])


def _fault(desk: Desk, block: PortRange, supply: BlockSupply) -> str:
    """Why the host no longer gives a block, "" if it does."""
    pool = None if supply.pool is None else supply.pool.value
    if pool is None or block.first not in pool or block.last not in pool:
        return f"is outside {supply.resource.value} of {desk.host.name}"
    by = reservation(desk, block)
    return "" if by is None else f"is reserved on {desk.host.name}{by.words}"


def reservation(desk: Desk, block: PortRange) -> Reserved[PortRange] | None:
    """The reservation that some of these ports fall under."""
    return next((r for r in desk.host.reserved_ports if block.overlaps(r.what.value)), None)
