"""A step that is ready to be done: what it expects is so, and how it is taken back is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pbxfleet.apply.readback import Unproven
from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.journal import Inverse, Nothing


class Keep(NamedTuple):
    """A content that the inverse needs: the file at `path` has this digest now."""

    digest: Digest
    path: HostPath


class Ready(NamedTuple):
    """One step. `inverse` restores what was there before, also where `do` failed half-way.

    `do` returns what a proof could not prove; `keep` is stored before anything is done.
    """

    do: Callable[[], tuple[Unproven, ...]]
    inverse: Inverse
    keep: tuple[Keep, ...] = ()


def ready(do: Callable[[], None], inverse: Inverse | None = None, *keep: Keep) -> Ready:
    """A step that proves nothing; without an inverse there is nothing to undo."""

    def perform() -> tuple[Unproven, ...]:
        do()
        return ()

    return Ready(perform, Nothing() if inverse is None else inverse, keep)
