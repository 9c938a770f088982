"""Take back what a journal tells of: a wave that failed, or a whole run by whoever comes after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pbxfleet.apply.inverse import take_back
from pbxfleet.apply.io import Memory
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.base import Host
from pbxfleet.model.journal import Entry, TakenBack
from pbxfleet.model.plan import Do


def undo_entries(
    host: Host, memory: Memory, entries: Iterable[Entry], tell: Callable[[TakenBack], None]
) -> tuple[bool, str]:
    """Undo steps in reverse, each as far as possible; what cannot be undone is told, the rest still is.

    The answer is whether all was undone, and why the journal could not be written ("" if it could):
    a full disk must not keep things from being put back.
    """
    clean = True
    untold: dict[str, None] = {}
    for entry in in_reverse(entries):
        try:
            taken = TakenBack(entry, "", take_back(host, memory, entry.inverse))
        except (HostError, Refused) as error:
            taken = TakenBack(entry, str(error), "")
            clean = False
        try:
            if taken.problem:
                memory.log("failed", number=entry.number, message=taken.problem)
            else:
                memory.log("undone", number=entry.number)
        except HostError as error:
            untold[f"; and the journal cannot be written: {error}"] = None
        tell(taken)
    return clean, "".join(untold)


def in_reverse(entries: Iterable[Entry]) -> list[Entry]:
    """The order of undoing: the reverse, but service files are read again once they are back.

    A manager that still knew the new definition would start the old instance by it.
    """
    ordered: list[Entry] = []
    reloads: list[Entry] = []
    for entry in reversed(list(entries)):
        if entry.do is Do.RELOAD:
            reloads.append(entry)
            continue
        if entry.do in (Do.STOP, Do.DISABLE):
            ordered += reloads
            reloads = []
        ordered.append(entry)
    return ordered + reloads
