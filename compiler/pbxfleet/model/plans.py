"""What is planned for an instance, who else is on its host, and which diagnostics are accepted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pbxfleet.model.desired import Sourced
    from pbxfleet.model.net import Address, Bind, Protocol


class StockService(StrEnum):
    """What became of the service that the vendor's installer makes for its one instance."""

    NONE = "none"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody who admits requests of the instance from these addresses only."""

    name: str
    admits: tuple[Sourced[Address], ...]


@dataclass(frozen=True, slots=True)
class ForeignListener:
    """A socket that another program of the host holds; `by` names the program."""

    protocol: Protocol
    bind: Sourced[Bind]
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A diagnostic that is accepted until the end of a day; `where` is a host or `host/instance`."""

    code: Sourced[str]
    where: Sourced[str] | None
    reason: str
    until: Sourced[str]
