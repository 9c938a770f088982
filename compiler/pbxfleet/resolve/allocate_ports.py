"""Blocks of ports for the listeners of instances that share an address, and what is in a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Auto, Layer, ListenWish, Off, Role, Sourced
from pbxfleet.model.net import Address, PortRange, Protocol
from pbxfleet.model.resolved import Resource, Thing
from pbxfleet.pbx.port_block import ALWAYS, OFFSETS
from pbxfleet.resolve.allocate_blocks import (
    AddressesOf,
    BlockSupply,
    Ranges,
    check_declared_blocks,
    hand_out_blocks,
    parse_range,
    reservation,
)
from pbxfleet.resolve.desk import Asking, Desk
from pbxfleet.resolve.pools import foreign_ports

_SHOWN = 3


def has_block(layer: Layer) -> bool:
    """Whether an instance with this layer takes its ports from a block."""
    return layer.ports is not None and not isinstance(layer.ports.value, Off)


def with_media(layer: Layer) -> Layer:
    """The layer with a block of RTP ports where it has one of ports and says nothing of media.

    Instances that share an address need disjoint RTP ranges, because each picks its ports at random
    (https://web.vodia.com/blog/multiple-instances-single-server).
    """
    if layer.rtp is not None or layer.ports is None or not has_block(layer):
        return layer
    return replace(layer, rtp=Sourced(Auto.ANY, layer.ports.origin, layer.ports.overrode))


def allocate_ports(desk: Desk, askings: Sequence[Asking], addresses_of: AddressesOf) -> Ranges:
    """The block of each instance that has one, declared or handed out.

    An `auto` block is disjoint from every other block of the host and has no port that an instance
    on the same address declares. Reports ALC105, ALC106 and ALC109 for declared blocks.
    """
    literal: Ranges = {}
    wishes: dict[str, Sourced[object]] = {}
    for asking in askings:
        _check_listen(desk, asking)
        ports = asking.layer.ports
        if ports is not None and isinstance(ports.value, PortRange):
            literal[asking.name] = Sourced(ports.value, ports.origin, ports.overrode)
            _check_declared(desk, asking, literal[asking.name])
        elif ports is not None and isinstance(ports.value, Auto):
            wishes[asking.name] = Sourced(ports.value, ports.origin, ports.overrode)
    if not wishes:
        return literal
    _check_pool(desk)
    claimed = _claimed(askings, addresses_of)
    for address, others in foreign_ports(desk.host, tuple(Protocol)).items():
        if address is not None:
            claimed.setdefault(address, []).extend(others)

    def near(name: str) -> Sequence[PortRange]:
        return [port for at in addresses_of[name] for port in claimed.get(at.value, ())]

    taken = tuple(block.value for block in literal.values())
    handed = hand_out_blocks(desk, askings, wishes, _supply(desk, taken), near)
    both = (literal, handed)
    check_declared_blocks(desk, askings, both, Resource.PORTS, addresses_of)
    return literal | handed


def listen_in_block(layer: Layer, own: Layer, block: Sourced[PortRange], on: set[Role]) -> Layer:
    """The joined layer with every listener at its place in the block.

    What `own`, the instance itself, says of a listener wins, and so does `off` of any layer. `on` are
    the roles whose listeners the reference file opens.
    """
    listen: dict[Role, Sourced[ListenWish]] = dict(layer.listen)
    for role, offset in OFFSETS.items():
        wish = listen.get(role)
        off = wish is not None and isinstance(wish.value, Off)
        opened = role in ALWAYS or role in on or wish is not None
        if role in own.listen or off or not opened:
            continue
        hidden = () if wish is None else (wish.origin, *wish.overrode)
        overrode = (*block.overrode, *hidden)
        listen[role] = Sourced(block.value.first + offset, block.origin, overrode)
    return replace(layer, listen=listen)


def _supply(desk: Desk, taken: tuple[PortRange, ...]) -> BlockSupply:
    host = desk.host
    size = 1 if host.port_block is None else host.port_block.value
    return BlockSupply(
        resource=Resource.PORTS,
        pool=host.ports,
        size=size,
        step=size,
        base=0 if host.ports is None else host.ports.value.first,
        taken=taken,
        missing=lambda near: _missing(desk, size),
    )


def _missing(desk: Desk, size: int) -> tuple[str, str]:
    file = desk.host.span.file
    if desk.host.ports is None:
        return "ports to take a block of", f'add ports = "8000-8999" to {file}'
    return f"free block of {size} ports", f"widen ports or make port_block smaller in {file}"


def _claimed(
    askings: Sequence[Asking], addresses_of: AddressesOf
) -> dict[Address, list[PortRange]]:
    """Ports that instances declare outside of blocks, by address."""
    claimed: dict[Address, list[PortRange]] = {}
    for asking in askings:
        layer = asking.file.layer if has_block(asking.layer) else asking.layer
        ports = {port for wish in layer.listen.values() for port in _ports(wish.value)}
        for address in addresses_of[asking.name] if ports else ():
            claimed.setdefault(address.value, []).extend(PortRange(p, p) for p in sorted(ports))
    return claimed


def _ports(wish: ListenWish) -> tuple[int, ...]:
    if isinstance(wish, Off):
        return ()
    return (wish,) if isinstance(wish, int) else tuple(bind.port for bind in wish)


def _check_listen(desk: Desk, asking: Asking) -> None:
    """ALC108 for declared ports that are reserved."""
    if not desk.host.reserved_ports:
        return
    layer = asking.file.layer if has_block(asking.layer) else asking.layer
    for role, wish in layer.listen.items():
        for port in _ports(wish.value):
            by = reservation(desk, PortRange(port, port))
            if by is not None:
                desk.reserved(asking, wish.origin, f"port {port} ({role.value})", by)


def _check_declared(desk: Desk, asking: Asking, block: Sourced[PortRange]) -> None:
    pool = desk.host.ports
    if (by := reservation(desk, block.value)) is not None:
        desk.reserved(asking, block.origin, f"a part of ports {block.value}", by)
    for text, gone in desk.held(Resource.PORTS).items():
        if parse_range(text).overlaps(block.value):
            desk.inherited(asking, block.origin, Thing(Resource.PORTS, text), gone)
    if pool is None or (block.value.first in pool.value and block.value.last in pool.value):
        return
    diagnostic = Diagnostic(
        "ALC105",
        f"ports {block.value} are outside {pool.value}, the ports of {desk.host.name}",
        block.origin,
        related=((pool.origin, f"ports of {desk.host.name}"),),
        hint='choose a part of them, widen them, or say ports = "auto"',
    )
    desk.problems.share(diagnostic, asking.name, asking.file.span)


def _check_pool(desk: Desk) -> None:
    """ALC106: blocks for listeners and blocks for media may not come from the same ports."""
    ports, rtp = desk.host.ports, desk.host.rtp
    if ports is None or rtp is None or not ports.value.overlaps(rtp.value):
        return
    place: Span = ports.origin
    desk.problems.add(
        Diagnostic(
            "ALC106",
            f"ports {ports.value} of {desk.host.name} overlap its RTP range {rtp.value}",
            place,
            related=((rtp.origin, "RTP range"),),
            hint="choose ports outside the RTP range",
        )
    )
