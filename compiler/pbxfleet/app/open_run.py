"""The run that is still open on a host, for every command to say so, and `status` to show it whole."""

from __future__ import annotations

from collections.abc import Callable

from pbxfleet.app.pending import is_watched, left_s, pending_change
from pbxfleet.app.unfinished import unfinished_run, what_is_open
from pbxfleet.core.errors import Refused
from pbxfleet.host.lock import holder
from pbxfleet.host.state import StateView
from pbxfleet.model.journal import Run
from pbxfleet.model.open_run import UNFINISHED, WAITS, OpenRun, OpenState
from pbxfleet.model.pending import Pending


def notice(state: StateView, complain: Callable[[str], None]) -> None:
    """Say so if a run is open on the host, and how to go on."""
    found = open_run(state)
    if found is not None:
        complain(f"warning[{found.code}]: {found.text}")
        if found.ways:
            complain(f"  hint: {found.hint}")


def open_run(state: StateView) -> OpenRun | None:
    """The run that is open; None if none is, also where only its generation is still to be written."""
    try:
        pending, run = pending_change(state), unfinished_run(state)
    except Refused as error:
        return OpenRun(OpenState.DAMAGED, UNFINISHED, f"{error}; {error.hint}", ())
    if run is None or (run.over and pending is None):
        return None
    told = _of_pending(pending, run) if pending is not None else _of_run(run)
    by = holder(state.view)
    if by is not None:
        doing = "taking back a change" if run.undoing else "an apply"
        text = (
            f"{doing} on {run.host} is under way, by process {by}: "
            f"{run.finished} of {run.planned} steps were done"
        )
        told = told._replace(state=OpenState.UNDER_WAY, code=UNFINISHED, text=text, ways=())
    return told._replace(
        target=run.target,
        planned=run.planned,
        finished=run.finished,
        instances=tuple(sorted({entry.wave for entry in run.entries if entry.wave})),
        failures=run.failures,
    )


def _of_run(run: Run) -> OpenRun:
    forward = (f"pbxfleet apply {run.host} --resume", "completes it")
    back = (f"pbxfleet apply {run.host} --undo", "puts everything back as it was")
    if run.undoing:
        stands = OpenState.NOT_UNDONE if run.failures else OpenState.UNDOING
        return OpenRun(stands, UNFINISHED, what_is_open(run), (back, forward))
    return OpenRun(OpenState.UNFINISHED, UNFINISHED, what_is_open(run), (forward, back))


def _of_pending(pending: Pending, run: Run) -> OpenRun:
    host = pending.host
    left = left_s(pending)
    stands, text = _stands(pending, run)
    keep = (f"pbxfleet confirm {host}", "keeps it")
    later = (f"pbxfleet confirm {host} --extend 600", "moves the deadline")
    back = (f"pbxfleet confirm {host} --cancel", "takes it back")
    match stands:
        case OpenState.WAITS | OpenState.OVERDUE:
            ways: tuple[tuple[str, str], ...] = (keep, later, back)
        case OpenState.UNWATCHED:
            ways = (keep, back)
        case _:  # there is nothing whole that could be kept
            ways = ((f"pbxfleet apply {host} --undo", "takes it back"),)
    return OpenRun(stands, WAITS, text, ways, pending.until, int(left), restores=pending.restores)


def _stands(pending: Pending, run: Run) -> tuple[OpenState, str]:
    host = pending.host
    if run.undoing:
        text = f"a change on {host} was not confirmed, and is not whole: {what_is_open(run)}"
        return OpenState.NOT_UNDONE if run.failures else OpenState.UNDOING, text
    if pending.applying:
        timer = "is taken back by its timer" if is_watched(pending) else "its timer is gone"
        return OpenState.CUT_OFF, f"an apply on {host} was cut off, and {timer}"
    if not is_watched(pending):
        text = f"a change on {host} was not confirmed in time, and its timer is gone"
        if left_s(pending) > 0:
            text = f"a change on {host} waits to be confirmed, and no timer watches it"
        return OpenState.UNWATCHED, text
    if left_s(pending) > 0:
        return OpenState.WAITS, f"a change on {host} waits to be confirmed until {pending.until}"
    return OpenState.OVERDUE, f"a change on {host} was not confirmed, and is being taken back"
