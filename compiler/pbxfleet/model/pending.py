"""A change that a person has yet to confirm, and the timer on the host that takes it back otherwise."""

from __future__ import annotations

from typing import NamedTuple

FORMAT = 1


class Timer(NamedTuple):
    """What takes the change back: the systemd unit `unit`, or ("" there) the process `pid`.

    `started_ticks` (clock ticks since boot) tells that process from a later one with its number.
    """

    unit: str
    pid: int
    started_ticks: int


class Pending(NamedTuple):
    """One change that waits. `deadline_s` is in seconds of the boot `boot_id` (CLOCK_BOOTTIME).

    Another boot means that nobody confirmed in time. `token` tells this change from a later one;
    `applying` that the run itself is not over; `connection` is SSH_CONNECTION of whoever applied, ""
    without one. `until` is the deadline for people, UTC as YYYY-MM-DDTHH:MM:SSZ.
    """

    host: str
    token: str
    seconds: int
    deadline_s: float
    until: str
    boot_id: str
    applying: bool
    restores: int | None
    connection: str
    timer: Timer


def encode_pending(pending: Pending) -> bytes:
    """The record as it is stored: JSON."""
    import json

    return (json.dumps({"format": FORMAT, **pending._asdict()}) + "\n").encode()


def decode_pending(content: bytes) -> Pending:
    """The stored record; ValueError if it is none."""
    import json

    try:
        data = json.loads(content)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']} is not known")
        values = {name: data[name] for name in Pending._fields}
        values["timer"] = Timer(*data["timer"])
        return Pending(**values)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a record of a pending change: {error!r}") from error
