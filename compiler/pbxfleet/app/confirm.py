"""Confirm, or it is taken back: one change at a time waits for a person, and the host itself watches.

`apply --confirm` sets a timer before the first change and leaves the journal open. `confirm` closes
it. If nobody does, the timer replays the inverses of the journal: nothing is planned anew. Whoever
removes the record of the pending change, under the host's lock, has decided; so the host ends as one
generation or the other, whatever is killed meanwhile.
"""

from __future__ import annotations

import sys

from pbxfleet.app import at_boot
from pbxfleet.app.generations import finish
from pbxfleet.app.pending import RECORD, is_watched, left_s, pending_change
from pbxfleet.app.unfinished import Tell, Undone, take_back, unfinished_run
from pbxfleet.core.errors import LockHeld, Refused
from pbxfleet.core.exits import Exit
from pbxfleet.host.clock import new_token
from pbxfleet.host.deadman import (
    boot_id,
    boottime_s,
    connection,
    sleep,
    start_timer,
    stop_timer,
    utc_in,
)
from pbxfleet.host.local import LocalHost
from pbxfleet.host.lock import HostLock
from pbxfleet.host.mail import mail_words
from pbxfleet.host.state import State
from pbxfleet.model.open_run import WAITS
from pbxfleet.model.pending import Pending, Timer, encode_pending
from pbxfleet.model.target import Target

NOT_FRESH = "PLN174"
NO_TIMER = Timer("", 0, 0)
LOOK_EVERY_S = 1.0
LOCK_PATIENCE_S = 5.0


def arm(
    machine: LocalHost, state: State, target: Target, root: str, seconds: int, restores: int | None
) -> Pending:
    """Set the timer; from here on whatever this run does is taken back unless somebody confirms it."""
    if pending_change(state) is not None:
        raise Refused(f"a change on {target.host} waits to be confirmed", code=WAITS)
    token = new_token()
    pending = Pending(
        target.host,
        token,
        seconds,
        boottime_s() + seconds,
        utc_in(seconds),
        boot_id(),
        True,
        restores,
        connection(),
        NO_TIMER,
    )
    by_systemd = target.services == "systemd" and machine.runs_services
    argv = _command(target.host, root, token)
    _write(state, pending)
    at_boot.prepare(machine, target, argv)
    unit = f"pbxfleet-confirm-{token}" if by_systemd else ""
    pending = pending._replace(timer=start_timer(argv, seconds, unit))
    _write(state, pending)
    return pending


def _command(host: str, root: str, token: str) -> tuple[str, ...]:
    words = ("confirm", host, "--root", root, "--undo-after", token)
    return (*mail_words(), sys.executable, "-I", "-m", "pbxfleet", *words)


def wait_from_now(state: State, pending: Pending, seconds: int | None = None) -> Pending:
    """The run is over, or more time was asked for: the deadline counts from this moment."""
    seconds = pending.seconds if seconds is None else seconds
    later = pending._replace(
        seconds=seconds, deadline_s=boottime_s() + seconds, until=utc_in(seconds), applying=False
    )
    _write(state, later)
    return later


def disarm(machine: LocalHost, state: State, pending: Pending) -> None:
    """Nothing waits any more. The record goes first: that decides."""
    state.remove_record(RECORD)
    at_boot.forget(machine)
    stop_timer(pending.timer)


def confirm(host: str, root: str, *, same_connection: bool, lock_timeout_s: float) -> Pending:
    """Keep the pending change: its run becomes a generation. Refused if nothing waits."""
    machine = LocalHost(root, "direct")
    with HostLock(machine, timeout_s=lock_timeout_s):
        state = State(machine)
        pending = _waiting(machine, state, host)
        if not same_connection:
            _must_be_fresh(pending)
        _must_be_whole(state, host)
        disarm(machine, state, pending)
        finish(state, restores=pending.restores)
        return pending


def extend(host: str, root: str, seconds: int, lock_timeout_s: float) -> Pending:
    """Move the deadline to so many seconds from now."""
    machine = LocalHost(root, "direct")
    with HostLock(machine, timeout_s=lock_timeout_s):
        state = State(machine)
        pending = _waiting(machine, state, host)
        if not is_watched(pending):
            raise Refused(
                "the timer of this change is gone, so there is no deadline to move",
                hint=f"pbxfleet confirm {host} keeps the change, --cancel takes it back",
                code=WAITS,
            )
        return wait_from_now(state, pending, seconds)


