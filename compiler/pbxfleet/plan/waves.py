"""The order in which instances are interrupted: one at a time, except where they swap addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.target import InstanceTarget
from pbxfleet.plan.runtime import covers

Bind: TypeAlias = tuple[
    str, int
]  # address and port; which protocol it is does not change the order
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - looked for, never bound


def holdings(
    records: Mapping[str, AppliedRecord], runtime: Mapping[str, RuntimeSeen]
) -> dict[str, frozenset[Bind]]:
    """The binds that each instance has now: those it was applied with, and those its processes hold."""
    held: dict[str, frozenset[Bind]] = {}
    for name in {*records, *runtime}:
        binds: set[Bind] = set()
        declared = records[name].declared if name in records else None
        if declared is not None:
            binds.update((s.address, s.port) for s in declared.listeners)
        if name in runtime:
            binds.update((s.address, s.port) for t in runtime[name].trees for s in t.sockets)
        held[name] = frozenset(binds)
    return held


def waves(
    changing: Sequence[str],
    removed: Sequence[str],
    targets: Mapping[str, InstanceTarget],
    held: Mapping[str, Iterable[Bind]],
) -> tuple[tuple[str, ...], ...]:
    """Groups of instances in the order of their turn; a group is interrupted together.

    Removed instances come first, since others may take over what they free. An instance that takes a
    bind which another one still holds comes after that one; those that wait for each other (two that
    swap addresses) form one group. Otherwise the order is that of the names.
    """
    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in sorted(changing)}
    waits = _waits(groups, targets, held)
    ordered: list[tuple[str, ...]] = []
    for _ in range(len(groups) + 1):  # every round joins at least two groups
        try:
            ordered = _sorted(groups, waits)
            break
        except CycleError as error:
            groups, waits = _join(groups, waits, error.args[1])
    return (*((name,) for name in sorted(removed)), *ordered)


def needed(
    starting: Iterable[str],
    changing: Iterable[str],
    targets: Mapping[str, InstanceTarget],
    held: Mapping[str, Iterable[Bind]],
) -> dict[str, str]:
    """Those of `changing` that hold a bind which one of `starting` takes, each with one that takes it."""
    holders, wild = _holders(changing, held)
    found: dict[str, str] = {}
    for name in sorted(starting):
        for listener in targets[name].listeners:
            bind = (listener.address, listener.port)
            others = {*holders.get(bind, ())}
            others.update(n for a, n in wild.get(bind[1], ()) if covers(a, bind[0]))
            for other in others - {name}:
                found.setdefault(other, name)
    return found


def depends(
    starting: Iterable[str],
    targets: Mapping[str, InstanceTarget],
    held: Mapping[str, Iterable[Bind]],
) -> dict[str, set[str]]:
    """By instance that starts: those that have to give up a bind first."""
    holders, wild = _holders(held, held)
    return {name: _wanted_from(name, targets, holders, wild) for name in starting}


def _waits(
    groups: Mapping[str, tuple[str, ...]],
    targets: Mapping[str, InstanceTarget],
    held: Mapping[str, Iterable[Bind]],
) -> dict[str, set[str]]:
    holders, wild = _holders(groups, held)
    waits: dict[str, set[str]] = {name: set() for name in groups}
    for name in groups:
        waits[name] = _wanted_from(name, targets, holders, wild)
    return waits


def _wanted_from(
    name: str,
    targets: Mapping[str, InstanceTarget],
    holders: Mapping[Bind, set[str]],
    wild: Mapping[int, list[tuple[str, str]]],
) -> set[str]:
    """Other instances that hold a bind which this one is declared to have."""
    found: set[str] = set()
    for listener in targets[name].listeners:
        bind = (listener.address, listener.port)
        found |= holders.get(bind, set())
        found.update(n for a, n in wild.get(bind[1], ()) if covers(a, bind[0]))
    return found - {name}


def _holders(
    names: Iterable[str], held: Mapping[str, Iterable[Bind]]
) -> tuple[dict[Bind, set[str]], dict[int, list[tuple[str, str]]]]:
    """Who holds which bind, and on which ports who holds a wildcard."""
    holders: dict[Bind, set[str]] = {}
    wild: dict[int, list[tuple[str, str]]] = {}
    for name in names:
        for address, port in held.get(name, ()):
            if address in WILDCARDS:
                wild.setdefault(port, []).append((address, name))
            else:
                holders.setdefault((address, port), set()).add(name)
    return holders, wild


def _sorted(
    groups: Mapping[str, tuple[str, ...]], waits: Mapping[str, set[str]]
) -> list[tuple[str, ...]]:
    """Topological order; among those that are free to go, the first by name goes first."""
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    ready: list[str] = []
    ordered = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()])
        name = ready.pop(0)
        ordered.append(groups[name])
        sorter.done(name)
    return ordered


def _join(
    groups: dict[str, tuple[str, ...]], waits: dict[str, set[str]], cycle: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, set[str]]]:
    members = set(cycle)
    head = min(members)
    joined = {n: g for n, g in groups.items() if n not in members}
    joined[head] = tuple(sorted(m for n in members for m in groups[n]))
    merged: dict[str, set[str]] = {}
    for name, on in waits.items():
        key = head if name in members else name
        merged.setdefault(key, set()).update(head if o in members else o for o in on)
    merged[head].discard(head)
    return joined, merged
