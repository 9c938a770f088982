"""Finds where every element of an XML text begins and ends, to the character.

Parsers keep no such places, and serialising a tree would rewrite what nobody asked to change. What
is found here is never believed alone: `xml_read` compares it with what lxml says of the same bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.pbx.patterns import compiled
from pbxfleet.pbx.xml_text import (
    DECLARATION,
    DOCTYPE_OR_ENTITY,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_TAGS,
    NO_ROOT,
    NOT_WELL_FORMED,
    TOO_LARGE,
    WHITE_SPACE,
    PbxXmlError,
    Places,
    error_at,
    normalised,
    resolved,
)

# XML 1.0 (fifth edition), 2.3. The exact classes take long to compile, so that a looser pattern
# finds names, and the exact one is only asked about those that are not plain ASCII.
_START = (
    ":A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_EXACT_NAME = f"[{_START}][{_START}\\-.0-9\u00b7\u0300-\u036f\u203f\u2040]*"
# everything but the ASCII characters that names cannot start with, or hold
_NAME = "[^\\0-9;-@\\[-\\^`{-\x7f][^\\0-,/;-@\\[-\\^`{-\x7f]*+"
_S = "[ \t\r\n]"
_EQUALS = f"{_S}*+={_S}*+"
_QUOTED = "(?:\"[^\"<]*+\"|'[^'<]*+')"
_TAG = f"<({_NAME})((?:{_S}++{_NAME}{_EQUALS}{_QUOTED})*){_S}*+"
_OPEN = _TAG + "(/?)>"
_FLAT = _TAG + f">([^<&\r]*+)</\\1{_S}*+>"
_CLOSE = f"</({_NAME}){_S}*+>"
_ATTRIBUTE = f"({_NAME}){_EQUALS}({_QUOTED})"
_INSTRUCTION = f"<\\?({_NAME})(?:{_S}[^\\0]*?)?\\?>"


class Element:
    """One element. Offsets: `start` to `end` is all of it, `open_end` to `close_start` its content.

    `text` is its own character data (comments and instructions left out, references resolved),
    `children` the number of its child elements, comments and instructions; `nested` tells whether
    there are elements among them. Depth 0 is the root.
    """

    __slots__ = (
        "attributes",
        "children",
        "close_start",
        "depth",
        "end",
        "name",
        "nested",
        "open_end",
        "self_closed",
        "start",
        "text",
    )

    def __init__(self, name: str, attributes: tuple[tuple[str, str], ...], depth: int) -> None:
        self.name = name
        self.attributes = attributes
        self.depth = depth
        self.text = ""
        self.children = 0
        self.nested = False
        self.self_closed = False
        self.start = self.open_end = self.close_start = self.end = 0


def is_name(text: str) -> bool:
    """Whether XML allows `text` as the name of an element or attribute."""
    if compiled(_NAME).fullmatch(text) is None:
        return False
    return text.isascii() or compiled(_EXACT_NAME).fullmatch(text) is not None


class Scan(NamedTuple):
    """All elements of a document, in document order; the first is the root."""

    root: Element
    elements: list[Element]

    def settings(self) -> list[Element]:
        """The children of the root, in document order."""
        return [element for element in self.elements if element.depth == 1]


def scan(text: str) -> Scan:
    """Every element of `text`; refuses what is not well-formed or declares a document type."""
    if text.count("<") > MAX_TAGS:
        message = f"the file has more than {MAX_TAGS} tags"
        raise error_at(text, TOO_LARGE, message, (0, 0))
    return _Scanner(text).run()


class _Scanner:
    __slots__ = ("elements", "open", "parts", "simple", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.parts: list[list[str]] = []
        # "]]>" must not stand in character data; only a text without it may be taken in one piece
        self.simple = "]]>" not in text

    def run(self) -> Scan:
        text, elements, opened = self.text, self.elements, self.open
        flat = compiled(_FLAT).match
        position = self.declaration()
        while (start := text.find("<", position)) >= 0:
            if start > position:
                self.characters(position, start)
            match = flat(text, start) if opened and self.simple else None
            if match is None:
                position = self.markup(start)
                continue
            element = self.element(match[1], start, match.start(2), match.end(2))
            element.open_end, element.close_start = match.span(3)
            element.text = match[3]
            element.end = position = match.end()
            elements.append(element)
        if position < len(text):
            self.characters(position, len(text))
        return self.finished()

    def declaration(self) -> int:
        text = self.text
        if not text.startswith("<?xml") or text[5:6] not in WHITE_SPACE:
            return 0
        match = compiled(DECLARATION).match(text)
        if match is None:
            end = text.find("?>") + 2
            message = "the XML declaration is malformed"
            hint = 'it reads <?xml version="1.0" encoding="utf-8"?>'
            where = (0, end if end > 1 else 5)
            raise error_at(text, NOT_WELL_FORMED, message, where, hint)
        return match.end()

    def element(self, name: str, start: int, attributes: int, attributes_end: int) -> Element:
        if not name.isascii():
            self.check_name(name, start + 1)
        if len(self.open) >= MAX_DEPTH:
            message = f"elements are nested more than {MAX_DEPTH} deep"
            raise error_at(self.text, TOO_LARGE, message, (start, 1 + len(name)))
        found = self.attributes(attributes, attributes_end) if attributes < attributes_end else ()
        element = Element(name, found, len(self.open))
        element.start = start
        if self.open:
            parent = self.open[-1]
            parent.children += 1
            parent.nested = True
        return element

    def attributes(self, start: int, end: int) -> tuple[tuple[str, str], ...]:
        found: dict[str, str] = {}
        for match in compiled(_ATTRIBUTE).finditer(self.text, start, end):
            if match[1] in found:
                message = f'the attribute "{match[1]}" is given twice'
                raise self.wrong(message, match.start(1), len(match[1]))
            if len(found) >= MAX_ATTRIBUTES:
                message = f"a tag has more than {MAX_ATTRIBUTES} attributes"
                raise error_at(self.text, TOO_LARGE, message, (start, end - start))
            self.check_name(match[1], match.start(1))
            found[match[1]] = resolved(
                self.text, match.start(2) + 1, match.end(2) - 1, attribute=True
            )
        return tuple(found.items())

    def markup(self, start: int) -> int:
        following = self.text[start + 1 : start + 2]
        if following == "/":
            return self.close_tag(start)
        if following == "!":
            return self.declaration_or_comment(start)
        if following == "?":
            return self.instruction(start)
        return self.open_tag(start)

    def open_tag(self, start: int) -> int:
        match = compiled(_OPEN).match(self.text, start)
        if match is None:
            raise _bad_tag(self.text, start)
        if not self.open and self.elements:
            raise self.wrong("a second root element", start, match.end() - start)
        element = self.element(match[1], start, match.start(2), match.end(2))
        element.open_end = element.close_start = element.end = match.end()
        self.elements.append(element)
        if match[3]:
            element.self_closed = True
            return match.end()
        self.open.append(element)
        self.parts.append([])
        return match.end()

    def close_tag(self, start: int) -> int:
        match = compiled(_CLOSE).match(self.text, start)
        if match is None:
            raise self.wrong("a malformed end tag", start, 2)
        if not self.open:
            raise self.wrong(f"</{match[1]}> closes nothing", start, match.end() - start)
        element = self.open.pop()
        if match[1] != element.name:
            line, column = Places(self.text).at(element.start)
            raise self.wrong(
                f"</{match[1]}> does not close <{element.name}>",
                start,
                match.end() - start,
                f"<{element.name}> was opened in line {line}, column {column}",
            )
        element.text = "".join(self.parts.pop())
        element.close_start, element.end = start, match.end()
        return match.end()

    def declaration_or_comment(self, start: int) -> int:
        text = self.text
        if text.startswith("<!--", start):
            return self.comment(start)
        if text.startswith("<![CDATA[", start) and self.open:
            end = text.find("]]>", start)
            if end < 0:
                raise self.wrong("a CDATA section is never closed", start, 9)
            self.parts[-1].append(normalised(text[start + 9 : end]))
            return end + 3
        if text.startswith("<!DOCTYPE", start):
            raise error_at(
                text,
                DOCTYPE_OR_ENTITY,
                "a document type declaration (DOCTYPE) is refused",
                (start, 9),
                "it could define entities that change what the file says; pbx.xml needs none",
            )
        raise self.wrong('"<!" that starts neither a comment nor a CDATA section', start, 2)

    def comment(self, start: int) -> int:
        end = self.text.find("--", start + 4)
        if end < 0:
            raise self.wrong("a comment is never closed", start, 4)
        if not self.text.startswith("-->", end):
            raise self.wrong('"--" is not allowed inside a comment', end, 2)
        self.no_element()
        return end + 3

    def instruction(self, start: int) -> int:
        match = compiled(_INSTRUCTION).match(self.text, start)
        if match is None:
            raise self.wrong("a malformed processing instruction", start, 2)
        if match[1].lower() == "xml":
            message = "an XML declaration is only allowed at the very start of the file"
            raise self.wrong(message, start, 5)
        self.check_name(match[1], match.start(1))
        self.no_element()
        return match.end()

    def check_name(self, name: str, start: int) -> None:
        if not is_name(name):
            raise self.wrong(f'XML does not allow "{name}" as a name', start, len(name))

    def no_element(self) -> None:
        if self.open:
            self.open[-1].children += 1

    def characters(self, start: int, end: int) -> None:
        text = self.text
        if not self.open:
            self.outside(start, end)
        elif self.simple or "]]>" not in text[start:end]:
            self.parts[-1].append(resolved(text, start, end))
        else:
            message = '"]]>" is not allowed in a value'
            raise self.wrong(message, text.find("]]>", start), 3, 'write "]]&gt;"')

    def outside(self, start: int, end: int) -> None:
        stray = self.text[start:end].lstrip(WHITE_SPACE)
        if stray:
            offset = end - len(stray)
            where = "after" if self.elements else "before"
            shown = len(stray.split()[0]) if stray.split() else 1
            raise self.wrong(f"text {where} the root element", offset, shown)

    def finished(self) -> Scan:
        if self.open:
            element = self.open[-1]
            message = f"<{element.name}> is never closed"
            raise self.wrong(message, element.start, element.open_end - element.start)
        if not self.elements:
            raise error_at(self.text, NO_ROOT, "the file has no root element", (0, 0))
        return Scan(self.elements[0], self.elements)

    def wrong(self, message: str, start: int, length: int = 1, hint: str = "") -> PbxXmlError:
        return error_at(self.text, NOT_WELL_FORMED, message, (start, length), hint)


def _bad_tag(text: str, start: int) -> PbxXmlError:
    """What exactly is wrong with the start tag at `start`, found by walking through its pieces."""

    def at(message: str, offset: int, length: int = 1, hint: str = "") -> PbxXmlError:
        return error_at(text, NOT_WELL_FORMED, message, (offset, length), hint)

    name = compiled(_NAME).match(text, start + 1)
    if name is None:
        return at('a "<" that starts no tag', start, 1, 'write "&lt;" for the character itself')
    position = name.end()
    attribute = compiled(f"{_S}++{_ATTRIBUTE}")
    while (match := attribute.match(text, position)) is not None:
        position = match.end()
    rest = text[position:].lstrip(WHITE_SPACE)
    offset = len(text) - len(rest)
    if not rest or rest[0] == "<":
        message = f"the tag <{name[0]} is never closed"
        return at(message, start, 1 + len(name[0]), 'a ">" is missing')
    spoiled = compiled(f"({_NAME})({_EQUALS})?").match(rest)
    if spoiled is None or offset == position:
        return at(f"a character that does not belong into the tag <{name[0]}>", offset)
    if spoiled[2] is None:
        message = f'the attribute "{spoiled[1]}" has no value'
        return at(message, offset, len(spoiled[1]))
    value = offset + spoiled.end()
    if text[value : value + 1] in ('"', "'"):
        message = f'the value of the attribute "{spoiled[1]}" is never closed or holds a "<"'
        return at(message, value)
    return at(f'the value of the attribute "{spoiled[1]}" is not quoted', value)
