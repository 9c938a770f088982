"""Who is told what becomes of a run after it: that somebody kept it, or that it was taken back.

Whoever takes a run back needs no repository, and a timer has no options: so the run remembers its sinks.
"""

from __future__ import annotations

import json

from pbxfleet.core.errors import HostError
from pbxfleet.host.state import State, StateView
from pbxfleet.model.sinks import NO_SINKS, Sinks, sinks_from

RECORD = "hearers"


def remember(state: State, sinks: Sinks) -> None:
    """From now on these are told; the record is written, or removed, only where it changes."""
    if sinks.wanted:
        state.write_record(RECORD, (json.dumps(sinks._asdict(), sort_keys=True) + "\n").encode())
    else:
        state.remove_record(RECORD)


def hearers(state: StateView) -> Sinks:
    """The sinks of the last run that changed something; none where that cannot be read."""
    try:
        content = state.read_record(RECORD)
        return NO_SINKS if content is None else sinks_from(json.loads(content))
    except (HostError, ValueError, KeyError, TypeError, RecursionError):
        return NO_SINKS
