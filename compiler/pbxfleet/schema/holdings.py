"""What single lines of the ledger say, put together by instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Outcome, outcome
from pbxfleet.core.span import Span
from pbxfleet.model.resolved import Allocation, Ledger, Resource, Thing


class Holding(NamedTuple):
    """One thing that an instance holds on a host.

    `place` numbers the addresses of one family of an instance, 1 for the first that it wishes.
    """

    host: str
    thing: Thing
    name: str
    place: int
    span: Span


class Tombstone(NamedTuple):
    """Where an instance was that is gone."""

    host: str
    span: Span


def ledger_of(holdings: Iterable[Holding], removed: Mapping[str, Tombstone]) -> Outcome[Ledger]:
    """The ledger, by instance names in order; `removed` are the instances that are gone.

    Reports ALC107 for an instance that has two of what it can have once, as after a merge of two
    moves; also for one that is gone from another host than it holds something on.
    """
    by_name: dict[str, list[Holding]] = {}
    for holding in holdings:
        by_name.setdefault(holding.name, []).append(holding)
    found: list[Diagnostic] = []
    allocations: dict[str, Allocation] = {}
    tombstones: dict[str, Allocation] = {}
    spans: dict[str, Span] = {}
    lines: dict[tuple[str, Thing], Span] = {}
    for name in sorted(by_name):
        held = by_name[name]
        found += _twice(name, held)
        spans[name] = held[0].span
        for holding in held:
            lines[name, holding.thing] = holding.span
        gone = removed.get(name)
        if gone is not None and gone.host != held[0].host:
            found.append(_diagnostic(name, "on two hosts", gone.span, held[0].span))
        (tombstones if name in removed else allocations)[name] = _allocation(held)
    return outcome(Ledger(allocations, spans, tombstones, lines), found)


def _allocation(held: list[Holding]) -> Allocation:
    addresses: list[tuple[bool, int, str]] = []
    one: dict[Resource, str] = {}
    for holding in held:
        resource, text = holding.thing
        if resource is Resource.ADDRESS:
            addresses.append((":" in text, holding.place, text))
        else:
            one[resource] = text
    core, number = one.get(Resource.CORE), one.get(Resource.NUMBER)
    return Allocation(
        host=held[0].host,
        addresses=tuple(text for _, _, text in sorted(addresses)),
        cpu=None if core is None else int(core),
        rtp=one.get(Resource.RTP),
        number=None if number is None else int(number),
        ports=one.get(Resource.PORTS),
    )


def _twice(name: str, held: list[Holding]) -> Iterable[Diagnostic]:
    """ALC107 for every line that says otherwise than an earlier one."""
    first_of: dict[tuple[object, ...], Holding] = {}
    for holding in held:
        resource, text = holding.thing
        if holding.host != held[0].host:
            yield _diagnostic(name, "on two hosts", held[0].span, holding.span)
            continue
        is_address = resource is Resource.ADDRESS
        slot = (resource, ":" in text, holding.place) if is_address else (resource,)
        first = first_of.setdefault(slot, holding)
        if first is not holding and first.thing != holding.thing:
            what = f"both {first.thing.words} and {holding.thing.words}"
            yield _diagnostic(name, what, first.span, holding.span)


def _diagnostic(name: str, what: str, first: Span, again: Span) -> Diagnostic:
    return Diagnostic(
        "ALC107",
        f"the ledger has {name} {what}",
        again,
        related=((first, "the other line"),),
        hint="remove the line that is not in service, and compile",
    )
