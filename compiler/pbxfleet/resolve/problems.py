"""Collects diagnostics; one cause that hits many instances is one diagnostic that names them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity, in_order, nearest
from pbxfleet.core.span import Span

NAMED_AT_MOST = 3


class Shared(NamedTuple):
    """A problem with the names and files of the instances that have it, in order of names."""

    diagnostic: Diagnostic
    who: tuple[tuple[str, Span], ...]


@dataclass(slots=True)
class Problems:
    """What was found so far. `names_failed` are the instances that cannot be resolved."""

    single: list[Diagnostic] = field(default_factory=list)
    shared: dict[Diagnostic, list[tuple[str, Span]]] = field(default_factory=dict)
    names_failed: set[str] = field(default_factory=set)
    _near: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def add(self, diagnostic: Diagnostic, instance: str = "") -> None:
        """Report a problem; with an error, `instance` stays out of the resolved state."""
        self.single.append(diagnostic)
        if instance and diagnostic.severity is Severity.ERROR:
            self.names_failed.add(instance)

    def share(self, diagnostic: Diagnostic, instance: str, place: Span) -> None:
        """Report a problem that other instances may have with the same words at the same place."""
        self.shared.setdefault(diagnostic, []).append((instance, place))
        if diagnostic.severity is Severity.ERROR:
            self.names_failed.add(instance)

    def near(self, kind: str, word: str, known: Collection[str]) -> str | None:
        """The word of this kind that `word` most likely meant; looked for once, however often asked."""
        if (kind, word) not in self._near:
            self._near[kind, word] = nearest(word, known)
        return self._near[kind, word]

    def hint(self, kind: str, word: str, known: Collection[str]) -> str:
        """What was meant by `word`, else what is known."""
        close = self.near(kind, word, known)
        if close is not None:
            return f'did you mean "{close}"?'
        return f"known here: {some(sorted(known))}" if known else f"there is no {kind} yet"

    def shared_by(self) -> tuple[Shared, ...]:
        """The problems that may hit instances elsewhere too, in the order they were found."""
        return tuple(Shared(diagnostic, tuple(who)) for diagnostic, who in self.shared.items())

    def take(self, single: Iterable[Diagnostic], shared: Iterable[Shared]) -> None:
        """Add what was found elsewhere; of one problem with two lists of instances one remains."""
        self.single += single
        for diagnostic, who in shared:
            self.shared.setdefault(diagnostic, []).extend(who)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found, in order of places."""
        folded = (fold(diagnostic, who) for diagnostic, who in self.shared.items())
        return in_order([*self.single, *folded])


def fold(diagnostic: Diagnostic, who: Iterable[tuple[str, Span]]) -> Diagnostic:
    """The diagnostic with the instances it concerns as related places, the first few by name.

    A place in an instance's own file says by itself which instance it is about.
    """
    who = list(who)
    own = None if diagnostic.span is None else diagnostic.span.file
    places = {name: place for name, place in sorted(who, key=_name) if place.file != own}
    named = list(places.items())[:NAMED_AT_MOST]
    more = len(places) - len(named)
    related = [(place, f"instance {name}") for name, place in named]
    if more:
        place, text = related[-1]
        related[-1] = (place, f"{text}, and {more} more like it")
    return Diagnostic(
        diagnostic.code,
        diagnostic.message,
        diagnostic.span,
        diagnostic.severity,
        (*diagnostic.related, *related),
        diagnostic.hint,
        tuple(sorted({name for name, _ in who})),
    )


def _name(use: tuple[str, Span]) -> str:
    return use[0]


def some(names: Iterable[str]) -> str:
    """The names for a message: `alpha`, `alpha and beta`, `alpha, beta, gamma and 4 more`."""
    words = list(names)
    if len(words) > NAMED_AT_MOST + 1:
        more = len(words) - NAMED_AT_MOST
        words = [*words[:NAMED_AT_MOST], f"{more} more"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))
