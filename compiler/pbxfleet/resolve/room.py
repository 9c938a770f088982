"""How much room a host has left, told by the allocator itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pbxfleet.core.span import Span
from pbxfleet.model.desired import AddressRange, Auto, HostFile, InstanceFile, Layer, Sourced
from pbxfleet.model.reserved import Reserved
from pbxfleet.model.resolved import Ledger, ResolvedHost
from pbxfleet.resolve.allocate import allocate
from pbxfleet.resolve.allocate_ports import has_block, with_media
from pbxfleet.resolve.desk import Asking
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.recovery import Terms, wish_version

IPV4, IPV6, CORE, RTP, PORTS = "ipv4", "ipv6", "core", "rtp", "ports"
KINDS = (IPV4, IPV6, CORE, RTP, PORTS)


class Room(NamedTuple):
    """What is free of one kind; `what` names it as messages do, "" if there was enough."""

    free: int
    what: str


def room_of(
    host: HostFile, askings: Sequence[Asking], ledger: Ledger, most: int
) -> dict[str, Room]:
    """What `most` more instances would find on the host, by kind, if each asked for everything.

    `askings` are the host's own instances, `ledger` what is remembered of them. The allocator is asked
    and its refusals are counted, so that there is one opinion only of what is free.
    """
    places = {kind: Span(f"<{kind}>", 1, 1, 1, 1) for kind in KINDS}
    layer = Layer(
        address=(Sourced(Auto.IPV4, places[IPV4]), Sourced(Auto.IPV6, places[IPV6])),
        cpu=Sourced(Auto.ANY, places[CORE]),
        rtp=Sourced(Auto.ANY, places[RTP]),
        ports=Sourced(Auto.ANY, places[PORTS]),
    )
    more = [_asking(host, layer, number) for number in range(most)]
    problems = Problems()
    both = [*askings, *more]
    declared = {*ledger.allocations, *(asking.name for asking in both)}
    allocate(host, both, ledger, declared, problems, keep=True)
    found = {kind: Room(most, "") for kind in KINDS}
    for diagnostic, who in problems.shared.items():
        for kind, place in places.items():
            if diagnostic.span == place:
                what = diagnostic.message.removeprefix(f"{host.name} has no ").removesuffix(" left")
                found[kind] = Room(most - len(who), what)
    return found


def pool_of(host: ResolvedHost) -> HostFile:
    """The host without the addresses that only other programs use: who moves there gets another.

    An instance that starts in an emergency shall not find its port 80 taken.
    """
    used = {address.value for instance in host.instances for address in instance.addresses}
    foreign = [
        Reserved(Sourced(AddressRange(bind.value.address, bind.value.address), bind.origin))
        for bind in (listener.bind for listener in host.file.foreign_listeners)
        if bind.value.address is not None and bind.value.address not in used
    ]
    return replace(host.file, reserved=(*host.file.reserved, *foreign)) if foreign else host.file


def _asking(host: HostFile, layer: Layer, number: int) -> Asking:
    # The name sorts behind those of instances, which are served first.
    name = f"~{number:06}"
    place = Span(f"<{name}>", 1, 1, 1, 1)
    file = InstanceFile(name, place, Sourced(host.name, place), None, None, layer)
    return Asking(file, host, layer, needs_number=False)


def needs_of(layer: Layer, terms: Terms) -> dict[str, int]:
    """How much of each kind an instance with this layer (joined with the host's) asks for."""
    needs: dict[str, int] = {}
    wishes = [Auto.ANY] if layer.address is None else [wish.value for wish in layer.address]
    for wish in wishes:
        if isinstance(wish, Auto):
            kind = IPV4 if wish_version(wish, terms.host) == 4 else IPV6
            needs[kind] = needs.get(kind, 0) + 1
    rtp = with_media(layer).rtp
    if layer.cpu is not None and isinstance(layer.cpu.value, Auto):
        needs[CORE] = 1
    if rtp is not None and isinstance(rtp.value, Auto):
        needs[RTP] = 1
    if layer.ports is not None and has_block(layer) and isinstance(layer.ports.value, Auto):
        needs[PORTS] = 1
    return needs
