"""The change that waits for a person to confirm it, as its record tells."""

from __future__ import annotations

from pbxfleet.app.record_names import PENDING
from pbxfleet.core.errors import Refused
from pbxfleet.host.deadman import boot_id, boottime_s, is_alive
from pbxfleet.host.state import StateView
from pbxfleet.model.pending import Pending, decode_pending

RECORD = PENDING


def pending_change(state: StateView) -> Pending | None:
    """The change that waits for a person, None if there is none; Refused if the record is damaged."""
    content = state.read_record(RECORD)
    if content is None:
        return None
    try:
        return decode_pending(content)
    except ValueError as error:
        raise Refused(
            f"the record {RECORD} in the state folder is damaged: {error}",
            hint="apply --undo takes the unfinished run back; then move the record away",
            code="PLN108",
        ) from error


def left_s(pending: Pending) -> float:
    """Seconds until the deadline, 0 after it and after a boot."""
    return max(0.0, pending.deadline_s - boottime_s()) if pending.boot_id == boot_id() else 0.0


def is_watched(pending: Pending) -> bool:
    """Whether the timer of this boot is alive."""
    return pending.boot_id == boot_id() and is_alive(pending.timer)
