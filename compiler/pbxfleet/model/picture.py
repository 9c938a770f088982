"""Everything that the report page of a fleet shows, joined from the repository and from hosts."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.model.capacity import Capacity
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.host_map import HostMap
from pbxfleet.model.plan import Plan
from pbxfleet.model.rehearsal import HostRehearsal


class DriftSeen(NamedTuple):
    """What a look at the host, or the document of an earlier one, says of drift."""

    items: tuple[DriftItem, ...]


class HostPicture(NamedTuple):
    """One host. `stale` are files that changed since it was compiled; None if it never was.

    `plan` and `drift` are None where nobody looked.
    """

    map: HostMap
    capacity: Capacity
    rehearsal: HostRehearsal
    stale: tuple[str, ...] | None
    plan: Plan | None = None
    drift: DriftSeen | None = None


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
