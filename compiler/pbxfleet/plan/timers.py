"""Timers of the schedule that do not run although their files lie there: apply starts them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pbxfleet.model.plan import Change, FieldDelta, Status, Verb
from pbxfleet.model.target import Impact, Kind, Resource
from pbxfleet.model.timers import ACTIVE
from pbxfleet.plan.diff import in_change_order


def with_timers(changes: Sequence[Change], stopped: Mapping[Resource, str]) -> tuple[Change, ...]:
    """The changes with those of timers that are in another state than active.

    A timer whose file is written anyway is started then; nothing more need be said of it.
    """
    known = {change.resource: change for change in changes}
    for timer, state in stopped.items():
        before = known.get(timer.id)
        if before is not None and any(field.name == "content" for field in before.fields):
            continue
        origin = timer.origin[0] if timer.origin else ""
        delta = FieldDelta(ACTIVE, state, ACTIVE, Status.DRIFT, origin)
        known[timer.id] = (
            _started(timer, delta)
            if before is None
            else before._replace(fields=(*before.fields, delta))
        )
    return tuple(sorted(known.values(), key=in_change_order))


def _started(timer: Resource, delta: FieldDelta) -> Change:
    return Change(
        timer.id,
        Kind.FILE,
        timer.instance,
        timer.path,
        Status.DRIFT,
        Verb.START,
        Impact.NONE,
        "the schedule of the host does not run",
        (delta,),
        timer.origin,
    )
