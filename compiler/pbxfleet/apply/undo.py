"""Take back what a journal tells of: a wave that failed, or a whole run by whoever comes after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from pbxfleet.apply.inverse import runtime_of, take_back
from pbxfleet.apply.io import Memory
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.base import Host
from pbxfleet.model.journal import (
    Entry,
    PutBack,
    PutValuesBack,
    RemoveSettings,
    StartAgain,
    StopAgain,
    TakenBack,
)
from pbxfleet.model.plan import Do
from pbxfleet.model.target import InstanceTarget

STOP_TIMEOUT_S = 60  # as the target's own default; an undo knows no target


def undo_entries(
    host: Host, memory: Memory, entries: Iterable[Entry], tell: Callable[[TakenBack], None]
) -> tuple[bool, str]:
    """Undo steps in reverse, each as far as possible; what cannot be undone is told, the rest still is.

    The answer is whether all was undone, and why the journal could not be written ("" if it could):
    a full disk must not keep things from being put back.
    """
    entries = list(entries)
    _stop_what_came_back(host, entries)
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


def _stop_what_came_back(host: Host, entries: Iterable[Entry]) -> None:
    """What the run had stopped must not run while its files are put back; it is started after that.

    A machine that comes up again after a power cut starts it, and so may a supervisor. One whose files
    were not changed yet is left alone. What cannot be stopped is told by the steps that need it.
    """
    stopped: dict[str, InstanceTarget] = {}
    changed: dict[str, InstanceTarget] = {}
    for entry in entries:
        inverse = entry.inverse
        if isinstance(inverse, StopAgain):
            changed.pop(entry.wave, None)  # stopping it is what is undone first of all
            stopped.pop(entry.wave, None)
        elif isinstance(inverse, StartAgain):
            stopped[entry.wave] = inverse.instance
        elif isinstance(inverse, PutValuesBack | RemoveSettings):
            changed[entry.wave] = inverse.instance
        elif isinstance(inverse, PutBack) and entry.wave in stopped:
            changed[entry.wave] = stopped[entry.wave]
    for instance in changed.values():
        if runtime_of(host, instance).trees:
            with suppress(HostError):
                host.stop(instance, STOP_TIMEOUT_S)


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
