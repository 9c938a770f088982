"""What a host keeps back, what it costs, and what becomes of what an instance leaves behind."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from pbxfleet.model.desired import Sourced

T = TypeVar("T")


class Reserved(NamedTuple, Generic[T]):
    """What a host does not hand out, and why; `reason` is "" where nobody said it."""

    what: Sourced[T]
    reason: str = ""

    @property
    def words(self) -> str:
        """For the end of a message: `: the reason`, or nothing."""
        return f": {self.reason}" if self.reason else ""


class Tombstones(StrEnum):
    """What becomes of the things of an instance that is gone: kept for it, or used again."""

    KEEP = "keep"
    REUSE = "reuse"


class Price(NamedTuple):
    """What a host costs per month; `currency` is the code of ISO 4217."""

    amount: Sourced[Decimal]
    currency: str
