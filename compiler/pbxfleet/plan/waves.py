"""The order in which instances are interrupted: one at a time, except where they swap addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.target import ExpectedListener, InstanceTarget


def waves(
    changing: Sequence[str],
    removed: Sequence[str],
    targets: Mapping[str, InstanceTarget],
    records: Mapping[str, AppliedRecord],
) -> tuple[tuple[str, ...], ...]:
    """Groups of instances in the order of their turn; a group is interrupted together.

    Removed instances come first, since others may take over what they free. An instance that takes a
    bind which another one still holds comes after that one; those that wait for each other (two that
    swap addresses) form one group. Otherwise the order is that of the names.
    """
    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in sorted(changing)}
    waits = _waits(groups, targets, records)
    ordered: list[tuple[str, ...]] = []
    for _ in range(len(groups) + 1):  # every round joins at least two groups
        try:
            ordered = _sorted(groups, waits)
            break
        except CycleError as error:
            groups, waits = _join(groups, waits, error.args[1])
    return (*((name,) for name in sorted(removed)), *ordered)


def _waits(
    groups: Mapping[str, tuple[str, ...]],
    targets: Mapping[str, InstanceTarget],
    records: Mapping[str, AppliedRecord],
) -> dict[str, set[str]]:
    holders: dict[ExpectedListener, str] = {}
    for name in groups:
        before = records[name].declared if name in records else None
        for listener in before.listeners if before is not None else ():
            holders[listener] = name
    waits: dict[str, set[str]] = {name: set() for name in groups}
    for name in groups:
        for listener in targets[name].listeners:
            holder = holders.get(listener, name)
            if holder != name:
                waits[name].add(holder)
    return waits


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
