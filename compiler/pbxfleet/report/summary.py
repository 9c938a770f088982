"""The counts that a headline is made of, so that no screen invents its own."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.model.plan import Plan, Status
from pbxfleet.model.target import Kind


class Summary(NamedTuple):
    """What a plan amounts to. `restarts` are running instances that will be interrupted."""

    instances: tuple[str, ...]
    restarts: tuple[str, ...]
    removed: tuple[str, ...]
    files: int
    settings: int
    drifted: int
    conflicts: int
    blocked: int


def summary(plan: Plan) -> Summary:
    """Counts over the changes of a plan."""
    owned = [c for c in plan.changes if c.kind is not Kind.SERVICE]
    return Summary(
        instances=tuple(dict.fromkeys(c.instance for c in plan.changes if c.instance)),
        restarts=plan.restarts(),
        removed=plan.removed_instances(),
        files=sum(1 for c in owned if c.kind is not Kind.SETTINGS),
        settings=sum(len(c.fields) for c in owned if c.kind is Kind.SETTINGS),
        drifted=sum(1 for c in plan.changes if c.status is Status.DRIFT),
        conflicts=sum(1 for c in plan.changes if c.status is Status.CONFLICT),
        blocked=len(plan.blocked),
    )


def counted(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
