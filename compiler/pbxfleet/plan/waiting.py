"""Changes that wait for a maintenance window: what costs a restart, and what cannot go without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import NamedTuple

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import Observed
from pbxfleet.model.plan import Change, Closed, Plan, Verb, Waiting
from pbxfleet.model.target import Impact, Kind, Target
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.selection import is_core
from pbxfleet.plan.waves import depends, holdings


class Split(NamedTuple):
    """What can be settled now, and what waits, by instance."""

    difference: Difference
    waits: tuple[Waiting, ...]


def split(
    difference: Difference,
    closed: Callable[[str], Closed | None],
    target: Target,
    observed: Observed,
    records: Mapping[str, AppliedRecord],
) -> Split:
    """Leave out what would stop an instance whose window is closed; `closed` says until when.

    What costs nothing goes on, and so do settings that change live where nothing else does. An instance
    that takes an address and port of one that waits, waits too. What the host's own files (backup lists,
    rules of its firewall, its addresses) say of an instance that still runs where it was stays true.
    """
    stopped = {
        c.instance
        for c in difference.changes
        if c.kind is Kind.SERVICE and c.impact is Impact.RESTART
    }
    waiting = {name: until for name in sorted(stopped) if (until := closed(name)) is not None}
    if not waiting:
        return Split(difference, ())
    held = holdings(records, observed.runtime)
    _add_takers(waiting, difference, depends(_starting(difference, target), target.instances, held))
    held_by = next((n for n in sorted(waiting) if _is_leaving(n, target, records.get(n))), "")
    if held_by:
        until = waiting[held_by]
        waiting[""] = Closed(until.opens, f"{until.text}, as {held_by} does, which still needs it")
    left: dict[str, list[Change]] = {name: [] for name in waiting}
    now = []
    for change in difference.changes:
        if (
            change.instance not in waiting
            or change.action is Verb.KEEP
            or (change.instance and not is_core(change, target))
            or (not change.instance and change.action is Verb.CREATE)
        ):
            now.append(change)
        elif _is_live(change, observed):
            now.append(change._replace(impact=Impact.LIVE))
        else:
            left[change.instance].append(change)
    ids = {change.resource for changes in left.values() for change in changes}
    switches = tuple(s for s in difference.switches if s.resource not in ids)
    waits = tuple(
        Waiting(name, until.opens, until.text, tuple(left[name]))
        for name, until in sorted(waiting.items())
        if name or left[name]
    )
    return Split(difference._replace(changes=tuple(now), switches=switches), waits)


def with_waits(plan: Plan, waits: tuple[Waiting, ...]) -> Plan:
    """The plan of what goes on; records of instances that wait are not brought up to date."""
    names = {w.instance for w in waits}
    outdated = tuple(name for name in plan.outdated if name not in names)
    return plan._replace(waits=waits, outdated=outdated)


def _starting(difference: Difference, target: Target) -> set[str]:
    """Instances that will be started, whether they run now or not."""
    return {
        c.instance
        for c in difference.changes
        if c.kind is Kind.SERVICE
        and c.action in (Verb.START, Verb.RESTART)
        and c.instance in target.instances
    }


def _add_takers(
    waiting: dict[str, Closed], difference: Difference, needs: Mapping[str, Set[str]]
) -> None:
    changing = {c.instance for c in difference.changes}
    while True:
        more = {
            name: sorted(holders & waiting.keys())[0]
            for name, holders in needs.items()
            if name not in waiting and name in changing and holders & waiting.keys()
        }
        if not more:
            return
        for name, holder in sorted(more.items()):
            until = waiting[holder]
            text = f"{until.text}, as {holder} does, of which it takes an address and port"
            waiting[name] = Closed(until.opens, text)


def _is_leaving(name: str, target: Target, record: AppliedRecord | None) -> bool:
    """Whether an instance is about to be removed, or to listen elsewhere."""
    now = target.instances.get(name)
    if now is None:
        return True
    was = record.declared if record is not None else None
    return was is not None and (was.addresses, was.listeners) != (now.addresses, now.listeners)


def _is_live(change: Change, observed: Observed) -> bool:
    """Settings that the running process can be given, every one of them."""
    seen = observed.settings.get(change.resource)
    if change.kind is not Kind.SETTINGS or seen is None or change.action is not Verb.UPDATE:
        return False
    return bool(change.fields) and {f.name for f in change.fields} <= seen.live
