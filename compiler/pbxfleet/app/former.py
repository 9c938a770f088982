"""What lay on the host before a later generation wrote over it, for a rollback to put back.

A file that was there before us is nobody's to remove: its content, mode and owner are in the inverse of
the step that first replaced it, and go back as they were. It is not ours after that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pbxfleet.app.generations import journal_of
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import HostView
from pbxfleet.host.state import StateView
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.generation import Generation
from pbxfleet.model.journal import PutBack
from pbxfleet.model.observed import What
from pbxfleet.model.target import FORMER, Impact, Kind, Resource


def former_files(
    view: HostView,
    known: Iterable[Generation],
    to: Generation,
    declared: Mapping[str, Resource],
    records: Mapping[str, AppliedRecord],
) -> tuple[Resource, ...]:
    """Files from before generations after `to`, which has nothing at their places, by path.

    Only where ours still lies there as we left it: what somebody has written since is theirs.
    """
    was: dict[HostPath, PutBack] = {}
    for generation in sorted(known, key=lambda g: g.number, reverse=True):
        if generation.number <= to.number:
            break
        run = journal_of(StateView(view), generation.number)
        for entry in reversed(run.standing if run is not None else ()):
            if isinstance(entry.inverse, PutBack):
                was[entry.inverse.path] = entry.inverse
    ours = {r.path: r.digest for record in records.values() for r in record.resources.values()}
    places = {resource.path for resource in declared.values()}
    return tuple(
        _as_resource(inverse, to)
        for path, inverse in sorted(was.items())
        if inverse.what == What.FILE
        and path not in places
        and path in ours
        and view.look(path).digest == ours[path]
    )


def _as_resource(inverse: PutBack, to: Generation) -> Resource:
    """The file as one of the host's own: written when all instances have had their turn."""
    return Resource(
        f"{Kind.FILE}:{inverse.path}",
        Kind.FILE,
        inverse.path,
        "",
        inverse.mode,
        inverse.owner,
        inverse.digest,
        Impact.NONE,
        f"{FORMER}{inverse.digest}",
        None,
        (f"as it was at generation {to.number}, before it was managed",),
    )
