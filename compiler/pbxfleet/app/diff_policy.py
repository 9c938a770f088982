"""What the policy of a fleet says of a change between two revisions, beside what the change does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pbxfleet.model.plan import Note, Plan, Verb
from pbxfleet.model.policy import Effects
from pbxfleet.model.revisions import Effect
from pbxfleet.model.target import Impact, Target
from pbxfleet.plan.guards import FORBIDDEN, removal_notes
from pbxfleet.plan.make import empty_plan
from pbxfleet.plan.policy import judged, policy_findings

UNCHANGED = "nothing on the host changes"


def under_policy(after: Target, effects: Sequence[Effect], today: str) -> tuple[Effect, ...]:
    """The effects on one host, each with what the rules of its second side say of it.

    What they say of the host as a whole stands with the host itself. `today` is YYYY-MM-DD.
    """
    host, rules = after.host, after.rules
    restarts = [e for e in effects if e.impact is Impact.RESTART and e.action is Verb.UPDATE]
    removed = [e for e in effects if e.instance and e.action is Verb.REMOVE]
    sums = Effects(
        host, tuple(e.instance for e in restarts if e.instance), tuple(e.instance for e in removed)
    )
    notes = [*policy_findings(sums, rules, today), *_removals(after, removed, today)]
    of_host = tuple(note for note in notes if not note.instance)
    if of_host and all(effect.instance for effect in effects):
        own = Effect(host, "", Verb.KEEP, "", Impact.NONE, UNCHANGED)
        effects = (own, *effects)
    return tuple(
        effect._replace(
            notes=(
                *judged(effect.notes, host, rules, today),
                *(note for note in notes if note.instance == effect.instance),
            )
        )
        for effect in effects
    )


def is_denied(effects: Iterable[Effect]) -> bool:
    """Whether policy forbids some of it, so that no apply would do that."""
    notes = (note for effect in effects for note in effect.notes)
    return any(note.severity == "error" and note.code in FORBIDDEN for note in notes)


def _removals(after: Target, removed: Iterable[Effect], today: str) -> tuple[Note, ...]:
    changes = tuple(change for effect in removed for change in effect.changes)
    plan: Plan = empty_plan(after.host, "")._replace(changes=changes)
    return removal_notes(after, {}, plan, today)
