"""The loss of each host, rehearsed from the repository alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pbxfleet.app.fleet import Fleet
from pbxfleet.app.reading import LEDGER, read_fleet
from pbxfleet.app.recovery_patch import recovery_patch
from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import exists, remove_file, write_file
from pbxfleet.model.rehearsal import HostRehearsal
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.resolve.rehearse import Rehearsed, rehearse


class Rehearsal(NamedTuple):
    """`hosts` is empty if the fleet has errors; `written` are the patches, by path."""

    fleet: Fleet
    hosts: tuple[HostRehearsal, ...]
    written: tuple[str, ...] = ()


def rehearse_fleet(repository: str, only: Sequence[str] = (), out: str = "") -> Rehearsal:
    """What happens if a host is lost, for each host (or those in `only`).

    With `out`, a patch for each of them that has instances to start elsewhere is written into that
    folder. Raises Refused if a named host is not declared.
    """
    fleet = read_fleet(repository)
    hosts, written = [], []
    for found in rehearsed(fleet, only):
        hosts.append(found.rehearsal)
        path = f"{out}/{found.rehearsal.host}.patch"
        if out and found.rehearsal.starts:
            content = ledger_text(found.ledger)
            patch = recovery_patch(fleet.files, found.rehearsal, (LEDGER, content))
            write_file(path, patch, 0o644)
            written.append(path)
        elif out and exists(path):  # of an earlier rehearsal
            remove_file(path)
    return Rehearsal(fleet, tuple(hosts), tuple(written))


def rehearsed(fleet: Fleet, only: Sequence[str]) -> Iterator[Rehearsed]:
    """The same of a fleet that was read already, with the ledgers of the recoveries."""
    desired, resolved, ledger = fleet.desired, fleet.resolved, fleet.ledger
    if desired is None or resolved is None or ledger is None:
        return iter(())
    for name in only:
        if name not in desired.hosts:
            hint = did_you_mean(name, desired.hosts)
            raise Refused(f"{name} is not a declared host", hint=hint)
    return rehearse(desired, resolved, fleet.references, ledger, frozenset(only))
