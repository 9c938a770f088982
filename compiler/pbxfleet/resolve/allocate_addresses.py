"""Addresses of the instances of one host: literal, remembered, or the lowest that is free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from pbxfleet.core.span import Span
from pbxfleet.model.desired import AddressWish, Auto, Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import Resource, Thing
from pbxfleet.resolve.desk import Asking, Desk, Holder
from pbxfleet.resolve.pools import address_fault, free_addresses, has_family

Wishes = tuple[Sourced[AddressWish], ...]
Found = dict[str, list[Sourced[Address] | None]]
Declared = dict[Address, tuple[Asking, Span]]


def wishes_of(asking: Asking) -> Wishes:
    """What the instance wishes; an instance that says nothing wishes `auto`."""
    if asking.layer.address is None:
        unsaid: Sourced[AddressWish] = Sourced(Auto.ANY, asking.file.span)
        return (unsaid,)
    return asking.layer.address


def allocate_addresses(desk: Desk, askings: Sequence[Asking]) -> Found:
    """Addresses by instance name, in the order of the wishes; None where one could not be given."""
    found: Found = {}
    declared = _declared(askings)
    holders: dict[Address, str] = {}
    for asking in askings:
        found[asking.name] = _known(desk, asking, holders, declared)
    taken = {value.value for values in found.values() for value in values if value is not None}
    gone = {ip_address(text): name for text, name in desk.held(Resource.ADDRESS).items()}
    for address, (asking, place) in declared.items():
        if address in gone:
            desk.inherited(asking, place, _thing(address), gone[address])
    taken |= gone.keys()
    pools = {
        4: free_addresses(desk.host, 4, taken),
        6: free_addresses(desk.host, 6, taken),
    }
    for asking in askings:
        if not desk.is_elsewhere(asking):
            _fill(desk, asking, found[asking.name], pools, taken)
    return found


def _thing(address: Address) -> Thing:
    return Thing(Resource.ADDRESS, str(address))


def _declared(askings: Sequence[Asking]) -> Declared:
    """The first instance that declares an address, and where."""
    declared: Declared = {}
    for asking in askings:
        for wish in asking.layer.address or ():
            if not isinstance(wish.value, Auto):
                declared.setdefault(wish.value, (asking, wish.origin))
    return declared


def _known(
    desk: Desk, asking: Asking, holders: dict[Address, str], declared: Declared
) -> list[Sourced[Address] | None]:
    """Literal and remembered addresses, None for each `auto` that nothing is remembered for."""
    entry = desk.remembered(asking)
    kept = iter(_matched(wishes_of(asking), () if entry is None else entry.addresses))
    known: list[Sourced[Address] | None] = []
    for wish in wishes_of(asking):
        if not isinstance(wish.value, Auto):
            known.append(Sourced(wish.value, wish.origin, wish.overrode))
            continue
        address = next(kept)
        if address is not None:
            _confirm(desk, asking, wish, address, holders)
            if address in declared:
                first, place = declared[address]
                thing, holder = _thing(address), Holder(asking.name, wish.origin)
                desk.declared([first], (thing, thing), place, holder)
        known.append(None if address is None else Sourced(address, wish.origin, wish.overrode))
    return known


def _confirm(
    desk: Desk,
    asking: Asking,
    wish: Sourced[AddressWish],
    address: Address,
    holders: dict[Address, str],
) -> None:
    fault = address_fault(desk.host, address)
    first = holders.setdefault(address, asking.name)
    if fault is not None:
        desk.stale(asking, wish.origin, _thing(address), fault.why)
    elif first != asking.name:
        desk.twice(asking, wish.origin, _thing(address), first, _thing(address))


def _matched(wishes: Wishes, texts: Sequence[str]) -> list[Address | None]:
    """The remembered address of each `auto`: by position, or by family if the wishes changed."""
    autos = [wish.value for wish in wishes if isinstance(wish.value, Auto)]
    if not autos:
        return []
    declared = {wish.value for wish in wishes}
    left = [address for address in map(ip_address, texts) if address not in declared]
    if len(left) == len(autos) and all(map(_fits, autos, left)):
        return list(left)
    matched: list[Address | None] = [None] * len(autos)
    # The one that takes any family chooses last, so that it leaves the others what they need.
    for at in sorted(range(len(autos)), key=lambda at: autos[at] is Auto.ANY):
        matched[at] = next((a for a in left if _fits(autos[at], a)), None)
        if (chosen := matched[at]) is not None:
            left.remove(chosen)
    return matched


def _fits(auto: Auto, address: Address) -> bool:
    return auto is Auto.ANY or address.version == (4 if auto is Auto.IPV4 else 6)


def _fill(
    desk: Desk,
    asking: Asking,
    values: list[Sourced[Address] | None],
    pools: dict[int, Iterator[Address]],
    taken: set[Address],
) -> None:
    """Hand out an address for every None in `values`."""
    for at, wish in enumerate(wishes_of(asking)):
        if values[at] is not None or not isinstance(wish.value, Auto):
            continue
        version = _version(desk, wish.value)
        address = next(pools[version], None)
        if address is None:
            hint = f"add addresses to {desk.host.span.file}, or remove an instance"
            what = f"free IPv{version} address"
            desk.nothing_left(asking, wish.origin, what, hint, Resource.ADDRESS)
            continue
        taken.add(address)
        values[at] = Sourced(address, wish.origin, wish.overrode)


def _version(desk: Desk, auto: Auto) -> int:
    if auto is Auto.ANY:
        return 4 if has_family(desk.host, 4) or not has_family(desk.host, 6) else 6
    return 4 if auto is Auto.IPV4 else 6
