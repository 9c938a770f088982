"""What a plan that removes instances has to say before anybody is asked: budget, and nothing left."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.plan import Note, Plan
from pbxfleet.model.target import Target

OVER_BUDGET = "PLN103"
EMPTIED = "PLN160"
SHOWN = 6


def removal_notes(
    target: Target, records: Mapping[str, AppliedRecord], plan: Plan
) -> tuple[Note, ...]:
    """Why policy forbids the removals of a plan; nothing where it does not.

    PLN160 where the host would be left without any instance and the fleet does not say that this is
    right: a folder that was not checked out, a wrong branch, a broken generator look just like it.
    """
    removed = plan.removed_instances()
    if not removed:
        return ()
    applied = sum(1 for name, record in records.items() if name and record.resources)
    notes = []
    if not target.instances and not target.guards.may_be_empty:
        text = (
            f"{target.host} would be left without any instance: {_some(removed)} would be removed, "
            f"and {len(removed)} of {max(applied, len(removed))} applied here are no longer declared"
        )
        hint = (
            "if desired/instances/ is whole and this is meant, say so in fleet.toml: "
            f'policy.empty_hosts = ["{target.host}"]'
        )
        notes.append(Note(EMPTIED, "error", "", text, hint))
    budget = target.deletion_budget
    if len(removed) > budget:
        every = ", which is all of them" if len(removed) >= applied > 1 else ""
        text = (
            f"{len(removed)} instances would be removed ({', '.join(removed)}){every}, "
            f"the budget is {budget}"
        )
        hint = "raise policy.deletion_budget in fleet.toml in the same pull request, and compile"
        notes.append(Note(OVER_BUDGET, "error", "", text, hint))
    return tuple(notes)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
