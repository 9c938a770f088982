"""When does a live pbx.xml element have to be edited? Asked by observe, plan, merge and proof alike."""

from __future__ import annotations

from pbxfleet.model.target import SEEDED, Field


def needs_edit(field: Field, observed: str | None, *, opaque: bool, known: bool) -> bool:
    """Whether the element differs from its declaration in a way that is ours to settle.

    `observed` None says that there is no such element; `opaque` that the PBX has encrypted it; `known`
    that apply has written it before. A seeded element is written only where there is none and there
    never was one; secrets and encrypted elements are never compared.
    """
    if field.secret is not None or opaque:
        return False
    if field.ownership == SEEDED and (observed is not None or known):
        return False
    return observed != field.value
