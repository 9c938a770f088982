"""RTP ranges of the instances of one host: declared, the host's, or a block of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.model.desired import Auto, Sourced
from pbxfleet.model.net import Address, PortRange, Protocol
from pbxfleet.model.resolved import Resource
from pbxfleet.resolve.allocate_blocks import (
    AddressesOf,
    BlockSupply,
    Ranges,
    check_declared_blocks,
    hand_out_blocks,
    reservation,
)
from pbxfleet.resolve.desk import Asking, Desk
from pbxfleet.resolve.pools import even_up, foreign_ports


def allocate_rtp(desk: Desk, askings: Sequence[Asking], addresses_of: AddressesOf) -> Ranges:
    """The RTP range of each instance that has one.

    An `auto` block is disjoint from every other `auto` block of the host, and from the declared
    ranges of instances that share an address with it: only there do overlaps do harm. Reports ALC109
    for a declared range that reaches into another's block, on the address where media surely is;
    what else meets is seen when the RTP bind addresses are known (RTP101).
    """
    literal = _declared(desk, askings)
    wishes: dict[str, Sourced[object]] = {
        asking.name: Sourced(asking.layer.rtp.value, asking.layer.rtp.origin)
        for asking in askings
        if asking.layer.rtp is not None and isinstance(asking.layer.rtp.value, Auto)
    }
    beside = _by_address(literal, addresses_of)
    others = foreign_ports(desk.host, (Protocol.UDP,))

    def near(name: str) -> Sequence[PortRange]:
        found = [r for at in addresses_of[name] for r in beside.get(at.value, ())]
        return found + [r for at in addresses_of[name] for r in others.get(at.value, ())]

    handed = hand_out_blocks(desk, askings, wishes, _supply(desk), near)
    wished = {a.name for a in askings if a.layer.rtp is not None}
    said = {name: declared for name, declared in literal.items() if name in wished}

    media = {n: sorted(found, key=_version)[:1] for n, found in addresses_of.items()}
    check_declared_blocks(desk, askings, (said, handed), Resource.RTP, media)
    return literal | handed


def _version(address: Sourced[Address]) -> int:
    return address.value.version


def _supply(desk: Desk) -> BlockSupply:
    pool = desk.host.rtp
    return BlockSupply(
        resource=Resource.RTP,
        pool=pool,
        size=desk.host.rtp_block.value,
        step=2,
        base=0 if pool is None else even_up(pool.value.first),
        taken=(),
        missing=lambda near: _missing(desk, near),
    )


def _declared(desk: Desk, askings: Sequence[Asking]) -> Ranges:
    declared: Ranges = {}
    for asking in askings:
        rtp = asking.layer.rtp
        if rtp is None and desk.host.rtp is not None:
            declared[asking.name] = desk.host.rtp
        elif rtp is not None and isinstance(rtp.value, PortRange):
            declared[asking.name] = Sourced(rtp.value, rtp.origin, rtp.overrode)
            if (by := reservation(desk, rtp.value)) is not None:
                desk.reserved(asking, rtp.origin, f"a part of RTP ports {rtp.value}", by)
    return declared


def _by_address(literal: Ranges, addresses_of: AddressesOf) -> dict[Address, list[PortRange]]:
    beside: dict[Address, list[PortRange]] = {}
    for name, declared in literal.items():
        for address in addresses_of[name]:
            beside.setdefault(address.value, []).append(declared.value)
    return beside


def _missing(desk: Desk, near: Sequence[PortRange]) -> tuple[str, str]:
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
