"""Everything that the report page of a fleet shows, joined from the repository and from hosts."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.model.capacity import Capacity
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.host_map import HostMap
from pbxfleet.model.plan import Plan
from pbxfleet.model.rehearsal import HostRehearsal


class HostLook(NamedTuple):
    """What is known of the machine itself, and of what that is: each None where nobody looked.

    `pending` is the number of declared changes that were not applied, known where a plan is not.
    """

    sources: tuple[str, ...]
    plan: Plan | None = None
    drift: tuple[DriftItem, ...] | None = None
    debts: tuple[RestartDebt, ...] | None = None
    pending: int | None = None


NOT_LOOKED = HostLook(())


class HostPicture(NamedTuple):
    """One host. `stale` are files that changed since it was compiled; None if it never was."""

    map: HostMap
    capacity: Capacity
    rehearsal: HostRehearsal
    stale: tuple[str, ...] | None
    look: HostLook = NOT_LOOKED


class Finding(NamedTuple):
    """What the checks say, folded: one message of a code, how often, and the first place."""

    code: str
    severity: str
    message: str
    place: str
    hint: str
    number: int


class FleetPicture(NamedTuple):
    """The fleet, or the chosen hosts of it; `hosts` in order of their names, `of` is how many it has."""

    name: str
    hosts: tuple[HostPicture, ...]
    of: int
    findings: tuple[Finding, ...]
