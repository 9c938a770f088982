"""A run that ended before it was finished: by a crash, a power cut, a kill. Noticed, told, undone.

Whatever is needed lies in the state folder of the host; the repository is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.app.generations import finish
from pbxfleet.app.identity import check_folder
from pbxfleet.app.litter import folders_of_run, sweep
from pbxfleet.app.memory import HostMemory
from pbxfleet.app.pending import pending_change
from pbxfleet.apply.rescue import rescue
from pbxfleet.apply.undo import undo_entries
from pbxfleet.core.errors import Refused
from pbxfleet.core.exits import Exit
from pbxfleet.core.paths import parent
from pbxfleet.host.local import LocalHost
from pbxfleet.host.lock import HostLock
from pbxfleet.host.state import State, StateView
from pbxfleet.model.journal import PutValuesBack, Run, TakenBack, decode_run
from pbxfleet.model.open_run import UNFINISHED, WAITS
from pbxfleet.model.plan import Do

if TYPE_CHECKING:
    from pbxfleet.app.live import Live

OTHER_TARGET = "PLN132"

Approve = Callable[[Run], bool]
Tell = Callable[[TakenBack], None]


class Undone(NamedTuple):
    """How an undo ended: every step that was taken back, or could not be, in the order of undoing.

    `rescued` says what became of versions of pbx.xml that others wrote while the run replaced it.
    """

    exit_code: Exit
    run: Run
    taken: tuple[TakenBack, ...]
    rescued: tuple[str, ...] = ()


def unfinished_run(state: StateView) -> Run | None:
    """What the journal of the host tells, None if no run is under way; Refused if it is damaged."""
    lines = state.journal()
    if not lines:
        return None
    try:
        return decode_run(lines)
    except ValueError as error:
        raise Refused(
            f"the journal of the unfinished run cannot be understood: {error}",
            hint="pbxfleet plan tells what is still to be done, and apply does it",
            code=UNFINISHED,
        ) from error


def finish_what_is_over(state: State) -> None:
    """Make a generation of a run that is over: the power may have gone between its end and that.

    Refused while it waits to be confirmed; the caller holds the lock.
    """
    try:
        run = unfinished_run(state)
    except Refused:
        return
    if run is None or not run.over:
        return
    if pending_change(state) is not None:
        raise Refused(f"a change on {run.host} waits to be confirmed", code=WAITS)
    finish(state)


def what_is_open(run: Run) -> str:
    """One sentence: how far the run came, and what it left half done."""
    if run.undoing:
        left = len([e for e in run.standing if e.do is not Do.REMEMBER])
        text = f"taking back an apply on {run.host} was not finished: {left} steps are left to undo"
        return f"{text}; {run.failures[0]}" if run.failures else text
    text = (
        f"the last apply on {run.host} ended before it was finished, after {run.finished} of "
        f"{run.planned} steps"
    )
    names = [name or "the host" for name in run.in_the_middle]
    return f"{text}; in the middle of it: {', '.join(names)}" if names else text


def how_to_go_on(run: Run) -> str:
    """What to run then."""
    forward = f"pbxfleet apply {run.host} --resume completes it"
    back = f"pbxfleet apply {run.host} --undo puts everything back as it was"
    return f"{back}; {forward}" if run.undoing else f"{forward}; {back}"


def must_go_on(run: Run | None, target: str, *, resume: bool) -> None:
    """Refused where going forward is not what a person would expect of this unfinished run."""
    if run is None or run.over:
        if resume:
            raise Refused("there is no unfinished run to resume", hint="pbxfleet plan, then apply")
        return
    if run.undoing and not resume:
        raise Refused(what_is_open(run), hint=how_to_go_on(run), code=UNFINISHED)
    if resume and run.target != target:
        raise Refused(
            f"the unfinished run on {run.host} was applying another target than rendered/ has now",
            hint="apply without --resume goes on to the new target; --undo takes the old run back",
            code=OTHER_TARGET,
        )


def undo(host: str, root: str, approve: Approve, tell: Tell, lock_timeout_s: float) -> Undone:
    """Take back everything that the unfinished run did, in reverse; what it did not do stays.

    Refused if there is no unfinished run, or it is of another host, or it was not approved.
    """
    machine = LocalHost(root, "direct")
    check_folder(machine)
    with HostLock(machine, timeout_s=lock_timeout_s):
        run = unfinished_run(State(machine))
        if run is None or run.over:
            raise Refused(
                f"there is no unfinished run on {host} to undo",
                hint=f"pbxfleet rollback {host} goes back to an earlier generation",
            )
        if run.host != host:
            raise Refused(f"the unfinished run is one of {run.host}, not of {host}")
        if not approve(run):
            raise Refused("not approved; nothing was changed", code="PLN109")
        return take_back(run, LocalHost(root, run.services, pin=run.pin, program=run.program), tell)


class Displaced:
    """What a killed run displaced, with the journal as it is now; the caller holds the lock."""

    def __init__(self, live: Live) -> None:
        try:
            run = unfinished_run(live.state)
        except Refused:
            run = None  # a journal that nobody understands tells of nothing that could go back
        self.live = live
        self.entries = () if run is None else run.entries

    def rescue(self, note: Callable[[str], None]) -> bool:
        """Put it back, or save it, and say so; whether there was anything."""
        live = self.live
        applied = [r.declared for r in live.records.values() if r.declared is not None]
        folders = [i.directory for i in (*live.target.instances.values(), *applied)]
        said = rescue(live.machine, HostMemory(live.state), folders, self.entries)
        for line in said:
            note(line)
        return bool(said)


def take_back(run: Run, machine: LocalHost, tell: Tell) -> Undone:
    """Replay the inverses of a run, in reverse; the caller holds the lock."""
    state = State(machine)
    memory = HostMemory(state)
    folders = [parent(e.inverse.path) for e in run.entries if isinstance(e.inverse, PutValuesBack)]
    rescued = rescue(machine, memory, folders, run.entries)
    sweep(machine, [*folders_of_run(run.entries), *run.staged])
    memory.log("undo")
    taken: list[TakenBack] = []

    def note(one: TakenBack) -> None:
        taken.append(one)
        tell(one)

    clean, untold = undo_entries(machine, memory, run.standing, note)
    if clean and not untold:
        memory.log("end")
        finish(state)
    return Undone(Exit.ROLLED_BACK if clean else Exit.PARTLY_APPLIED, run, tuple(taken), rescued)
