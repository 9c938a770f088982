"""What keeps a host from a mistake: what becomes of removed instances, and which machine it is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.core.paths import HostPath

if TYPE_CHECKING:
    from pbxfleet.model.desired import Sourced

ARCHIVES = HostPath("/var/backups/pbxfleet")
"""Folder of the archives of removed directories, where nothing else is declared."""
GENERATIONS = 20
FEWEST_GENERATIONS, MOST_GENERATIONS = 2, 1000
"""How many generations of a host are kept where nothing else is declared, and what may be declared."""


class Removed(StrEnum):
    """What becomes of the directory of an instance that is removed: it is never deleted."""

    KEEP = "keep"  # it stays where it is
    ASIDE = "aside"  # it is renamed to DIR.removed-1, or the next number that is free
    ARCHIVE = "archive"  # it is packed into a folder of archives first, and then renamed


class Guards(NamedTuple):
    """What one host's target says of removals, and of the machine that the host is.

    `archives` is the folder for archives. `may_be_empty` says that a host without any instance is
    meant. `node_name` and `machine_id` are the machine's own, "" where nobody has declared them.
    `generations` is how many runs are kept on the host to go back to.
    """

    removed_directory: str = Removed.KEEP.value
    archives: HostPath = ARCHIVES
    may_be_empty: bool = False
    node_name: str = ""
    machine_id: str = ""
    generations: int = GENERATIONS


NO_GUARDS = Guards()


class HostGuards(NamedTuple):
    """What a host's own file says of these; None where it is silent."""

    removed_directory: Sourced[Removed] | None = None
    removed_archives: Sourced[HostPath] | None = None
    node_name: Sourced[str] | None = None
    machine_id: Sourced[str] | None = None


NO_HOST_GUARDS = HostGuards()
