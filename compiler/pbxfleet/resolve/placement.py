"""Who goes where when several hosts have room for some: exact, and always the same answer.

Every unit needs some of several resources of the host it goes to (addresses, cores, ...). That is a
packing problem: taking the first host with room may leave somebody without a place who could have had
one. So a first guess is only believed if a lower bound proves it; else a search with the same bound
goes through all assignments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

Needs = Mapping[str, int]
Room = Mapping[str, Mapping[str, int]]

SEARCHED_AT_MOST = 8_000  # assignments of single units; most fleets need none
_NOWHERE = ""


class Unit(NamedTuple):
    """What is to be placed. `options` has, for each host it may go to, what it needs there.

    Hosts stand in order of preference.
    """

    name: str
    options: Mapping[str, Needs]


class Placement(NamedTuple):
    """`where` has the hosts of the placed units; `cost` is what was to be made small.

    `proven` tells that no assignment has a smaller cost.
    """

    where: Mapping[str, str]
    cost: int
    proven: bool


def most_placed(units: Sequence[Unit], room: Room) -> Placement:
    """Place as many units as possible within `room`; the cost is the number of the others."""
    return _Search(units, room, lambda _: None, skip=1).run()


def least_missing(units: Sequence[Unit], room: Room, hard: Callable[[str], bool]) -> Placement:
    """Place all units, with the least that is to be added to `room`, which is the cost.

    Nothing is ever added of resources that are `hard`. A unit that cannot be placed even so costs more
    than all additions together.
    """
    most = 1 + sum(sum(max(o.values(), default=0) for o in u.options.values()) for u in units)
    most += sum(sum(needs.values()) for u in units for needs in u.options.values())
    return _Search(units, room, lambda r: None if hard(r) else 1, skip=most).run()


@dataclass
class _Search:
    """One problem. `price` of a resource is what one more of it costs, None if there is no more."""

    units: Sequence[Unit]
    room: Room
    price: Callable[[str], int | None]
    skip: int
    free: dict[str, dict[str, int]] = field(default_factory=dict)
    best: dict[str, str] = field(default_factory=dict)
    best_cost: int = -1
    steps: int = 0
    ahead: list[int] = field(default_factory=list)

    def run(self) -> Placement:
        order = sorted(self.units, key=_hardest_first)
        self._reset()
        alone = [self._cheapest(unit)[1] for unit in order]
        # What a unit costs with all the room for itself, summed over those from here on.
        self.ahead = [sum(alone[at:]) for at in range(len(alone) + 1)]
        bound = max(self.ahead[0], self._by_resource(order), self._by_kind(order))
        self._reset()
        chosen, cost = {}, 0
        for unit in order:
            host, extra = self._cheapest(unit)
            cost += extra
            chosen[unit.name] = host
            self._take(unit, host)
        self.best, self.best_cost = chosen, cost
        proven = cost == bound
        if not proven:
            self._reset()
            self._descend(order, 0, 0, {}, bound)
            proven = self.best_cost == bound or self.steps <= SEARCHED_AT_MOST
        where = {name: host for name, host in sorted(self.best.items()) if host != _NOWHERE}
        return Placement(where, self.best_cost, proven)

    def _reset(self) -> None:
        self.free = {host: dict(room) for host, room in self.room.items()}

    def _cheapest(self, unit: Unit) -> tuple[str, int]:
        """The first of the cheapest hosts for the unit, as things stand."""
        best, least = _NOWHERE, self.skip
        for host, needs in unit.options.items():
            extra = self._extra(host, needs)
            if extra is not None and extra < least:
                best, least = host, extra
                if not extra:
                    break
        return best, least

    def _extra(self, host: str, needs: Needs) -> int | None:
        """What it costs to place such a unit there now, None if it cannot be."""
        free, extra = self.free[host], 0
        for resource, amount in needs.items():
            lacking = amount - max(free.get(resource, 0), 0)
            if lacking > 0:
                price = self.price(resource)
                if price is None:
                    return None
                extra += price * min(lacking, amount)
        return extra

    def _take(self, unit: Unit, host: str, sign: int = 1) -> None:
        if host == _NOWHERE:
            return
        free = self.free[host]
        for resource, amount in unit.options[host].items():
            free[resource] = free.get(resource, 0) - sign * amount

    def _descend(
        self, order: Sequence[Unit], at: int, cost: int, chosen: dict[str, str], bound: int
    ) -> None:
        """Try every host for the unit, the cheapest first, as long as that can be better."""
        if at == len(order):
            self.best, self.best_cost = dict(chosen), cost
            return
        unit = order[at]
        alike = at > 0 and order[at - 1].options == unit.options
        before = chosen[order[at - 1].name] if alike else None
        hosts = list(unit.options)
        ways: list[tuple[int, int, str]] = [(self.skip, len(hosts), _NOWHERE)]
        for rank, host in enumerate(hosts):
            extra = self._extra(host, unit.options[host])
            if extra is not None:
                ways.append((extra, rank, host))
        # Units that are alike can change places: only one order of their hosts is looked at.
        floor = -1 if before is None else len(hosts) if before == _NOWHERE else hosts.index(before)
        for extra, rank, host in sorted(ways):
            if rank < floor:
                continue
            if cost + extra + self.ahead[at + 1] >= self.best_cost or self.best_cost == bound:
                return
            self.steps += 1
            if self.steps > SEARCHED_AT_MOST:
                return
            self._take(unit, host)
            chosen[unit.name] = host
            self._descend(order, at + 1, cost + extra, chosen, bound)
            self._take(unit, host, -1)
            del chosen[unit.name]

    def _by_kind(self, order: Sequence[Unit]) -> int:
        """A lower bound: the units that are alike, as if they had all the room for themselves.

        What one more of them costs on a host never falls, so the cheapest first is the least for them.
        """
        least, at = 0, 0
        while at < len(order):
            end = at + 1
            while end < len(order) and order[end].options == order[at].options:
                end += 1
            self._reset()
            cost = 0
            for unit in order[at:end]:
                host, extra = self._cheapest(unit)
                cost += extra
                self._take(unit, host)
            least, at = max(least, cost), end
        return least

    def _by_resource(self, order: Sequence[Unit]) -> int:
        """A lower bound: each resource as if it were the only one."""
        kinds = sorted({r for u in order for needs in u.options.values() for r in needs})
        missing = {kind: _missing(order, self.room, kind) for kind in kinds}
        if all(self.price(kind) is not None for kind in kinds):
            return sum(missing[k] * (self.price(k) or 0) for k in kinds)
        if any(self.price(kind) is not None for kind in kinds):
            return 0  # hard and soft together: the search decides
        # A unit that is left out needs at most `most` of a kind less.
        most = {k: max(n.get(k, 0) for u in order for n in u.options.values()) for k in kinds}
        return max((-(-missing[k] // most[k]) for k in kinds if most[k]), default=0)


def _hardest_first(unit: Unit) -> tuple[int, int, str, str]:
    """Few options first, then great needs; units that are alike stand together."""
    greatest = max((sum(needs.values()) for needs in unit.options.values()), default=0)
    return (len(unit.options), -greatest, repr(unit.options), unit.name)


def _missing(order: Sequence[Unit], room: Room, kind: str) -> int:
    """How much of one resource is missing at least, by the greatest flow from units to hosts."""
    supply: dict[tuple[str, ...], int] = {}
    for unit in order:
        least = min((needs.get(kind, 0) for needs in unit.options.values()), default=0)
        if least:
            hosts = tuple(sorted(unit.options))
            supply[hosts] = supply.get(hosts, 0) + least
    wanted = sum(supply.values())
    free = {h: max(room[h].get(kind, 0), 0) for hosts in supply for h in hosts}
    if len(supply) == 1:
        return max(0, wanted - sum(free.values()))
    return wanted - _greatest_flow(supply, free)


def _greatest_flow(supply: Mapping[tuple[str, ...], int], free: Mapping[str, int]) -> int:
    """The most that groups with a supply can send to the hosts in their names."""
    sent: dict[tuple[tuple[str, ...], str], int] = {}
    left, spare = dict(supply), dict(free)
    total = 0
    while (path := _path(left, spare, sent)) is not None:
        amount = min(left[path[0][0]], spare[path[-1][1]])
        amount = min([amount, *(sent[group, host] for (_, host), (group, _) in _turns(path))])
        for group, host in path:
            sent[group, host] = sent.get((group, host), 0) + amount
        for (_, host), (group, _) in _turns(path):
            sent[group, host] -= amount
        left[path[0][0]] -= amount
        spare[path[-1][1]] -= amount
        total += amount
    return total


_Edge = tuple[tuple[str, ...], str]


def _turns(path: Sequence[_Edge]) -> list[tuple[_Edge, _Edge]]:
    """Where a path leads back from a host over what another group had sent there."""
    return list(pairwise(path))


def _path(
    left: Mapping[tuple[str, ...], int],
    spare: Mapping[str, int],
    sent: Mapping[_Edge, int],
) -> list[_Edge] | None:
    """The shortest way from a group with something left to a host with room, None if there is none."""
    came: dict[tuple[str, ...], tuple[_Edge, ...]] = {g: () for g in sorted(left) if left[g]}
    waiting = deque(came)
    seen: set[str] = set()
    while waiting:
        group = waiting.popleft()
        for host in group:
            if host in seen:
                continue
            seen.add(host)
            way = (*came[group], (group, host))
            if spare[host]:
                return list(way)
            for other, at in sorted(sent):
                if at == host and sent[other, at] and other not in came:
                    came[other] = way
                    waiting.append(other)
    return None
