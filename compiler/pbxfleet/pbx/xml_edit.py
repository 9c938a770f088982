"""Editing a pbx.xml so that outside the edited settings not one byte changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pbxfleet.pbx.xml_read import (
    Document,
    open_document,
    prove_document,
    repeated_names,
    why_not_editable,
)
from pbxfleet.pbx.xml_scan import Element, is_name
from pbxfleet.pbx.xml_text import (
    CANNOT_HOLD,
    DISAGREEMENT,
    NOWHERE,
    WHITE_SPACE,
    PbxXmlError,
    Places,
    forbidden_character,
    line_end_of,
    written,
)

_HINTS = {
    "XML106": "delete all but one of them by hand while the instance is stopped",
    "XML107": "set it in the web interface of the PBX, or leave it out of the fleet",
    "XML108": "only flat settings can be declared",
}


class _Splice(NamedTuple):
    """Characters `start` to `end` of the text become `new`."""

    start: int
    end: int
    new: str


def edit(content: bytes, edits: Mapping[str, str | None]) -> bytes:
    """The file with each named setting at that value; None removes the setting.

    A setting whose value is already meant keeps its very bytes, so that without a difference the
    result is `content` itself. Settings that the file lacks are added at its end, in the order of
    `edits`. `PbxXmlError` if the file cannot be read, a named setting is not editable, or XML
    cannot hold a value. The result was read again: it differs from `content` by the edits alone.
    """
    document = open_document(content)
    elements = document.scan.settings()
    _refuse(document, elements, edits)
    changed = {
        element.name: edits[element.name]
        for element in elements
        if element.name in edits and edits[element.name] != element.text
    }
    present = {element.name for element in elements}
    added = {
        name: value for name, value in edits.items() if name not in present and value is not None
    }
    if not changed and not added:
        return content
    line_end = line_end_of(document.text)
    splices = [
        _splice(document, element, changed[element.name], line_end)
        for element in elements
        if element.name in changed
    ]
    splices += _additions(document, elements, added, line_end)
    edited = document.decoded.encode(_spliced(document.text, splices))
    _prove(document, elements, prove_document(edited), {**changed, **added})
    return edited


def _refuse(document: Document, elements: list[Element], edits: Mapping[str, str | None]) -> None:
    repeated = repeated_names(elements)
    for element in elements:
        if element.name in edits:
            reason = why_not_editable(element, repeated)
            if reason is not None:
                code, why = reason
                raise PbxXmlError(code, why, _place(document, element.name), _HINTS[code])
    present = {element.name for element in elements}
    for name, value in edits.items():
        wrong = None if value is None else forbidden_character(value)
        if wrong is not None:
            raise PbxXmlError(
                CANNOT_HOLD,
                f"the value of <{name}> holds U+{ord(wrong):04X}, which XML cannot write",
                _place(document, name),
            )
        if value is not None and name not in present:
            _refuse_name(document, name)


def _place(document: Document, name: str) -> tuple[int, int, int, int]:
    for element in document.scan.settings():
        if element.name == name:
            return Places(document.text).span(element.start, element.end)
    return NOWHERE


def _refuse_name(document: Document, name: str) -> None:
    valid = is_name(name) and ":" not in name
    if valid:
        try:
            name.encode(document.decoded.codec)
        except UnicodeEncodeError:
            valid = False
    if not valid:
        message = f'"{name}" cannot be the name of an element of this file'
        hint = "a name has letters, digits and the signs _ - . and does not start with a digit"
        raise PbxXmlError(CANNOT_HOLD, ascii(message)[1:-1], NOWHERE, hint)


def _splice(document: Document, element: Element, value: str | None, line_end: str) -> _Splice:
    text = document.text
    if value is None:
        return _Splice(_removal_start(text, element), element.end, "")
    new = written(value, document.decoded, line_end)
    if element.self_closed:
        slash = text.rindex("/", element.start, element.end)
        return _Splice(slash, element.end, f">{new}</{element.name}>")
    return _Splice(element.open_end, element.close_start, new)


def _removal_start(text: str, element: Element) -> int:
    """Where a removal begins: with the element's indentation, and its line if it is alone on it."""
    start = element.start
    while text[start - 1] in WHITE_SPACE:
        start -= 1
    before = text[start : element.start]
    if "\n" not in before and "\r" not in before:
        # white space after character data belongs to that text
        return start if text[start - 1] == ">" else element.start
    rest = text[element.end : element.end + 4096].lstrip(" \t")
    if rest[:1] not in ("\n", "\r") and not rest.startswith("</"):
        return element.start
    return start + _last_line_end(before)


