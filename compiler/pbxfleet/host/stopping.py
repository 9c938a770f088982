"""Ending the process trees of one instance, and nothing else."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable

from pbxfleet.core.errors import HostError
from pbxfleet.host.proc import Processes, Table
from pbxfleet.host.procfs import ProcStat
from pbxfleet.host.refusals import refused
from pbxfleet.model.target import InstanceTarget

LOOK_EVERY_S = 0.05
SEARCH_EVERY_S = 1.0  # a pass over all processes is dearer than a look at the known ones


def end_trees(processes: Processes, instance: InstanceTarget, timeout_s: float) -> bool:
    """Ask every process of the instance to end (SIGTERM, not SIGKILL), wait until none is left.

    True if there was any. What starts meanwhile in the instance's name is asked as well. HST107 if
    something is left after `timeout_s`. A zombie counts as gone: it does nothing and holds nothing.
    """
    deadline = time.monotonic() + timeout_s
    asked: dict[int, ProcStat] = {}
    while True:
        table = processes.table((instance,))
        found = {m.pid: m for tree in table.trees.get(instance.name, ()) for m in tree.members}
        left = sorted({*found, *_living(processes, asked.values())})
        if not left:
            return bool(asked)
        if asked and time.monotonic() >= deadline:
            raise _not_ended(instance, left, timeout_s)
        new = {pid: stat for pid, stat in found.items() if _key(asked.get(pid)) != _key(stat)}
        _ask(new, found, table)
        asked.update(new)
        _wait(processes, asked, min(deadline, time.monotonic() + SEARCH_EVERY_S))


def _wait(processes: Processes, asked: dict[int, ProcStat], until: float) -> None:
    while time.monotonic() < until and _living(processes, asked.values()):
        time.sleep(LOOK_EVERY_S)


def _key(stat: ProcStat | None) -> tuple[int, int] | None:
    """What tells a process from a later one with the same number."""
    return None if stat is None else (stat.pid, stat.started_ticks)


def is_living(processes: Processes, known: ProcStat) -> bool:
    """Whether a process that was seen once is still there and not a zombie."""
    now = processes.proc.stat(known.pid)
    return now is not None and not now.ended and _key(now) == _key(known)


def _living(processes: Processes, known: Iterable[ProcStat]) -> list[int]:
    return [stat.pid for stat in known if is_living(processes, stat)]


def _ask(new: dict[int, ProcStat], tree: dict[int, ProcStat], table: Table) -> None:
    """SIGTERM to whole process groups where they hold nothing else, else to single processes.

    A program with `--respawn` starts its child again unless both are told at once (VODIA 4.4: the
    vendor's script signals the group). A group that was inherited from a shell holds strangers.
    """
    import signal

    groups: dict[int, set[int]] = {}
    for stat in table.processes.values():
        groups.setdefault(stat.group, set()).add(stat.pid)
    for group in sorted({stat.group for stat in new.values()}):
        members = groups[group]
        if members <= tree.keys() and group > 1:
            _signal(-group, signal.SIGTERM, signal.SIGCONT)
        else:
            for pid in sorted(members & new.keys()):
                _signal(pid, signal.SIGTERM, signal.SIGCONT)


def _signal(target: int, *signals: int) -> None:
    """Send signals to a process, or to a group if negative; one that is gone needs none."""
    for number in signals:
        try:
            os.kill(target, number)
        except ProcessLookupError:
            return
        except OSError as error:
            raise refused(f"process {abs(target)}", error, code="HST107") from error


def _not_ended(instance: InstanceTarget, left: list[int], timeout_s: float) -> HostError:
    numbers, words = (joint.join(map(str, left)) for joint in (", ", " "))
    return HostError(
        f"process {numbers}",
        f"{instance.name} did not stop within {timeout_s:g} s; it was asked to and "
        f"may still do so, kill -KILL {words} ends it",
        errno.ETIMEDOUT,
        code="HST107",
    )
