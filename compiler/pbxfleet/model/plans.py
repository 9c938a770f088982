"""What is planned for an instance, who else is on its host, and which diagnostics are accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pbxfleet.core.diagnostics import Severity
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


class AcknowledgedHere(NamedTuple):
    """As `policy.Acknowledgement`, with the places where it is written."""

    code: Sourced[str]
    what: Sourced[str]
    reason: str
    expires: Sourced[str]


class IgnoredHere(NamedTuple):
    """As `ignoring.Ignored`, with the places where it is written; `what` tells what `pattern` is about.

    `where` is a host or `host/instance`, None for the whole fleet.
    """

    what: str
    pattern: Sourced[str]
    kind: str
    where: Sourced[str] | None
    reason: str
    expires: Sourced[str]

    def concerns(self, host: str) -> bool:
        """Whether it is about this host, or an instance of it."""
        return self.where is None or self.where.value.partition("/")[0] == host

    def covers(self, host: str, instance: str) -> bool:
        """Whether it is about this instance of the host."""
        return self.where is None or self.where.value in (host, f"{host}/{instance}")


class Judging(NamedTuple):
    """What a fleet says about diagnostics: severities by code, and what it accepts for a while.

    `acknowledgements` are of changes that its policy would refuse, `ignored` of differences on a host.
    """

    severities: Mapping[str, Sourced[Severity]] = {}
    suppressions: tuple[Suppression, ...] = ()
    acknowledgements: tuple[AcknowledgedHere, ...] = ()
    ignored: tuple[IgnoredHere, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether every diagnostic stays as it is."""
        said = (self.severities, self.suppressions, self.acknowledgements, self.ignored)
        return not any(said)
