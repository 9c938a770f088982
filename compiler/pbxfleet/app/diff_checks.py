"""Findings of the checks that only one of two fleets has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

from pbxfleet.core.diagnostics import Diagnostic, in_order


def only(these: Iterable[Diagnostic], those: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those of `these` that `those` has none like, wherever in a file they stand; in order."""
    known = Counter(map(_essence, those))
    found = []
    for diagnostic in in_order(these):
        key = _essence(diagnostic)
        if known[key]:
            known[key] -= 1
        else:
            found.append(diagnostic)
    return tuple(found)


def _essence(diagnostic: Diagnostic) -> Hashable:
    """What a diagnostic says, without the lines that move with every edit above them.

    Nor does it matter whom else it is about: what failed for three instances still fails for two.
    """
    return (
        diagnostic.code,
        diagnostic.severity,
        diagnostic.message,
        "" if diagnostic.span is None else diagnostic.span.file,
    )
