"""A host as commands see it: compiled target, machine, applied records, and the plan between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from pbxfleet.app.contents import RenderedTree, Tree
from pbxfleet.app.freshness import stale_inputs
from pbxfleet.app.identity import check_machine
from pbxfleet.app.loaded_rules import rules_not_loaded
from pbxfleet.app.record_names import APPLIED, record_name
from pbxfleet.app.timers import with_timers_proven
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.core.places import PLACES_FILE
from pbxfleet.host.clock import in_utc, now_s, today
from pbxfleet.host.disk import absolute, is_directory
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State
from pbxfleet.host.trust import lines_of
from pbxfleet.model.applied import AppliedRecord, decode_record
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.ignoring import active
from pbxfleet.model.maintenance import (
    NO_DRAIN,
    NO_MAINTENANCE,
    UTC,
    Drain,
    Times,
    times_at,
    told,
    zone_of,
)
from pbxfleet.model.observed import Observed
from pbxfleet.model.plan import EVERYTHING, Closed, Do, Note, Plan, Selection, Step, Waiting
from pbxfleet.model.sinks import NO_SINKS, Sinks
from pbxfleet.model.target import Target
from pbxfleet.observe.observe import observe
from pbxfleet.plan.confined import problems
from pbxfleet.plan.diff import Difference, diff, of_host

FOREIGN = "PLN165"
SHOWN = 4


class Live(NamedTuple):
    """Everything the host half works with; `records` is by instance name, "" for the host itself.

    `notes` are said in every plan. With `host_only` plans are about the host's own files, and leave
    every instance alone; with a `selection` they are about a part of the host. `clock` tells seconds
    since 1970; `outside_window` is the reason why maintenance windows do not count, "" where they do.
    `drain` is how an instance with calls is waited for. `sinks` are told how a run ends, also if it is
    taken back later.
    """

    tree: Tree
    target: Target
    machine: LocalHost
    state: State
    records: dict[str, AppliedRecord]
    root: str
    host_only: bool = False
    selection: Selection = EVERYTHING
    notes: tuple[Note, ...] = ()
    clock: Callable[[], float] = now_s
    outside_window: str = ""
    drain: Drain = NO_DRAIN
    sinks: Sinks = NO_SINKS


class Looked(NamedTuple):
    """A look at the host: what was observed, how it differs, and the plan that settles it.

    `difference` is all of it, also what the plan leaves out: for a selection, or a window that is closed.
    `debts` are all restarts that running instances are owed.
    """

    observed: Observed
    difference: Difference
    plan: Plan
    debts: tuple[RestartDebt, ...] = ()


def open_live(
    repository: str,
    host: str,
    root: str,
    artefacts: str | None = None,
    *,
    host_only: bool = False,
    this_host: bool = False,
    selection: Selection = EVERYTHING,
) -> Live:
    """The host `host` of a repository, on this machine or below `root`; nothing is changed.

    `artefacts` is a folder of release files that is looked into before the repository's own.
    `this_host` is the operator's word that this is the right machine, whatever it is called.
    """
    store = "" if artefacts is None else absolute(artefacts)
    tree = RenderedTree(absolute(repository), _name(host), store)
    target = tree.target()
    _refuse_stale(tree, target)
    if target.services == "windows":
        raise Refused(
            f"{target.host} runs Windows, where pbxfleet itself does not",
            hint=f"copy rendered/{target.host}/ there and run its script, with -Plan first",
            code="PLN117",
        )
    if not root:  # an unset variable of a script: the current folder was not meant, nor the machine
        raise Refused("--root is empty", hint="--root names the folder that is the host's /")
    root = absolute(root)
    if not is_directory(root):
        raise Refused(
            f"{root} is not a folder", hint="--root names the folder that is the host's /"
        )
    machine = LocalHost(
        root, target.services, pin=target.affinity == "unit", program=target.program
    )
    _refuse_foreign(tree, target, machine)
    state = State(machine)
    check_machine(target, machine, state, this_host=this_host)
    return Live(tree, target, machine, state, read_records(state), root, host_only, selection)


def _name(host: str) -> str:
    if not host or host.startswith((".", "-")) or "/" in host:
        raise Refused(
            f"{host!r} is not the name of a host", hint="names are those in desired/hosts/"
        )
    return host


def _refuse_stale(tree: RenderedTree, target: Target) -> None:
    """A plan from an outdated target would be a plan for something nobody declared."""
    changed = stale_inputs(tree.repository, target.inputs)
    if changed:
        raise Refused(
            f"rendered/{tree.host} is stale: {', '.join(changed[:3])}"
            + (f" and {len(changed) - 3} more files" if len(changed) > 3 else "")
            + " changed since it was compiled, or never was",
            hint="run pbxfleet compile, review the difference, and plan again",
            code="PLN107",
        )


def _refuse_foreign(tree: RenderedTree, target: Target, machine: LocalHost) -> None:
    """A manifest that compile cannot have made: it is for another host, or names what is not ours."""
    if target.host != tree.host:
        raise Refused(
            f"rendered/{tree.host} is the target of {target.host}",
            hint="run pbxfleet compile; a rendered tree is not copied from one host to another",
            code=FOREIGN,
        )
    content = machine.read(HostPath(PLACES_FILE))
    found = tuple(problems(target, lines_of(machine.root, HostPath(PLACES_FILE), content)))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Refused(
            f"rendered/{tree.host}/manifest.json names what compile does not make: {found[0]}{more}",
            hint=f"see who changed it; a folder that is meant is allowed on the host, in {PLACES_FILE}",
            code=FOREIGN,
        )


def read_records(state: State) -> dict[str, AppliedRecord]:
    """The applied records of the host; Refused if one cannot be understood."""
    records = {}
    for name in state.records(APPLIED):
        try:
            record = decode_record(state.read_record(name) or b"")
        except ValueError as error:
            raise _damaged(name, str(error)) from error
        if name != record_name(record.instance):
            raise _damaged(name, f"it is of {record.instance or 'the host'}")
        records[record.instance] = record
    return records


def _damaged(name: str, why: str) -> Refused:
    return Refused(
        f"the applied record {name} in the state folder is damaged: {why}",
        hint="move it away; the instance is then adopted again, element by element",
        code="PLN108",
    )


def compared(live: Live) -> tuple[Observed, Difference]:
    """What was observed on the host, and how it differs from target and applied state."""
    fields = live.tree.fields
    observed = observe(live.machine, live.target, live.records, fields)
    ignoring = active(live.target.rules.ignored, today())
    difference = diff(live.target, observed, live.records, fields, ignoring)
    unloaded = rules_not_loaded(live.machine, live.target)
    difference = difference._replace(notes=(*difference.notes, *unloaded))
    difference = with_timers_proven(live.machine, live.target, difference)
    return observed, of_host(difference) if live.host_only else difference


def look(live: Live, *, with_basis: bool = False) -> Looked:
    """As `compared`, with the plan that settles the difference."""
    # Who needs no plan, as drift does, need not load what makes one.
    from pbxfleet.plan.guards import removal_notes
    from pbxfleet.plan.make import make_basis, make_plan
    from pbxfleet.plan.policy import judged, plan_findings
    from pbxfleet.plan.selection import of_selection, select
    from pbxfleet.plan.waiting import split, with_waits

    fields = live.tree.fields
    observed, whole = compared(live)
    difference, left = select(whole, live.selection, live.target, observed, live.records)
    waits: tuple[Waiting, ...] = ()
    if live.target.maintenance != NO_MAINTENANCE and not live.host_only:
        difference, waits = split(
            difference, partial(_closed, live), live.target, observed, live.records
        )
    plan = make_plan(live.target, observed, live.records, difference, live.root)
    plan = with_waits(of_selection(plan, live.selection, left, live.target), waits)
    if live.host_only:
        plan = plan._replace(outdated=tuple(name for name in plan.outdated if not name))
    advice = _key_advice(live, difference) if difference.switches else ()
    day, rules = today(), live.target.rules
    advice = (*removal_notes(live.target, live.records, plan, day), *advice)
    notes = judged(plan.notes, plan.host, rules, day)
    plan = plan._replace(notes=(*notes, *plan_findings(plan, rules, day)))
    plan = plan._replace(notes=(*live.notes, *plan.notes, *advice, *_not_at_hand(live, plan.steps)))
    if with_basis:
        plan = plan._replace(basis=make_basis(live.target, observed, live.records, fields))
    return Looked(observed, whole, plan, difference.debts)


def times_of(live: Live, name: str) -> Times:
    """How the windows of an instance stand now."""
    declared = live.target.maintenance
    windows = () if live.outside_window else declared.of(name)
    try:
        zone = zone_of(declared.timezone if windows else UTC)
    except ValueError as error:
        raise Refused(
            f"whether maintenance windows are open cannot be told: {error}",
            hint="install tzdata on the host, or say --outside-window with the reason",
        ) from error
    return times_at(windows, zone, live.clock())


def _closed(live: Live, name: str) -> Closed | None:
    times = times_of(live, name)
    if times.is_open:
        return None
    if times.opens is None:
        return Closed("", "waits for its window, which does not open in the next week")
    zone = zone_of(live.target.maintenance.timezone)
    text = f"waits for its window: next {told(times.opens, zone, live.clock())}"
    return Closed(in_utc(times.opens * 1_000_000_000), text)


def _key_advice(live: Live, difference: Difference) -> tuple[Note, ...]:
    from pbxfleet.app.key_advice import unknown_settings

    return tuple(unknown_settings(live.tree, live.target, live.machine, difference))


def _not_at_hand(live: Live, steps: Iterable[Step]) -> tuple[Note, ...]:
    """What steps need and cannot have: found now, while nothing is stopped, and so in every plan."""
    needed_by: dict[tuple[str, str, str], dict[str, None]] = {}
    for step in steps:
        try:
            _fetch(live, step)
        except (Refused, HostError) as error:
            hint = error.hint if isinstance(error, Refused) else ""
            needed_by.setdefault((error.code, str(error), hint), {})[step.wave] = None
    return tuple(
        Note(code, "error", "", f"{text}; needed by {_some(list(names))}", hint)
        for (code, text, hint), names in needed_by.items()
    )


def _some(names: Sequence[str]) -> str:
    """The first names of many: one missing file concerns every instance of the release."""
    shown = ", ".join(name or "the host" for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _fetch(live: Live, step: Step) -> None:
    resource = live.target.resources.get(step.resource)
    if step.do is Do.MERGE:
        live.tree.fields(step.wave)
    elif resource is not None and step.do is Do.WRITE:
        live.tree.rendered(resource.source, resource.digest)
    elif resource is not None and step.do is Do.COPY_IN:
        live.tree.artefact(resource.source, resource.digest)
