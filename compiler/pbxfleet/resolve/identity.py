"""Identity: what a copied reference file would make the same in every instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.resolve.listeners import Draft
from pbxfleet.resolve.problems import Problems, fold

# Elements that tell one PBX from another: an installer sets them anew each time
# (https://github.com/VasilisVikos/vodia_windows_installer).
WILDCARD = "sys_wildcard"
IDENTITY = ("activation_key", "pw_pass", "sys_name", WILDCARD)


class Taken(NamedTuple):
    """An element whose value instances of one host take over from a reference file."""

    name: str
    place: Span
    who: tuple[tuple[str, Span], ...]


def taken_over(drafts: Iterable[Draft]) -> tuple[Taken, ...]:
    """The identity that instances take over, by reference file and element."""
    takers: dict[tuple[str, Span], list[tuple[str, Span]]] = {}
    for draft in drafts:
        reference = draft.elements.reference
        for name in IDENTITY:
            value, span = reference.settings.get(name, ("", reference_start(draft)))
            if value != "" and name not in draft.layer.settings:
                takers.setdefault((name, span), []).append((draft.file.name, draft.file.span))
    return tuple(Taken(name, place, tuple(who)) for (name, place), who in takers.items())


def check_identity(taken: Iterable[Taken], problems: Problems) -> None:
    """Identity that instances would take over from the reference: ADV106 (several), ADV110 (any)."""
    takers: dict[tuple[str, Span], list[tuple[str, Span]]] = {}
    for name, place, who in taken:
        takers.setdefault((name, place), []).extend(who)
    for (name, place), everybody in takers.items():
        if name == WILDCARD:
            problems.add(fold(_led_away(name, place), everybody))
        elif len(everybody) > 1:
            problems.add(fold(_copied(name, place), everybody))


def reference_start(draft: Draft) -> Span:
    """Where the release names its reference file."""
    return draft.elements.release.reference.origin


def _led_away(name: str, place: Span) -> Diagnostic:
    """An installer's author removed it because browsers were led to hosted addresses (same source)."""
    return Diagnostic(
        "ADV110",
        f'"{name}" of the reference file leads browsers to a name that is not the instance\'s',
        place,
        Severity.WARNING,
        hint=f'say settings.{name} = "", or the wildcard of the instance\'s own tenants',
    )


def _copied(name: str, place: Span) -> Diagnostic:
    return Diagnostic(
        "ADV106",
        f'"{name}" of the reference file becomes that of several instances',
        place,
        Severity.ADVICE,
        hint=f"declare settings.{name} for each of them",
    )
