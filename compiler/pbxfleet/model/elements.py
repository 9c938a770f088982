"""When does a live pbx.xml element have to be edited? Asked by observe, plan, merge and proof alike."""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.applied import element_digest
from pbxfleet.model.target import ONCE, SEEDED, Field

# What the applied record holds in place of a digest, for elements whose value is not ours.
SECRET = "secret"  # noqa: S105 - a word, not a value
WRITTEN_ONCE = SEEDED


def remembered(field: Field) -> str | None:
    """What the applied record says of an element: a digest, None for one that was removed, or a word."""
    if field.secret is not None:
        return SECRET
    return WRITTEN_ONCE if field.ownership == SEEDED else element_digest(field.value)


def was_written(name: str, applied: Mapping[str, str | None]) -> bool:
    """Whether apply has written the element before, going by the `fields` of the applied record."""
    return applied.get(name, SECRET) != SECRET


def needs_edit(field: Field, observed: str | None, *, opaque: bool, known: bool) -> bool:
    """Whether the element differs from its declaration in a way that is ours to settle.

    `observed` None says that there is no such element; `opaque` that the PBX has encrypted it; `known`
    that apply has written it before. A seeded element is written only where there is none and there
    never was one; secrets and encrypted elements are never compared.
    """
    if field.secret is not None or opaque:
        return False
    if field.ownership in ONCE and (observed is not None or known):
        return False
    return observed != field.value