def cancel(host: str, root: str, tell: Tell, lock_timeout_s: float) -> Undone:
    """Take the pending change back now."""
    machine = LocalHost(root, "direct")
    with HostLock(machine, timeout_s=lock_timeout_s):
        state = State(machine)
        return _undo(machine, state, _waiting(machine, state, host), root, tell)


def undo_if_overdue(machine: LocalHost, state: State, root: str, tell: Tell) -> Undone | None:
    """Take back what nobody confirmed and no timer watches; the caller holds the lock.

    Refused while the change still waits: one at a time. None if nothing waits.
    """
    pending = _still_open(machine, state)
    if pending is None:
        return None
    if left_s(pending) > 0 or is_watched(pending):
        raise Refused(
            f"a change on {pending.host} waits to be confirmed until {pending.until}",
            hint=f"pbxfleet confirm {pending.host} keeps it, --cancel takes it back",
            code=WAITS,
        )
    return _undo(machine, state, pending, root, tell)


def undo_after(host: str, root: str, token: str, tell: Tell) -> Undone | None:
    """What the timer runs: wait for deadline and lock, then take the change back.

    None, and nothing done, if the change was confirmed, cancelled, or is another one. It ends: every
    round either sleeps towards a deadline that only a person can move, or comes to a decision.
    """
    machine = LocalHost(root, "direct")
    state = State(machine)
    while True:
        pending = pending_change(state)
        if pending is None or pending.token != token or pending.host != host:
            return None
        if (wait := left_s(pending)) > 0:
            sleep(min(wait, LOOK_EVERY_S))
            continue
        try:
            with HostLock(machine, timeout_s=LOCK_PATIENCE_S):
                pending = _still_open(machine, state)
                if pending is None or pending.token != token:
                    return None
                if left_s(pending) == 0:
                    return _undo(machine, state, pending, root, tell)
        except LockHeld:
            continue  # the run itself is still under way, or somebody is about to confirm


def _undo(machine: LocalHost, state: State, pending: Pending, root: str, tell: Tell) -> Undone:
    run = unfinished_run(state)
    if run is None:
        raise Refused(f"there is no journal of the change on {pending.host}", code=WAITS)
    full = LocalHost(root, run.services, pin=run.pin, program=run.program)
    undone = take_back(run, full, tell)
    if undone.exit_code is Exit.ROLLED_BACK:
        disarm(machine, state, pending)
    return undone


def _still_open(machine: LocalHost, state: State) -> Pending | None:
    """The pending change; one without a journal had not begun, or was undone, and is forgotten."""
    pending = pending_change(state)
    if pending is not None and not state.journal():
        disarm(machine, state, pending)
        return None
    return pending


def _waiting(machine: LocalHost, state: State, host: str) -> Pending:
    pending = _still_open(machine, state)
    if pending is None:
        raise Refused(
            f"no change on {host} waits to be confirmed",
            hint=f"pbxfleet history {host} tells whether it was taken back",
            code=WAITS,
        )
    if pending.host != host:
        raise Refused(f"the change that waits is one of {pending.host}, not of {host}")
    if pending.applying:
        raise Refused(
            f"the apply on {host} did not come to its end, so there is nothing to confirm",
            hint=f"pbxfleet apply {host} --undo takes it back; the timer does so by itself",
            code=WAITS,
        )
    return pending


def _must_be_whole(state: State, host: str) -> None:
    """A change that was taken back in part is neither of the two generations."""
    try:
        run = unfinished_run(state)
    except Refused:
        return  # what is damaged cannot be taken back either
    if run is not None and run.undoing:
        raise Refused(
            f"the change on {host} was taken back in part, so it cannot be kept",
            hint=f"pbxfleet confirm {host} --cancel takes back the rest",
            code=WAITS,
        )


def _must_be_fresh(pending: Pending) -> None:
    """An open connection proves nothing about new ones, and those are what a change may have cut."""
    if pending.connection and pending.connection == connection():
        raise Refused(
            "this is the connection over which the change was applied; it says nothing about new ones",
            hint="log in anew and confirm there; --same-connection if that cannot be",
            code=NOT_FRESH,
        )


def _write(state: State, pending: Pending) -> None:
    state.write_record(RECORD, encode_pending(pending))
