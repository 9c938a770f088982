"""The allocation desk of one host: who asks, what the ledger remembers, and what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    HostFile,
    InstanceFile,
    Layer,
)
from pbxfleet.model.reserved import Reserved
from pbxfleet.model.resolved import Allocation, Ledger, Resource, Thing
from pbxfleet.resolve.problems import NAMED_AT_MOST, Problems, some


@dataclass(frozen=True, slots=True)
class Asking:
    """What one instance asks of its host; `layer` is joined from all layers."""

    file: InstanceFile
    host: HostFile
    layer: Layer
    needs_number: bool

    @property
    def name(self) -> str:
        """Name of the instance."""
        return self.file.name


Lines = tuple[tuple[Span, str], ...]

_BY_HAND = "a line that was changed by hand is restored from the last commit"


class Holder(NamedTuple):
    """An instance that has something from the ledger, and where it wishes it."""

    name: str
    wish: Span


@dataclass(frozen=True, slots=True)
class Desk:
    """Allocations of one host: reads the ledger, reports what cannot be kept or handed out.

    `removed` are the tombstones of the host: what instances hold that are gone.
    """

    host: HostFile
    ledger: Ledger
    problems: Problems
    removed: Mapping[str, Allocation]

    def entry(self, name: str) -> Allocation | None:
        """What the ledger knows of an instance, on any host; also of one that was gone."""
        return self.ledger.allocations.get(name) or self.ledger.tombstones.get(name)

    def remembered(self, asking: Asking) -> Allocation | None:
        """The ledger's entry of the instance, if it was made for this host."""
        entry = self.entry(asking.name)
        return entry if entry is not None and entry.host == self.host.name else None

    def is_elsewhere(self, asking: Asking) -> bool:
        """Whether the ledger remembers the instance on another host."""
        entry = self.entry(asking.name)
        return entry is not None and entry.host != self.host.name

    def held(self, resource: Resource) -> dict[str, str]:
        """Things of a kind that instances hold which are gone, with the names of these."""
        return {
            thing.text: name
            for name, entry in self.removed.items()
            for thing in entry.things
            if thing.resource is resource
        }

    def moved(self, asking: Asking) -> None:
        """Report ALC103: the instance is on another host now, and its allocations are not."""
        name, entry = asking.name, self.entry(asking.name)
        before = "" if entry is None else entry.host
        self.problems.add(
            Diagnostic(
                "ALC103",
                f"the ledger remembers allocations of {name} on {before}, not on {self.host.name}",
                asking.file.host.origin,
                related=self._here(name),
                hint=f"if {name} really moves: pbxfleet move --reallocate {name}, and "
                f"{self.host.name} hands out its own values; else put host back to {before}",
            ),
            name,
        )

    def revived(self, asking: Asking) -> None:
        """Report ALC112: the ledger has the instance among those that are gone."""
        name, own = asking.name, asking.file.span
        place = self.ledger.spans.get(name)
        self.problems.add(
            Diagnostic(
                "ALC112",
                f"the ledger has {name} among the instances that are gone, but it is declared",
                place or own,
                Severity.WARNING,
                related=() if place is None else ((own, f"{name} is declared here"),),
                hint=f"if {name} is back, compile: it keeps what it had; else remove its file, or "
                "restore the ledger from the last commit",
            ),
        )

    def stale(self, asking: Asking, wish: Span, thing: Thing, why: str) -> None:
        """Report ALC102: a remembered value is no longer the host's to give."""
        name = asking.name
        self.problems.add(
            Diagnostic(
                "ALC102",
                f"the ledger gives {name} {thing.words}, which {why}",
                wish,
                related=self._here(name, thing),
                hint=f"give it back to {self.host.name} in {self.host.span.file}; or "
                f"pbxfleet move --reallocate {name} --only {thing.resource.value}, to have another "
                f"one allocated; {_BY_HAND}",
            ),
            name,
        )

    def twice(self, asking: Asking, wish: Span, thing: Thing, first: str, its: Thing) -> None:
        """Report ALC104: two lines of the ledger hold the same, as after a merge of branches."""
        name = asking.name
        self.problems.add(
            Diagnostic(
                "ALC104",
                f"the ledger gives {thing.words} to both {first} and {name}",
                wish,
                related=(*self._here(first, its), *self._here(name, thing)),
                hint="decide which is not yet in service, and have another one allocated for it: "
                f"pbxfleet move --reallocate {name} --only {thing.resource.value}; {_BY_HAND}",
            ),
            name,
        )

    def declared(
        self,
        askings: Sequence[Asking],
        things: tuple[Thing, Thing],
        place: Span,
        holder: Holder,
        also: Lines = (),
    ) -> None:
        """Report ALC109: these instances declare, in one place, what was handed out to another.

        `things` are what they declare and what was handed out; `also` are other lines without which
        that would be no conflict.
        """
        declared, its = things
        who = some(asking.name for asking in askings)
        verb = "declare" if askings[1:] else "declares"
        but = "which was" if declared == its else f"but {its.words} were"
        others: dict[Span, str] = {}
        held = (holder.wish, f"{holder.name} has it by this line")
        for span, words in (*self._here(holder.name, its), held, *also):
            others.setdefault(span, words)
        others.pop(place, None)
        diagnostic = Diagnostic(
            "ALC109",
            f"{who} {verb} {declared.words}, {but} handed out to {holder.name}",
            place,
            related=tuple(others.items()),
            hint=f'choose another one or "auto"; or give {holder.name} another one first: '
            f"pbxfleet move --reallocate {holder.name} --only {its.resource.value}",
        )
        for asking in askings:
            self.problems.share(diagnostic, asking.name, asking.file.span)

    def inherited(self, asking: Asking, place: Span, thing: Thing, gone: str) -> None:
        """Report ALC110: the instance declares what one had that is gone; it gets it."""
        self.problems.add(
            Diagnostic(
                "ALC110",
                f"{asking.name} declares {thing.words}, which {gone} had, that is gone",
                place,
                Severity.WARNING,
                related=self._here(gone, thing),
                hint=f"if nothing leads to {gone} any more (DNS, phones, firewalls), compile: it is "
                f"{asking.name}'s then",
            ),
        )

    def reserved(self, asking: Asking, place: Span, what: str, by: Reserved[Any]) -> None:
        """Report ALC108: the instance declares what the host keeps for something else."""
        diagnostic = Diagnostic(
            "ALC108",
            f"{what} of {self.host.name} is reserved{by.words}",
            place,
            related=((by.what.origin, "reserved here"),),
            hint="choose another one, or take it out of what is reserved",
        )
        self.problems.share(diagnostic, asking.name, asking.file.span)

    def nothing_left(
        self, asking: Asking, wish: Span, what: str, hint: str, resource: Resource
    ) -> None:
        """Report ALC101: the host has none of `what` left."""
        gone = sorted(set(self.held(resource).values()))
        if gone:
            them = some(gone)
            release = f"pbxfleet move --release {' '.join(gone[:NAMED_AT_MOST])}"
            hint = (
                f"{them}, no longer declared, still hold{'s' if len(gone) == 1 else ''} some: when "
                f"nothing leads there any more, {release} gives them back; or {hint}"
            )
        diagnostic = Diagnostic("ALC101", f"{self.host.name} has no {what} left", wish, hint=hint)
        self.problems.share(diagnostic, asking.name, asking.file.span)

    def _here(self, name: str, thing: Thing | None = None) -> tuple[tuple[Span, str], ...]:
        span = None if thing is None else self.ledger.lines.get((name, thing))
        span = span or self.ledger.spans.get(name)
        return () if span is None else ((span, f"remembered for {name} here"),)
