"""Problems as values: a code, a place, what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from pbxfleet.core.span import Span

T = TypeVar("T")


class Severity(StrEnum):
    """`error` refuses the input; `warning` asks for attention; `advice` is good to know."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. `code` never changes its meaning; `message` has no trailing dot.

    `related` holds further places with a short text each ("first claimed here"). `about` are the
    instances that one line concerns, where the places do not name all of them.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = Severity.ERROR
    related: tuple[tuple[Span, str], ...] = ()
    hint: str = ""
    about: tuple[str, ...] = ()

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of output: by file, place, code, text; problems without a place come first."""
        if self.span is None:
            return ("", 0, 0, self.code, self.message)
        return (self.span.file, self.span.line, self.span.column, self.code, self.message)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """A value with what was noticed on the way; `value` is None exactly when there is an error."""

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Only the diagnostics of severity error."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.ERROR)


def outcome(value: T, found: Iterable[Diagnostic]) -> Outcome[T]:
    """Outcome of a stage that goes on after problems: no value if one of them is an error."""
    diagnostics = in_order(found)
    failed = any(d.severity is Severity.ERROR for d in diagnostics)
    return Outcome(None if failed else value, diagnostics)


def in_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics sorted by place, duplicates removed."""
    return tuple(sorted(dict.fromkeys(found), key=lambda d: d.sort_key))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a mistyped one most likely meant, or None if nothing is close."""
    from difflib import get_close_matches  # only paid when somebody mistyped something

    close = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Hint text for an unknown word: the nearest known one, else the list of what is known."""
    words = sorted(known)
    close = nearest(word, words)
    if close is not None:
        return f'did you mean "{close}"?'
    return "known here: " + ", ".join(words) if words else ""
