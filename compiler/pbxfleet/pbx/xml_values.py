"""The values of a few settings, fast: for a host with a thousand files that are all in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pbxfleet.pbx.patterns import compiled
from pbxfleet.pbx.xml_read import means_encrypted, repeated_names, why_not_editable
from pbxfleet.pbx.xml_scan import scan
from pbxfleet.pbx.xml_text import WHITE_SPACE, decode

_S = "[ \t\r\n]"
_CONTROLS = "\\0-\x08\x0b-\x1f\ufffe\uffff"
_NAME = "[A-Za-z_][A-Za-z0-9_.-]*+"

# The dialect that is read in one go; any other file takes the slow road, with the same result.
_HEAD = (
    "(?:<\\?xml version=[\"']1\\.0[\"'](?: encoding=[\"'][Uu][Tt][Ff]-8[\"'])?"
    "(?: standalone=[\"'](?:yes|no)[\"'])?\\?>)?"
    f"{_S}*+<({_NAME})>"
)
_PIECE = (
    f'{_S}*+<(?:({_NAME})(?: ([A-Za-z]++)="([^"<&\t\n{_CONTROLS}]*+)")?'
    f"(?:>([^<>&{_CONTROLS}]*+)</\\1>|/>)|!--[^-{_CONTROLS}]*+-->)"
)


def values(content: bytes, names: Collection[str]) -> Mapping[str, str | None]:
    """Values of those of `names` that the file has; None for a setting that is not editable.

    `PbxXmlError` as from `read`, except that lxml is neither loaded nor asked.
    """
    found = _at_once(content)
    if found is None:
        found = _scanned(content)
    return {name: found[name] for name in names if name in found}


def _scanned(content: bytes) -> dict[str, str | None]:
    elements = scan(decode(content).text).settings()
    repeated = repeated_names(elements)
    return {
        element.name: None if why_not_editable(element, repeated) else element.text
        for element in elements
    }


def _at_once(content: bytes) -> dict[str, str | None] | None:
    """All settings of a file in the usual dialect; None for another, or if a name is repeated."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    head = compiled(_HEAD).match(text)
    if head is None:
        return None
    end = text.rstrip(WHITE_SPACE)
    close = f"</{head[1]}>"
    if not end.endswith(close):
        return None
    body_end = len(end[: -len(close)].rstrip(WHITE_SPACE))
    found: dict[str, str | None] = {}
    position = head.end()
    pieces = 0
    piece = compiled(_PIECE)
    while match := piece.match(
        text, position, body_end
    ):  # a search would begin at every blank anew
        position = match.end()
        name, attribute, value, inner = match.groups()
        if name is None:
            continue
        pieces += 1
        found[name] = inner or ""
        if attribute is not None and means_encrypted(attribute, value):
            found[name] = None
    return found if position == max(head.end(), body_end) and len(found) == pieces else None
