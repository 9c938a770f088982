"""Notes that several comparisons write."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.model.plan import FieldDelta, Note


def stuck_notes(instance: str, resource: str, stuck: Iterable[FieldDelta]) -> list[Note]:
    """Differences that are shown in every plan, but do not cost another restart."""
    return [
        Note(
            "PLN120",
            "warning",
            instance,
            f"{d.name}: is {d.before or 'absent'}, declared {d.after or 'absent'}; "
            "the last start by pbxfleet did not change that",
            "declare what the instance really does, or find out why it does not do what is declared",
            resource,
            d.name,
            d.after or "",
            d.before or "",
        )
        for d in stuck
    ]
