"""A run on a host that nobody has brought to its end yet: under way, cut off, or waiting for a word."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pbxfleet.core.digest import Digest

WAITS = "PLN173"
UNFINISHED = "PLN131"


class OpenState(StrEnum):
    """How it stands with the run."""

    UNDER_WAY = "under way"  # a process is at it now
    WAITS = "waits"  # to be confirmed, and a timer takes it back otherwise
    OVERDUE = "overdue"  # not confirmed in time, and the timer is about to take it back
    UNWATCHED = "unwatched"  # not confirmed, and no timer takes it back
    CUT_OFF = "cut off"  # an apply with a timer, which takes it back
    UNFINISHED = "unfinished"  # an apply ended before it was finished
    UNDOING = "undoing"  # taking it back ended before it was finished
    NOT_UNDONE = "not undone"  # steps could not be taken back
    DAMAGED = "damaged"  # its journal, or the record of what waits, cannot be understood


class OpenRun(NamedTuple):
    """`text` says it in a sentence; `ways` are commands that go on, each with what it does.

    `until` (UTC as YYYY-MM-DDTHH:MM:SSZ) and `left_s` are the deadline of a change that waits, "" and
    None elsewhere. `target` is what was being applied, `planned` and `finished` count steps,
    `instances` are those that were changed. `failures` say why steps failed or could not be taken back.
    `restores` is the generation that a rollback goes back to.
    """

    state: OpenState
    code: str
    text: str
    ways: tuple[tuple[str, str], ...]
    until: str = ""
    left_s: int | None = None
    target: Digest = Digest("")
    planned: int = 0
    finished: int = 0
    instances: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    restores: int | None = None

    @property
    def hint(self) -> str:
        """The ways on one line."""
        return "; ".join(f"{command} {does}" for command, does in self.ways)
