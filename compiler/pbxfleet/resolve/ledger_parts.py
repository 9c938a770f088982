"""The ledger by hosts: each host's part is all that its resolution may depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pbxfleet.model.resolved import Ledger

NOTHING = Ledger({})


def parts_of(ledger: Ledger, hosts: Mapping[str, str]) -> dict[str, Ledger]:
    """By host: what the ledger remembers there, and of its instances wherever that is.

    `hosts` has the host of every declared instance by the instance's name.
    """
    names: dict[str, list[str]] = {}
    for name in sorted(ledger.allocations):
        there = ledger.allocations[name].host
        names.setdefault(there, []).append(name)
        if (now := hosts.get(name, there)) != there:
            names.setdefault(now, []).append(name)
    return {host: _only(ledger, found) for host, found in names.items()}


def joined(parts: Iterable[Ledger]) -> Ledger:
    """One ledger of several parts, in order of instance names."""
    allocations, spans = dict(NOTHING.allocations), dict(NOTHING.spans)
    for part in parts:
        allocations |= part.allocations
        spans |= part.spans
    return Ledger(
        {name: allocations[name] for name in sorted(allocations)},
        {name: spans[name] for name in sorted(spans)},
    )


def of_instances(ledger: Ledger, names: Iterable[str]) -> Ledger:
    """What the ledger remembers of these instances."""
    return _only(ledger, sorted(name for name in names if name in ledger.allocations))


def _only(ledger: Ledger, names: Iterable[str]) -> Ledger:
    names = list(names)
    spans = {name: ledger.spans[name] for name in names if name in ledger.spans}
    return Ledger({name: ledger.allocations[name] for name in names}, spans)
