"""RTP ranges of the instances of one host: declared, the host's, or a block of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from pbxfleet.model.desired import Auto, Sourced
from pbxfleet.model.net import Address, PortRange
from pbxfleet.resolve.desk import Asking, Desk
from pbxfleet.resolve.pools import PortBlocks

Ranges = dict[str, Sourced[PortRange]]
AddressesOf = Mapping[str, Sequence[Address]]


def allocate_rtp(desk: Desk, askings: Sequence[Asking], addresses_of: AddressesOf) -> Ranges:
    """The RTP range of each instance that has one.

    An `auto` block is disjoint from every other `auto` block of the host, and from the declared
    ranges of instances that share an address with it: only there do overlaps do harm.
    """
    literal = _declared(desk, askings)
    wishes = {
        asking.name: Sourced(asking.layer.rtp.value, asking.layer.rtp.origin)
        for asking in askings
        if asking.layer.rtp is not None and isinstance(asking.layer.rtp.value, Auto)
    }
    kept = _kept(desk, [asking for asking in askings if asking.name in wishes])
    pool = desk.host.rtp
    blocks = None
    if pool is not None:
        size = desk.host.rtp_block.value
        blocks = PortBlocks(pool.value, size, (block.value for block in kept.values()))
    beside = _by_address(literal, addresses_of)
    for asking in askings:
        if asking.name not in wishes or asking.name in kept or desk.is_elsewhere(asking):
            continue
        rtp = wishes[asking.name]
        near = [r for address in addresses_of[asking.name] for r in beside.get(address, ())]
        block = None if blocks is None else blocks.take(near)
        if block is None:
            desk.nothing_left(asking, rtp.origin, *_exhausted(desk, near))
            continue
        kept[asking.name] = Sourced(block, rtp.origin, rtp.overrode)
    return literal | kept


def _declared(desk: Desk, askings: Sequence[Asking]) -> Ranges:
    declared: Ranges = {}
    for asking in askings:
        rtp = asking.layer.rtp
        if rtp is None and desk.host.rtp is not None:
            declared[asking.name] = desk.host.rtp
        elif rtp is not None and isinstance(rtp.value, PortRange):
            declared[asking.name] = Sourced(rtp.value, rtp.origin, rtp.overrode)
    return declared


def _kept(desk: Desk, askings: Sequence[Asking]) -> Ranges:
    """Remembered blocks; those that are no longer the host's, or overlap, are reported."""
    kept: Ranges = {}
    starts: list[tuple[PortRange, str]] = []
    for asking in askings:
        entry, rtp = desk.remembered(asking), asking.layer.rtp
        if entry is None or entry.rtp is None or rtp is None:
            continue
        block = parse_range(entry.rtp)
        kept[asking.name] = Sourced(block, rtp.origin, rtp.overrode)
        if not _is_within(block, desk.host.rtp):
            why = f"is outside the RTP range of {desk.host.name}"
            desk.stale(asking, rtp.origin, f"RTP ports {block}", why)
        else:
            starts.append((block, asking.name))
    by_name = {asking.name: asking for asking in askings}
    starts.sort(key=lambda held: (held[0].first, held[1]))
    for (block, first), (after, name) in pairwise(starts):
        if block.overlaps(after):
            asking = by_name[name]
            desk.twice(asking, kept[name].origin, f"RTP ports {after}", first)
    return kept


def parse_range(text: str) -> PortRange:
    """The range that the ledger writes as `first-last`."""
    first, _, last = text.partition("-")
    return PortRange(int(first), int(last))


def _is_within(block: PortRange, pool: Sourced[PortRange] | None) -> bool:
    return pool is not None and block.first in pool.value and block.last in pool.value


def _by_address(literal: Ranges, addresses_of: AddressesOf) -> dict[Address, list[PortRange]]:
    beside: dict[Address, list[PortRange]] = {}
    for name, declared in literal.items():
        for address in addresses_of[name]:
            beside.setdefault(address, []).append(declared.value)
    return beside


def _exhausted(desk: Desk, near: Sequence[PortRange]) -> tuple[str, str]:
    """What is missing and what to do, for an instance that gets no block."""
    host = desk.host
    if host.rtp is None:
        return "RTP range to take a block of", f'add rtp = "49152-64511" to {host.span.file}'
    what = f"free block of {host.rtp_block.value} RTP ports"
    if near:
        others = " and ".join(map(str, near[:3]))
        return what, (
            f"instances on the same address use {others}: give each of them a range of its own"
            ' or rtp = "auto"'
        )
    return what, f"widen rtp or make rtp_block smaller in {host.span.file}"
