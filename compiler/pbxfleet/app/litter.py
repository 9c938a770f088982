"""What a run that was killed has left under temporary names, removed by the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pbxfleet.app.record_names import APPLIED, GENERATIONS
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join, parent
from pbxfleet.host.local import LocalHost
from pbxfleet.host.services import direct, systemd, sysv
from pbxfleet.host.state import KEPT, RECORDS
from pbxfleet.model.journal import Entry, RemoveArchive

if TYPE_CHECKING:
    from pbxfleet.app.live import Live

# Our own; where an instance is made to start with the machine; where one logs that we start ourselves.
ALWAYS = (
    KEPT,
    join(RECORDS, APPLIED),
    join(RECORDS, GENERATIONS),
    systemd.WANTS,
    *sysv.RUNLEVELS,
    HostPath(direct.LOGS),
)


def sweep(machine: LocalHost, folders: Iterable[HostPath]) -> None:
    """Remove temporary files and empty directories; the caller holds the lock, so nobody needs them.

    Looked into are the folders and all above them: missing ones are made under temporary names as
    well. What cannot be removed now harms nobody until the next run tries again.
    """
    for folder in sorted(_with_those_above((*ALWAYS, *folders))):
        with suppress(HostError):
            machine.sweep(folder)


def folders_of(live: Live) -> Sequence[HostPath]:
    """Every directory in which an apply of this target or of the last one may make something."""
    applied = [r.declared for r in live.records.values() if r.declared is not None]
    paths = [parent(i.pid_file) for i in (*live.target.instances.values(), *applied)]
    paths += [parent(resource.path) for resource in live.target.resources.values()]
    paths.append(live.target.guards.archives)
    return paths + [parent(r.path) for x in live.records.values() for r in x.resources.values()]


def folders_of_run(entries: Sequence[Entry]) -> Sequence[HostPath]:
    """Every directory in which a run with these entries may have made something."""
    found = [parent(e.path) for e in entries if e.path.startswith("/") and e.path != "/"]
    found += [parent(e.inverse.archive) for e in entries if isinstance(e.inverse, RemoveArchive)]
    instances = [getattr(e.inverse, "instance", None) for e in entries]
    return found + [parent(instance.pid_file) for instance in instances if instance is not None]


def _with_those_above(paths: Iterable[HostPath]) -> set[HostPath]:
    found: set[HostPath] = set()
    for path in paths:
        here = path
        while here not in found:
            found.add(here)
            here = parent(here)
    return found
