"""Restart debt: what a running process was started with is not what is on disk any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pbxfleet.model.target import Impact, Kind, Resource

RELEASE = "release"
UNIT = "unit"
PARTS = (Kind.FILE, Kind.ARTEFACT)


class RestartDebt(NamedTuple):
    """A restart that a running instance is owed because of one resource.

    `names` say what of it: settings, `release`, `unit` (what a service manager starts it by), or the
    path of a file. `reason` is a sentence; `since` is UTC in ISO 8601, "" where that is not known.
    `process` is the identity of the process, and `started_with` the digest of what it was started
    with, "" where that is not known.
    """

    instance: str
    resource: str
    names: tuple[str, ...]
    reason: str
    since: str = ""
    process: str = ""
    started_with: str = ""


def by_instance(debts: Iterable[RestartDebt]) -> Mapping[str, list[RestartDebt]]:
    """Debts by the name of their instance."""
    found: dict[str, list[RestartDebt]] = {}
    for debt in debts:
        found.setdefault(debt.instance, []).append(debt)
    return found


def is_part(resource: Resource) -> bool:
    """Whether a start reads the file, and a running process takes no notice of it.

    Not pbx.xml: the PBX writes that itself, at any time.
    """
    return resource.impact is Impact.RESTART and resource.kind in PARTS


def owed_text(debts: Iterable[RestartDebt]) -> str:
    """What a restart is owed for, since when: one clause."""
    owed = tuple(debts)
    names = ", ".join(dict.fromkeys(name for debt in owed for name in debt.names))
    since = min((debt.since for debt in owed if debt.since), default="")
    return f"restart owed{f' since {since}' if since else ''}: {names}"
