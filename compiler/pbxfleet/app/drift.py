"""Drift of a host, with the memory of when each difference was seen and what was told of it."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.app.live import Live, compared, look
from pbxfleet.app.record_names import PENDING
from pbxfleet.core.errors import HostError
from pbxfleet.host.clock import now
from pbxfleet.host.lock import holder
from pbxfleet.host.state import JOURNAL
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.drift_memory import (
    Memory,
    dated,
    decode_memory,
    encode_memory,
    hear,
    is_told,
    see,
    tell,
)
from pbxfleet.model.observed import Observed
from pbxfleet.model.plan import Change, Note
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.drift import RELEASE, UNDECLARED, drift_items, pending_changes
from pbxfleet.plan.ignored import IGNORED

MEMORY = "drift"


class Wanted(NamedTuple):
    """Which items are to be shown: `only_new` those that no earlier run reported, `after` those that so
    many runs in a row have seen. `tells` says that showing them is reporting them to people,
    `plans` that it is to be known whether a plan would have something to do. A look that
    `keeps` nothing is no run: `every` item then has what earlier runs saw of it.
    """

    only_new: bool = False
    after: int = 1
    tells: bool = True
    plans: bool = False
    keeps: bool = True


class Drift(NamedTuple):
    """What somebody else changed, and beside it what is merely not applied yet.

    `items` are those that were asked for and `held_back` counts the others. `every` item is there for
    whoever measures, and those that are `lasting`, seen `after` so many runs in a row, for whoever is
    told besides, with a memory of its own of what is new. `notices` are lines about a run that is unfinished.
    `ignored` are notes about differences that the fleet has rules for. `plan_differs` only where it was
    `Wanted`.
    """

    items: tuple[DriftItem, ...]
    held_back: int
    pending: tuple[Change, ...]
    notices: tuple[str, ...]
    debts: tuple[RestartDebt, ...] = ()
    ignored: tuple[Note, ...] = ()
    every: tuple[DriftItem, ...] = ()
    lasting: tuple[DriftItem, ...] = ()
    plan_differs: bool = False


def drift(live: Live, wanted: Wanted) -> Drift:
    """Compare the host with its applied record; every finding carries when it was seen, and how often.

    The memory of findings is kept in the state folder, and written only when it changes: never while
    nothing differs. Where it cannot be written (not the superuser) nothing counts as seen before.
    """
    lines = _notices(live)
    at_work = wanted.only_new and holder(live.machine) is not None
    observed, difference, differs = _looked(live, plans=wanted.plans)
    items = tuple(_with_version(live, observed, item) for item in drift_items(difference, observed))
    if items:
        items = _attributed(live, observed, items, at_work=at_work)
    if at_work:
        lines = []
    before = decode_memory(live.state.read_record(MEMORY))
    memory = see(before, items, now()) if wanted.keeps else before
    if wanted.only_new:
        heard = hear(memory, "\n".join(lines))
        lines, memory = lines if heard != memory else [], heard
    shown = tuple(item for item in items if _is_wanted(memory, item, wanted))
    if wanted.tells:
        memory = tell(memory, shown)
    _keep(live, memory, before)
    every = tuple(dated(memory, item) for item in items)
    return Drift(
        tuple(dated(memory, item) for item in shown),
        len(items) - len(shown),
        pending_changes(difference.changes),
        tuple(lines),
        difference.debts,
        tuple(
            sorted(
                (note for note in difference.notes if note.code == IGNORED),
                key=lambda note: (note.instance, note.resource, note.name),
            )
        ),
        every,
        tuple(item for item in every if item.sightings >= wanted.after),
        differs,
    )


def _looked(live: Live, *, plans: bool) -> tuple[Observed, Difference, bool]:
    """What was observed, how it differs, and whether a plan would have something to do (False: not asked)."""
    if not plans:
        return (*compared(live), False)
    looked = look(live)
    return looked.observed, looked.difference, not looked.plan.is_empty


def _notices(live: Live) -> list[str]:
    """What is to be said of a run that is unfinished, or waits to be confirmed."""
    if live.machine.identity(JOURNAL) is None and live.state.read_record(PENDING) is None:
        return []
    from pbxfleet.app.open_run import notice

    lines: list[str] = []
    notice(live.state, lines.append)
    return lines


def _attributed(
    live: Live, observed: Observed, items: tuple[DriftItem, ...], *, at_work: bool
) -> tuple[DriftItem, ...]:
    """The items with who made them; what an apply `at_work` is just doing is no news."""
    from pbxfleet.app.evidence import evidence_for
    from pbxfleet.plan.who import HALF_APPLIED, attributed

    found = attributed(items, evidence_for(live, observed, items))
    return tuple(item for item in found if not (at_work and item.who == HALF_APPLIED))


def _is_wanted(memory: Memory, item: DriftItem, wanted: Wanted) -> bool:
    if wanted.only_new and is_told(memory, item):
        return False
    return dated(memory, item).sightings >= wanted.after


def _with_version(live: Live, observed: Observed, item: DriftItem) -> DriftItem:
    """A release that is not declared, with what its executable says of itself where it may be asked."""
    if item.name != RELEASE or not (item.observed or "").startswith(UNDECLARED):
        return item
    runtime = observed.runtime.get(item.instance)
    if runtime is None or not runtime.trees or runtime.trees[0].replaced:
        return item
    from pbxfleet.host.told_version import told_version

    path = live.machine.root.machine_path(live.target.instances[item.instance].executable)
    says = told_version(path, runtime.trees[0].pids)
    said = f'{item.observed}; --version says "{says}"' if says else item.observed
    return item._replace(observed=said)


def _keep(live: Live, memory: Memory, before: Memory) -> None:
    if memory == before:
        return
    try:
        live.state.write_record(MEMORY, encode_memory(memory))
    except HostError:
        return
