"""Identity: what a copied reference file would make the same in every instance."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.resolve.listeners import Draft
from pbxfleet.resolve.problems import Problems, fold

# Elements that tell one PBX from another: an installer sets them anew each time
# (https://github.com/VasilisVikos/vodia_windows_installer).
IDENTITY = ("activation_key", "pw_pass", "sys_name", "sys_wildcard")


def check_identity(drafts: Iterable[Draft], problems: Problems) -> None:
    """Advise (ADV106) about identity that several instances would take over from the reference."""
    takers: dict[tuple[str, str], list[tuple[str, Span]]] = {}
    places: dict[tuple[str, str], Span] = {}
    for draft in drafts:
        reference = draft.elements.reference
        for name in IDENTITY:
            value, span = reference.settings.get(name, ("", reference_start(draft)))
            if value != "" and name not in draft.layer.settings:
                key = (reference.file, name)
                takers.setdefault(key, []).append((draft.file.name, draft.file.span))
                places[key] = span
    for key, who in takers.items():
        if len(who) > 1:
            problems.add(fold(_copied(key[1], places[key]), who))


def reference_start(draft: Draft) -> Span:
    """Where the release names its reference file."""
    return draft.elements.release.reference.origin


def _copied(name: str, place: Span) -> Diagnostic:
    return Diagnostic(
        "ADV106",
        f'"{name}" of the reference file becomes that of several instances',
        place,
        Severity.ADVICE,
        hint=f"declare settings.{name} for each of them",
    )
