"""Apply: look, be approved, look at every step again, do it, and prove the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import NamedTuple

from pbxfleet.app import settled
from pbxfleet.app.calls import with_calls
from pbxfleet.app.confirm import arm, disarm, wait_from_now
from pbxfleet.app.gate import HostGate
from pbxfleet.app.generations import finish, retain, stage
from pbxfleet.app.hearers import remember
from pbxfleet.app.identity import learn
from pbxfleet.app.litter import folders_of, sweep
from pbxfleet.app.live import Live, look
from pbxfleet.app.memory import HostMemory
from pbxfleet.app.unfinished import Displaced, finish_what_is_over, must_go_on, unfinished_run
from pbxfleet.apply.execute import apply_plan
from pbxfleet.apply.gate import Progress, Watch
from pbxfleet.apply.readback import NOT_PROVEN, NOT_TAKEN
from pbxfleet.core.errors import Denied, HostError, Refused, StalePlan
from pbxfleet.core.exits import Exit
from pbxfleet.model.open_run import UNFINISHED
from pbxfleet.model.pending import Pending
from pbxfleet.model.plan import EVERYTHING, ApplyReport, Do, Plan
from pbxfleet.observe.observe import known_instances
from pbxfleet.plan.guards import is_denied
from pbxfleet.plan.make import stale
from pbxfleet.plan.waves import depends, holdings

Approve = Callable[[Plan], bool]


class Talk(NamedTuple):
    """Who is told of each step, of what a run waits for, and (`note`) of what it found and saved."""

    progress: Progress
    say: Callable[[str], None] = lambda _: None
    note: Callable[[str], None] = lambda _: None


class Back(NamedTuple):
    """A rollback to a generation; `reopen` works out anew what of it may be put back on the host."""

    restores: int
    reopen: Callable[[], Live]


class Applied(NamedTuple):
    """How an apply ended. `remaining` is what a second look still wants to change."""

    exit_code: Exit
    plan: Plan
    report: ApplyReport | None
    remaining: Plan | None


def apply(
    live: Live,
    stored: Plan | None,
    approve: Approve,
    talk: Talk,
    *,
    resume: bool = False,
    back: Back | None = None,
    confirm_s: int | None = None,
) -> Applied:
    """Apply the target of a host, or exactly the stored plan. The caller holds the host's lock.

    An unfinished run is completed: what it did stays, and the plan is made from what is there now.
    `resume` refuses to do anything else than that. `back` says that this is a rollback.
    With `confirm_s` the run waits so many seconds for `pbxfleet confirm`, and is taken back without.

    Raises StalePlan if the stored plan was made from something else than what is there now, Refused
    if the plan is blocked or was not approved, Denied if a policy forbids it.
    """
    restores = None if back is None else back.restores
    displaced = Displaced(live)
    finish_what_is_over(live.state)
    _must_go_on(live, resume=resume)
    if journal := live.state.journal():
        _refuse_half(live, journal)
    plan = _planned(live, stored)
    approved = _approved(live, plan, approve)
    if displaced.rescue(talk.note):
        # A pbx.xml may be another one now: what was approved is looked at once more.
        live = live if back is None else back.reopen()
        now = _planned(live, stored)
        approved = approved if now == plan else _approved(live, now, approve)
    plan = approved
    if plan.is_empty:
        sweep(live.machine, folders_of(live))
        # An unfinished run left nothing to do: nobody need hear of it.
        finish(live.state)
        retain(live.state, live.target.guards.generations)
        return Applied(Exit.DONE, plan, None, None)
    sweep(live.machine, folders_of(live))
    learn(live.target, live.machine, live.state)
    if plan.steps:
        _stage(live)
    armed = _armed(live, plan, confirm_s, restores)
    report = apply_plan(
        plan,
        live.machine,
        live.target,
        live.records,
        live.tree,
        HostMemory(live.state, live.outside_window),
        Watch(talk.progress, HostGate(live, _needs(live, plan), talk.say)),
    )
    report = _ended(live, report, armed, restores)
    if report.failure:
        return Applied(_failed(report), plan, report, None)
    again = look(live)
    remaining = again.plan
    clean = not remaining.steps and not again.debts and not remaining.waits
    clean = clean and not any(n.code == NOT_PROVEN for n in report.unproven)
    whole = not live.host_only and live.selection == EVERYTHING
    whole = whole and not live.machine.runs_services
    if clean and whole and not again.difference.notes:
        settled.remember(live.state, live.machine, live.target, live.records)
    return Applied(Exit.DONE if clean else _not_clean(report, remaining), plan, report, remaining)


def _planned(live: Live, stored: Plan | None) -> Plan:
    """What is to be done now; StalePlan if a stored plan says otherwise."""
    plan = look(live, with_basis=stored is not None).plan
    if stored is not None:
        _same(stored, plan)
    return plan


def _approved(live: Live, plan: Plan, approve: Approve) -> Plan:
    """The plan with the calls that it may cost; up to here nothing is changed on the host."""
    if plan.is_empty:
        return plan
    _allowed(live, plan)
    plan = with_calls(live, plan)
    if plan.steps and not approve(plan):
        raise Refused("not approved; nothing was changed", code="PLN109")
    return plan


def _not_clean(report: ApplyReport, remaining: Plan) -> Exit:
    """A restart is owed if nothing is left but what takes effect in no process that runs."""
    owed = {note.instance for note in report.unproven if note.code == NOT_TAKEN}
    owed |= {debt.instance for debt in remaining.debts}
    owed |= {waiting.instance for waiting in remaining.waits}
    owed |= {abandoned.instance for abandoned in report.abandoned}
    others = any(note.code == NOT_PROVEN for note in report.unproven)
    if not owed or others or any(step.wave not in owed for step in remaining.steps):
        return Exit.PARTLY_APPLIED
    return Exit.RESTART_OWED


def _needs(live: Live, plan: Plan) -> Mapping[str, Set[str]]:
    """Who takes over an address and port of whom: one that is left as it is keeps them."""
    if not any(step.do is Do.STOP for step in plan.steps):
        return {}
    runtime = live.machine.runtime(known_instances(live.target, live.records))
    starting = {s.wave for s in plan.steps if s.do is Do.START}
    return depends(starting, live.target.instances, holdings(live.records, runtime))


def _armed(live: Live, plan: Plan, confirm_s: int | None, restores: int | None) -> Pending | None:
    if confirm_s is None or not plan.steps:
        return None
    return arm(live.machine, live.state, live.target, live.root, confirm_s, restores)


def _stage(live: Live) -> None:
    try:
        stage(live.state, live.tree)
        remember(live.state, live.sinks)
    except HostError as error:
        raise Refused(f"the state folder cannot be written, nothing was done: {error}") from error


def _ended(
    live: Live, report: ApplyReport, armed: Pending | None, restores: int | None
) -> ApplyReport:
    """The run waits to be confirmed, or becomes a generation, or (nothing stands) is forgotten.

    That it could not be written down is a failure of its own.
    """
    try:
        if restores is None:  # how much is kept is what is declared now, not what was declared then
            retain(live.state, live.target.guards.generations)
        if armed is not None and (report.applied or report.broken):
            wait_from_now(live.state, armed)
        elif not report.broken:
            finish(live.state, restores=restores)
            if armed is not None:
                disarm(live.machine, live.state, armed)
    except HostError as error:
        why = f"it cannot be remembered what was done, the next run will try again: {error}"
        return report._replace(failure=report.failure or why)
    return report


def _must_go_on(live: Live, *, resume: bool) -> None:
    try:
        run = unfinished_run(live.state)
    except Refused:
        if resume:
            raise
        return  # what cannot be understood cannot be undone; a plan needs none of it
    must_go_on(run, live.target.digest, resume=resume)


def _refuse_half(live: Live, journal: Iterable[Mapping[str, object]]) -> None:
    """An unfinished run is not to be closed by one that leaves alone what it was about."""
    known = live.target.resources
    for resource in (str(entry["resource"]) for entry in journal if "resource" in entry):
        of_instance = resource not in known or known[resource].instance
        if live.selection != EVERYTHING or (live.host_only and of_instance):
            raise Refused(
                f"the last apply on {live.target.host} ended before it was finished, at {resource}",
                hint="apply the whole host first, without --host-only, --target and --exclude",
                code=UNFINISHED,
            )


def _same(stored: Plan, now: Plan) -> None:
    moved = stale(stored, now)
    if moved:
        more = f"; and {len(moved) - 5} more" if len(moved) > 5 else ""
        raise StalePlan(
            "the plan is stale: " + "; ".join(moved[:5]) + more,
            hint="make a new plan, review it, and apply that one",
        )


def _allowed(live: Live, plan: Plan) -> None:
    if plan.blocked:
        first = plan.blocked[0]
        # What [policy] forbids is said last: everything else is to be mended first.
        refusal = Denied if is_denied(plan) else Refused
        raise refusal(
            f"{first.instance + ': ' if first.instance else ''}{first.message}"
            + (f" (and {len(plan.blocked) - 1} more)" if len(plan.blocked) > 1 else ""),
            hint=first.hint,
            code=first.code,
        )


def _failed(report: ApplyReport) -> Exit:
    """Rolled back only if everything that this run did was undone; refused if it did nothing."""
    if not report.undone and not report.applied and not report.broken:
        return Exit.REFUSED
    if report.undone and not report.applied and not report.broken:
        return Exit.ROLLED_BACK
    return Exit.PARTLY_APPLIED
