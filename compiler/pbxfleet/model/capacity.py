"""What a host has to give, what it gave, and what an instance or a tenant costs there."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Supply(NamedTuple):
    """Things of one kind. `reserved` is kept back, `gone` is held by instances that are gone.

    Blocks of ports that do not fit between others are counted nowhere, so `free` may be less than
    what the others leave of `total`.
    """

    kind: str
    total: int
    used: int
    reserved: int
    gone: int
    free: int


class Reservation(NamedTuple):
    """What is kept back, in words, and why; the reason is "" where nobody said it."""

    what: str
    reason: str


class Costs(NamedTuple):
    """A price per month and its shares, rounded to a hundredth; None where there is nobody to share."""

    price: Decimal
    currency: str
    per_instance: Decimal | None
    per_tenant: Decimal | None


class Capacity(NamedTuple):
    """One host. `room` is the number of further instances of the usual kind, None if nothing limits it.

    `limits` are the kinds that `room` is due to. `tenants` are declared by `with_tenants` instances;
    `room_tenants` is how many the room would take at their mean, None where that cannot be told.
    """

    host: str
    supplies: tuple[Supply, ...]
    reservations: tuple[Reservation, ...]
    instances: int
    room: int | None
    limits: tuple[str, ...]
    tenants: int
    with_tenants: int
    room_tenants: int | None
    costs: Costs | None


def share(amount: Decimal, number: int) -> Decimal | None:
    """The part of an amount that one of `number` has, to a hundredth; halves go to the even one."""
    return None if number == 0 else (amount / number).quantize(Decimal("0.01"))
