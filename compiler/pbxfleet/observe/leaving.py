"""The directories of instances that are to be removed: how much is in them, and where they could go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import DIGEST_ENDING, HostPath, aside_name, join, parent
from pbxfleet.host.base import HostView
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import Leaving, What
from pbxfleet.model.target import Target


def find_leaving(
    view: HostView, target: Target, records: Mapping[str, AppliedRecord]
) -> dict[str, Leaving]:
    """What becomes free, by instance; a directory that two records name is told of once."""
    found: dict[str, Leaving] = {}
    told: set[str] = set()
    for name, record in sorted(records.items()):
        declared = record.declared
        if declared is None or name in target.instances or not record.resources:
            continue
        if declared.directory not in told:
            told.add(declared.directory)
            found[name] = _leaving(view, name, declared.directory, target.guards.archives)
    return found


def _leaving(view: HostView, name: str, directory: HostPath, archives: HostPath) -> Leaving:
    what = view.look(directory).what
    aside = next(path for path in _asides(directory) if _is_free(view, path))
    archive = next(path for path in _archives(archives, name) if _is_free_file(view, path))
    if what is not What.DIRECTORY:
        return Leaving(what, None, "", aside, archive, 0)
    try:
        size = view.tree_size(directory)
        return Leaving(what, size, "", aside, archive, view.free_bytes(archives))
    except HostError as error:
        return Leaving(what, None, str(error), aside, archive, 0)


def _asides(directory: HostPath) -> Iterator[HostPath]:
    number = 0
    while True:
        number += 1
        yield join(parent(directory), aside_name(directory.rpartition("/")[2], number))


def _archives(folder: HostPath, name: str) -> Iterator[HostPath]:
    number = 0
    while True:
        number += 1
        yield join(folder, f"{name}-{number}.tar")


def _is_free(view: HostView, path: HostPath) -> bool:
    """Nothing there, or an empty directory that a killed run has left."""
    what = view.look(path).what
    return what is What.ABSENT or (what is What.DIRECTORY and not view.names(path))


def _is_free_file(view: HostView, path: HostPath) -> bool:
    return all(view.look(HostPath(p)).what is What.ABSENT for p in (path, f"{path}{DIGEST_ENDING}"))
