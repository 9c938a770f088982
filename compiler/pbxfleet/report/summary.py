"""The counts that a headline is made of, so that no screen invents its own."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.model.plan import Plan, Status, Verb
from pbxfleet.model.target import Impact, Kind


class Summary(NamedTuple):
    """What a plan amounts to: what apply will do, not what it only mentions.

    `instances` are those that will be changed, without the removed; `restarts` are those of them that
    run and will be stopped and started. `files` and `settings` count what will be written or removed,
    `drifted` and `conflicts` resources, without the restarts that follow from them. `live` are the
    settings that change in the running process. `calls` are on instances that will be stopped, as far
    as they are known; None if nobody was asked. `calls_not_known` names instances with the reason.
    """

    instances: tuple[str, ...]
    restarts: tuple[str, ...]
    removed: tuple[str, ...]
    files: int
    settings: int
    drifted: int
    conflicts: int
    blocked: int
    live: int = 0
    calls: int | None = None
    calls_not_known: tuple[str, ...] = ()


def summary(plan: Plan) -> Summary:
    """Counts over the changes of a plan."""
    removed = plan.removed_instances()
    done = [c for c in plan.changes if c.action is not Verb.KEEP]
    owned = [c for c in done if c.kind is not Kind.SERVICE]
    found = [c for c in plan.changes if any(f.name != "process" for f in c.fields)]
    names = dict.fromkeys(c.instance for c in done)
    return Summary(
        instances=tuple(name for name in names if name and name not in removed),
        restarts=plan.restarts(),
        removed=removed,
        files=sum(1 for c in owned if c.kind not in (Kind.SETTINGS, Kind.DIRECTORY)),
        settings=sum(len(c.fields) for c in owned if c.kind is Kind.SETTINGS),
        drifted=sum(1 for c in found if c.status is Status.DRIFT),
        conflicts=sum(1 for c in found if c.status is Status.CONFLICT),
        blocked=len(plan.blocked),
        live=sum(
            len(c.fields) for c in owned if c.kind is Kind.SETTINGS and c.impact is Impact.LIVE
        ),
        calls=sum(c.number or 0 for c in plan.calls) if plan.calls else None,
        calls_not_known=tuple(f"{c.instance}: {c.why}" for c in plan.calls if c.number is None),
    )


def counted(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
