"""What is known about who made a difference, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class FileTrace(NamedTuple):
    """Whom a file belongs to now, by number and name, and when its content was written (UTC, ISO 8601).

    `changed` is when anything about it was changed last, its mode and owner included. `editor` is the name
    of a file that an editor has left beside it, "" without one.
    """

    uid: int
    account: str
    written: str
    changed: str = ""
    editor: str = ""


class Ending(NamedTuple):
    """How systemd saw a service end: `result` as it calls it, `status` of its process, when (UTC)."""

    result: str
    killed: bool
    status: int
    at: str


class Earlier(NamedTuple):
    """An earlier generation that left a file as it is now, and which pbxfleet made it, "" if unknown.

    `same_inputs` tells that the desired files were those of the present generation, which
    pbxfleet `now` made.
    """

    number: int
    version: str
    now: str
    same_inputs: bool


class ProcessTrace(NamedTuple):
    """A process that nobody declared: its number, who began the login session that it came from (None
    where none is known) by number and name, and whether it has a terminal.
    """

    pid: int
    login: int | None
    account: str
    has_terminal: bool


_NONE: Mapping[Any, Any] = MappingProxyType({})


class Evidence(NamedTuple):
    """Everything that `who` is concluded from; what was not asked for or is not known is not there.

    `unfinished` are ids of the resources that a run which did not come to its end was changing, and
    `run` is a sentence about it. `unproven` are, by instance, differences that were there right after
    pbxfleet's own last start. `files` are by resource, `processes` by instance and name of the item;
    `logged` has, by instance and setting, what the changes log of the PBX says; `updated` are instances
    whose process says that it has updated itself. `services` are accounts that instances run as.
    `endings` are, by instance, how services ended that do not run; `earlier` are, by resource, generations
    that left a file as it is; `other_role` are failover files that say the other half's role.
    """

    unfinished: frozenset[str] = frozenset()
    run: str = ""
    unproven: Mapping[str, frozenset[str]] = _NONE
    files: Mapping[str, FileTrace] = _NONE
    processes: Mapping[tuple[str, str], ProcessTrace] = _NONE
    logged: Mapping[tuple[str, str], str] = _NONE
    updated: frozenset[str] = frozenset()
    services: frozenset[int] = frozenset()
    endings: Mapping[str, Ending] = _NONE
    earlier: Mapping[str, Earlier] = _NONE
    other_role: frozenset[str] = frozenset()


NO_EVIDENCE = Evidence()
