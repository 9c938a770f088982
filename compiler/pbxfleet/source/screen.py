"""How text looks on a terminal: which characters show, how wide they are."""

from __future__ import annotations

import unicodedata

TAB_WIDTH = 4


def visible(text: str) -> str:
    """The text, escaped where it moves the cursor, hides, or changes the order of reading.

    Line ends too: the result is one line. A tab stays a tab.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def clipped(text: str, length: int = 300) -> str:
    """The start of a text that may be of any length, for a message about it."""
    return visible(text if len(text) <= length else text[:length] + "...")


def _visible(character: str) -> str:
    if character == "\t" or character.isprintable():
        return character
    # Joiners and variation selectors belong to what is printed around them (emoji, Indic scripts).
    if character in "\u200c\u200d":
        return character
    if character == "\xa0" or unicodedata.category(character) == "Zs":
        return f"\\u{ord(character):04x}"
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def width(text: str) -> int:
    """Columns that the text takes: two for wide characters, none for those that join others."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(text: str) -> list[tuple[str, int]]:
    """Each character as it is printed, with its width; tabs become spaces up to the next stop."""
    found: list[tuple[str, int]] = []
    column = 0
    for character in text:
        shown = visible(character)
        if character == "\t":
            shown = " " * (TAB_WIDTH - column % TAB_WIDTH)
        shown_width = width(shown)
        found.append((shown, shown_width))
        column += shown_width
    return found
