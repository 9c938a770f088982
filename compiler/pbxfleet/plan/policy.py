"""What the fleet's policy says of a change: of a plan on its host, and of two compiled targets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pbxfleet.model.plan import Note, Plan
from pbxfleet.model.policy import (
    DOWNGRADED,
    OF_INSTANCE,
    REMOVAL,
    RESTARTS,
    Acknowledgement,
    Effects,
    Removals,
    Rules,
)
from pbxfleet.model.target import Impact, Kind, Resource, Target
from pbxfleet.pbx.versions import DOWNGRADE, direction

SHOWN = 6


def policy_findings(effects: Effects, rules: Rules, today: str) -> tuple[Note, ...]:
    """What the rules say of a change: errors forbid it, warnings tell what was acknowledged.

    POL101 where more instances are restarted than the budget allows; POL102 for each instance that is
    removed and has no acknowledgement; PLN140 for each downgrade. `today` is YYYY-MM-DD.
    """
    found = [*_restarts(effects, rules), *_removals(effects, rules)]
    found += [
        Note(DOWNGRADED, "error", name, text, _hint(DOWNGRADED, f"{effects.host}/{name}"))
        for name, text in effects.downgrades
    ]
    return judged(found, effects.host, rules, today)


def judged(notes: Iterable[Note], host: str, rules: Rules, today: str) -> tuple[Note, ...]:
    """The notes, with those that people have acknowledged, or want warnings of, as warnings."""
    return tuple(_judged(note, host, rules, today) for note in notes)


def plan_findings(plan: Plan, rules: Rules, today: str) -> tuple[Note, ...]:
    """What the rules say of a plan, besides the notes that it has."""
    effects = Effects(plan.host, plan.restarts(), plan.removed_instances())
    return policy_findings(effects, rules, today)


def removals_to_count(
    removed: Iterable[str], host: str, rules: Rules, today: str
) -> tuple[str, ...]:
    """Those that count for the deletion budget: not those that a person has acknowledged by name."""
    return tuple(
        name for name in removed if rules.acknowledgement(REMOVAL, f"{host}/{name}", today) is None
    )


def effects_between(
    before: Target | None, after: Target | None, restarts: Collection[str] | None = None
) -> Effects:
    """What the step from one target of a host to the next does to it; None for a host that is not there.

    `restarts` are the instances that restart, where that is known; without it every instance counts
    of which a resource changes whose change may cost a restart.
    """
    one = after or before
    assert one is not None, "one of the two is a target"
    was = {} if before is None else before.instances
    now = {} if after is None else after.instances
    staying = [name for name in sorted(was) if name in now]
    touched = _touched(before, after) if restarts is None else restarts
    return Effects(
        one.host,
        tuple(name for name in staying if name in touched),
        tuple(name for name in sorted(was) if name not in now),
        () if before is None or after is None else tuple(_downgrades(before, after, staying)),
    )


def _touched(before: Target | None, after: Target | None) -> set[str]:
    was = {} if before is None else before.resources
    now = {} if after is None else after.resources
    return {
        (now.get(i) or was[i]).instance
        for i in {*was, *now}
        if Impact.RESTART in {r.impact for r in (was.get(i), now.get(i)) if r is not None}
        and _content(was.get(i)) != _content(now.get(i))
    }


def _content(resource: Resource | None) -> tuple[object, ...]:
    """What a process is started with. Modes and owners are set without a restart."""
    if resource is None or resource.kind is Kind.DIRECTORY:
        return ()
    return (resource.fields_digest or resource.digest,)


def _downgrades(before: Target, after: Target, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    if after.downgrades == "allow":
        return
    for name in names:
        was, now = before.instances[name].release, after.instances[name].release
        if direction(_version(before, was), _version(after, now)) == DOWNGRADE:
            yield name, f"release {was} -> {now} is a downgrade"


def _version(target: Target, release: str) -> str:
    known = target.releases.get(release)
    return release if known is None else known.version


def _restarts(effects: Effects, rules: Rules) -> list[Note]:
    budget, restarts = rules.restart_budget, effects.restarts
    if budget is None or len(restarts) <= budget:
        return []
    text = (
        f"{len(restarts)} instances would be restarted ({_some(restarts)}), "
        f"policy.restart_budget is {budget}"
    )
    hint = f"apply a part of it with --target, or {_hint(RESTARTS, effects.host)}"
    return [Note(RESTARTS, "error", "", text, hint)]


def _removals(effects: Effects, rules: Rules) -> list[Note]:
    if rules.removals != Removals.ACKNOWLEDGE:
        return []
    text = "it would be removed, and nobody has acknowledged that"
    return [
        Note(REMOVAL, "error", name, text, _hint(REMOVAL, f"{effects.host}/{name}"))
        for name in effects.removed
    ]


def _hint(code: str, what: str) -> str:
    return (
        f'if it is meant, say so in fleet.toml: [[acknowledge]] code = "{code}", what = "{what}", '
        "with a reason and the day it expires"
    )


def _judged(note: Note, host: str, rules: Rules, today: str) -> Note:
    if note.severity != "error" or note.code not in (RESTARTS, *OF_INSTANCE):
        return note
    what = f"{host}/{note.instance}" if note.code in OF_INSTANCE else host
    by = rules.acknowledgement(note.code, what, today)
    if by is not None:
        return note._replace(severity="warning", message=f"{note.message}; {_said(by)}", hint="")
    return note._replace(severity="warning") if note.code in rules.warned else note


def _said(by: Acknowledgement) -> str:
    return f"acknowledged until {by.expires}: {by.reason}"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
