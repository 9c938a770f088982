"""Whether two values of a setting mean the same: the PBX may spell what it was given in its own way.

Only what follows from a documented grammar counts as the same. A difference that nobody can explain is
a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbxfleet.model.elements import needs_edit
from pbxfleet.model.target import Field
from pbxfleet.model.verdict import Verdict
from pbxfleet.pbx.xml_text import WHITE_SPACE

if TYPE_CHECKING:
    from pbxfleet.model.net import Bind

BINDS, BOOL, INT, TEXT, UNKNOWN = "binds", "bool", "int", "text", ""
# What compile says a value was made from; `settings.NAME` is looked up in the catalogue.
_BY_LABEL = {"address": BINDS, "rtp": INT, "cpu": INT}
_BY_TYPE = {"binds": BINDS, "bool": BOOL, "int": INT, "level": INT}
TRUTH = ("true", "false")


def must_change(field: Field, observed: str | None, *, opaque: bool, known: bool) -> bool:
    """As `needs_edit`, but a value that means what is declared may stay as it is spelled."""
    if not needs_edit(field, observed, opaque=opaque, known=known):
        return False
    return not means_the_same(field, observed)


def judged(field: Field, observed: str | None) -> Verdict:
    """What became of a declared value that is neither secret nor encrypted."""
    if observed == field.value:
        return Verdict.ACCEPTED
    return Verdict.NORMALISED if means_the_same(field, observed) else Verdict.REJECTED


def means_the_same(field: Field, observed: str | None) -> bool:
    """Whether `observed` is another spelling of the declared value.

    For every setting: white space around it, and the case of true and false unless the setting is
    known to be free text. For binds: any order and repetition, and a bare port for the two wildcards
    that it stands for (https://doc.vodia.com/docs/admin-ports). For whole numbers: leading zeros. An
    element that is missing, or that was to be missing, never means the same.
    """
    if field.value is None or observed is None:
        return field.value == observed
    one, other = field.value.strip(WHITE_SPACE), observed.strip(WHITE_SPACE)
    if one == other:
        return True
    kind = _kind(field)
    if kind in (BOOL, UNKNOWN) and one.lower() in TRUTH:
        return one.lower() == other.lower()
    if kind == INT:
        return _is_number(one) and _is_number(other) and int(one) == int(other)
    return kind == BINDS and _sockets(one) is not None and _sockets(one) == _sockets(other)


def without_spelling(value: str) -> str:
    """One text for all spellings that any kind of setting could have for this value.

    More is taken for the same here than by `means_the_same`, since the kind is not asked for: it tells
    whether a value may be the one that was written, not whether a declaration is fulfilled.
    """
    text = value.strip(WHITE_SPACE)
    if text.lower() in TRUTH:
        return text.lower()
    if _is_number(text):
        text = str(int(text))
    sockets = _sockets(text)
    if not sockets:
        return text
    return " ".join(sorted(f"{b.family} {b.address or ''} {b.port}" for b in sockets))


def _kind(field: Field) -> str:
    if field.label.startswith("listen."):
        return BINDS
    if field.label in _BY_LABEL:
        return _BY_LABEL[field.label]
    from pbxfleet.pbx.catalogue import SETTINGS

    row = SETTINGS.get(field.name)
    return UNKNOWN if row is None else _BY_TYPE.get(row.type, TEXT)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _sockets(text: str) -> frozenset[Bind] | None:
    """What a bind list opens, a bare port as its two wildcards; None if it is no bind list."""
    from pbxfleet.model.net import Bind, Family
    from pbxfleet.pbx.binds import BindError, parse_binds

    try:
        binds = parse_binds(text)
    except BindError:
        return None
    return frozenset(
        Bind(family, bind.address, bind.port)
        for bind in binds
        for family in ((Family.IPV4, Family.IPV6) if bind.family is Family.ANY else (bind.family,))
    )
