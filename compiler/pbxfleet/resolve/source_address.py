"""Which address the outgoing TCP of an instance shall leave from."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.network import Own, SourceWish


def source_addresses(
    wishes: Iterable[Sourced[SourceWish]], own: Iterable[Sourced[Address]]
) -> tuple[Sourced[Address], ...]:
    """The wished addresses; `own` stands for the first address of the instance in each family.

    Several of one family are all given: the check of them says so (NET212).
    """
    first: dict[int, Address] = {}
    for address in own:
        first.setdefault(address.value.version, address.value)
    found: list[Sourced[Address]] = []
    for wish in wishes:
        values = tuple(first.values()) if isinstance(wish.value, Own) else (wish.value,)
        found += [Sourced(value, wish.origin, wish.overrode) for value in values]
    return tuple(found)
