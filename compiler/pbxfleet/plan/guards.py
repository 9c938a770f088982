"""What a plan that removes instances has to say before anybody is asked: budget, and nothing left."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.plan import Note, Plan
from pbxfleet.model.policy import REMOVAL, RESTARTS
from pbxfleet.model.target import Target
from pbxfleet.plan.policy import removals_to_count
from pbxfleet.plan.releases import POLICY_CODES

OVER_BUDGET = "PLN103"
EMPTIED = "PLN160"
FORBIDDEN = frozenset((*POLICY_CODES, OVER_BUDGET, EMPTIED, RESTARTS, REMOVAL))
SHOWN = 6


def is_denied(plan: Plan) -> bool:
    """Whether policy, and nothing else, forbids the plan."""
    return bool(plan.blocked) and all(note.code in FORBIDDEN for note in plan.blocked)


def removal_notes(
    target: Target, records: Mapping[str, AppliedRecord], plan: Plan, today: str = ""
) -> tuple[Note, ...]:
    """Why policy forbids the removals of a plan; nothing where it does not.

    PLN160 where the host would be left without any instance and the fleet does not say that this is
    right: a folder that was not checked out, a wrong branch, a broken generator look just like it.
    What people have acknowledged by name does not count for the budget; `today` is YYYY-MM-DD.
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
    counted = removals_to_count(removed, target.host, target.rules, today)
    if len(counted) > budget:
        every = ", which is all of them" if len(counted) >= applied > 1 else ""
        text = (
            f"{len(counted)} instances would be removed ({', '.join(counted)}){every}, "
            f"the budget is {budget}"
        )
        hint = "raise policy.deletion_budget in fleet.toml in the same pull request, and compile"
        notes.append(Note(OVER_BUDGET, "error", "", text, hint))
    return tuple(notes)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
