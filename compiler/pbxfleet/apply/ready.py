"""A step that is ready to be done: what it expects is so, and how it is taken back is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pbxfleet.apply.prove import Unproven


class Ready(NamedTuple):
    """One step. `undo` restores what was there before, also where `do` failed half-way.

    `do` returns what a proof could not prove; `undo` says what it had to leave, "" if nothing.
    """

    do: Callable[[], tuple[Unproven, ...]]
    undo: Callable[[], str]


def ready(do: Callable[[], None], undo: Callable[[], None] | None = None) -> Ready:
    """A step that proves nothing, and whose undo (none: there is nothing to undo) leaves nothing."""

    def perform() -> tuple[Unproven, ...]:
        do()
        return ()

    def take_back() -> str:
        if undo is not None:
            undo()
        return ""

    return Ready(perform, take_back)
