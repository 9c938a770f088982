"""The ledger by hosts: each host's part is all that its resolution may depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pbxfleet.model.resolved import Allocation, Ledger, Thing

NOTHING = Ledger({})


def parts_of(ledger: Ledger, hosts: Mapping[str, str]) -> dict[str, Ledger]:
    """By host: what the ledger remembers there, and of its instances wherever that is.

    `hosts` has the host of every declared instance by the instance's name.
    """
    names: dict[str, list[str]] = {}
    known = _known(ledger)
    for name in sorted(known):
        there = known[name].host
        names.setdefault(there, []).append(name)
        if (now := hosts.get(name, there)) != there:
            names.setdefault(now, []).append(name)
    return {host: _only(ledger, found) for host, found in names.items()}


def joined(parts: Iterable[Ledger]) -> Ledger:
    """One ledger of several parts, in order of instance names."""
    allocations, spans = dict(NOTHING.allocations), dict(NOTHING.spans)
    tombstones = dict(NOTHING.tombstones)
    for part in parts:
        allocations |= part.allocations
        spans |= part.spans
        tombstones |= part.tombstones
    return Ledger(
        {name: allocations[name] for name in sorted(allocations)},
        {name: spans[name] for name in sorted(spans)},
        {name: tombstones[name] for name in sorted(tombstones) if name not in allocations},
    )


def of_instances(ledger: Ledger, names: Iterable[str]) -> Ledger:
    """What the ledger remembers of these instances, as of ones that are there."""
    known = _known(ledger)
    found = _only(ledger, sorted(name for name in names if name in known))
    return Ledger({**found.tombstones, **found.allocations}, found.spans)


def of_lost_hosts(ledger: Ledger, hosts: Collection[str], instances: Collection[str]) -> Ledger:
    """What instances that are not declared held on hosts that are not declared either."""
    known = _known(ledger)
    names = [n for n in sorted(known) if known[n].host not in hosts and n not in instances]
    spans = {name: ledger.spans[name] for name in names if name in ledger.spans}
    return Ledger({}, spans, {name: known[name] for name in names})


def _known(ledger: Ledger) -> dict[str, Allocation]:
    return {**ledger.tombstones, **ledger.allocations}


def _only(ledger: Ledger, names: Iterable[str]) -> Ledger:
    names = list(names)
    known = {name: _entry(ledger, name) for name in names}
    return Ledger(
        {name: ledger.allocations[name] for name in names if name in ledger.allocations},
        {name: ledger.spans[name] for name in names if name in ledger.spans},
        {name: ledger.tombstones[name] for name in names if name in ledger.tombstones},
        {
            (name, thing): ledger.lines[name, thing]
            for name in names
            for thing in known[name]
            if (name, thing) in ledger.lines
        },
    )


def _entry(ledger: Ledger, name: str) -> tuple[Thing, ...]:
    entry = ledger.allocations.get(name) or ledger.tombstones.get(name)
    return () if entry is None else entry.things