def _last_line_end(space: str) -> int:
    """Offset of the last line end in `space`, which must have one."""
    last = max(space.rfind("\n"), space.rfind("\r"))
    return last - 1 if space[max(last - 1, 0) : last + 1] == "\r\n" else last


def _additions(
    document: Document, elements: list[Element], added: Mapping[str, str | None], line_end: str
) -> list[_Splice]:
    if not added:
        return []
    text, root = document.text, document.scan.root
    before = _separator(text, root, elements, line_end)
    short = (
        bool(elements)
        and all(
            element.self_closed for element in elements if element.open_end == element.close_start
        )
        and any(element.self_closed for element in elements)
    )
    lines = []
    for name, value in added.items():
        new = written(value or "", document.decoded, line_end)
        lines.append(before + (f"<{name}/>" if short and not new else f"<{name}>{new}</{name}>"))
    after = line_end if not text[root.open_end : root.close_start] and before else ""
    if root.self_closed:
        slash = text.rindex("/", root.start, root.end)
        return [_Splice(slash, root.end, f">{''.join(lines)}{after}</{root.name}>")]
    at = root.open_end + len(text[root.open_end : root.close_start].rstrip(WHITE_SPACE))
    rest = text[at : root.close_start].lstrip(" \t")
    if rest:  # blanks at the end of the last line belong to that line
        at = root.close_start - len(rest)
    return [_Splice(at, at, "".join(lines) + after)]


def _separator(text: str, root: Element, elements: list[Element], line_end: str) -> str:
    """What stands before a setting in this file: usually a line end and the indentation."""
    if not elements:
        content = text[root.open_end : root.close_start]
        lead = content[: len(content) - len(content.lstrip(WHITE_SPACE))]
        if lead and lead != content:
            return _one_line_end(lead)
        # nothing to learn from: a file of several lines gets a setting on a line of its own
        return line_end + "  " if "\n" in text or "\r" in text else ""
    spaces: dict[str, int] = {}
    for element in elements:
        start = element.start
        while text[start - 1] in WHITE_SPACE:
            start -= 1
        space = _one_line_end(text[start : element.start])
        spaces[space] = spaces.get(space, 0) + 1
    return max(spaces, key=lambda space: (spaces[space], len(space)))


def _one_line_end(space: str) -> str:
    return space[_last_line_end(space) :] if "\n" in space or "\r" in space else space


def _spliced(text: str, splices: list[_Splice]) -> str:
    parts: list[str] = []
    position = 0
    for splice in splices:
        parts += (text[position : splice.start], splice.new)
        position = splice.end
    return "".join([*parts, text[position:]])


def _prove(
    before: Document, elements: list[Element], after: Document, edits: Mapping[str, str | None]
) -> None:
    """Refuse (XML110) unless `after` is `before` with exactly these edits."""
    expected = [
        (element.name, element.attributes, edits[element.name])
        if element.name in edits
        else (element.name, before.text[element.start : element.end])
        for element in elements
        if edits.get(element.name, "") is not None
    ]
    present = {element.name for element in elements}
    expected += [(name, (), value) for name, value in edits.items() if name not in present]
    found = [
        (element.name, element.attributes, element.text)
        if element.name in edits
        else (element.name, after.text[element.start : element.end])
        for element in after.scan.settings()
    ]
    if expected != found or _frame(before) != _frame(after):
        raise PbxXmlError(
            DISAGREEMENT,
            "the edited file would differ by more than the edit",
            NOWHERE,
            "nothing was changed",
        )


def _frame(document: Document) -> tuple[object, ...]:
    """What surrounds the settings: everything outside the root, its tags and its own words."""
    text, root = document.text, document.scan.root
    return (
        text[: root.start],
        text[root.end :],
        root.name,
        root.attributes,
        "".join(root.text.split()),
        document.decoded.mark,
        document.decoded.codec,
    )
