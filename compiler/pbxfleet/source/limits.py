"""Limits that keep every file cheap to read, whatever it holds."""

from __future__ import annotations

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.source.screen import clipped

# The deepest key of the format has five levels. Readers recurse at most this deep.
MAX_DEPTH = 64

# A ledger of 10,000 instances has about 60,000 values on as many lines.
MAX_VALUES = 100_000

# A file with more problems than this is not worth a longer list; the last one says so.
MAX_PROBLEMS = 50


def too_deep(span: Span) -> Diagnostic:
    """SRC106 at the place where the limit is passed."""
    return Diagnostic(
        "SRC106",
        f"values nest more than {MAX_DEPTH} deep here",
        span,
        hint="no key of a fleet needs this; is a bracket or an indentation wrong?",
    )


def too_many(span: Span) -> Diagnostic:
    """SRC107 at the place where the limit is passed."""
    return Diagnostic(
        "SRC107",
        f"the file has more than {MAX_VALUES} values or lines",
        span,
        hint="one file describes one host or instance; was another file put here by mistake?",
    )


def duplicate(key: str, span: Span, first: Span) -> Diagnostic:
    """SRC112 for a key that is written twice in one table."""
    return Diagnostic(
        "SRC112",
        f'the key "{clipped(key, 60)}" is written twice',
        span,
        related=((first, "first written here"),),
        hint="keep one of the two",
    )
