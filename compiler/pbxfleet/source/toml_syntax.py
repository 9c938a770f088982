"""What the TOML parser complains about, in the words of somebody who edits a fleet."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.source.screen import clipped
from pbxfleet.source.text import SourceText
from pbxfleet.source.toml_scan import endless_text, open_bracket, opened_above

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class _Wording(NamedTuple):
    """A part of the parser's own text, what is said instead, and what to do."""

    parser_text: str
    message: str
    hint: str


_ENDLESS = _Wording("Unterminated", "the text in quotes has no end", "add the quote")
_ENDLESS_TEXTS = ("Unterminated string", 'Expected "', "Illegal character '\\n'")

_TWICE = (
    "Cannot declare",
    "Cannot overwrite",
    "Cannot mutate",
    "Cannot redefine",
    "Duplicate",
)

_WORDINGS = (
    _Wording(
        "Invalid statement",
        "a line starts with a key, a [table] or a comment",
        "keys are plain words or stand in quotes",
    ),
    _Wording("Expected '='", 'a key without "="', "write key = value, or [key] for a table"),
    _Wording(
        "Invalid initial character for a key part",
        "a key cannot start with this character",
        "keys are plain words or stand in quotes",
    ),
    _Wording(
        "Expected newline or end of document",
        "text after the end of the value",
        "one key a line; text that is not a number, true or false stands in quotes",
    ),
    _Wording("Expected ']'", 'the "]" of the table is missing', 'add "]"'),
    _Wording("Expected ']]'", 'the "]]" of the table is missing', 'add "]]"'),
    _Wording("Unclosed array", 'the "[" is not closed, or a comma is missing', 'add "," or "]"'),
    _Wording(
        "Unclosed inline table",
        'the "{" is not closed on its line, or a comma is missing',
        'add "," or "}"; a table in braces stands on one line',
    ),
    _Wording("Unescaped", "this escape is not known", "double the backslash, or use single quotes"),
    _Wording("Invalid hex value", "this escape is not complete", "check the digits"),
    _Wording("Escaped character", "this escape is no character", "check the digits"),
    _ENDLESS,
    _Wording("Illegal character", "this character is not allowed here", "delete it"),
    _Wording("Found invalid character", "this character is not allowed here", "delete it"),
    _Wording("Invalid date", "there is no such date or time", "text stands in quotes"),
    _Wording("Invalid value", "this is not a value", "text stands in quotes"),
    _Wording("Missing value", "a value is missing here", "write a value, or remove the key"),
)

# A run of characters without quotes, brackets and blanks: a word, or what was meant as one.
_BARE = re.compile(r"[^\s,=#\[\]{}\"']+")
# A [table] or a key = value, which cannot stand inside the brackets of an array.
_LOOKS_LIKE_NEXT = re.compile(r"^\s*(\[+[^\[\],]*\]+\s*(#.*)?$|[\w.\"-]+\s*=)")
_LEADING_ZERO = re.compile(r"0[0-9]{1,17}")


def error_offset(source: SourceText, error: tomllib.TOMLDecodeError) -> int:
    """Offset that the parser points at; the end of the text if it names none."""
    match = _PLACE.search(str(error))
    if match is None or match.group(1) is None:
        return len(source.text)
    return source.offset(int(match.group(1)), int(match.group(2)))


def is_conflict(error: tomllib.TOMLDecodeError) -> bool:
    """Whether the complaint is that something is defined twice."""
    return str(error).startswith(_TWICE)


def syntax_problem(source: SourceText, error: tomllib.TOMLDecodeError, offset: int) -> Diagnostic:
    """SRC120 at the place that the parser gives, with the bracket that is open there."""
    problem = _PLACE.sub("", str(error))
    if opened_above(source, offset) is not None and _LOOKS_LIKE_NEXT.search(source.line(offset)):
        problem = "Unclosed array"
    if "Invalid value" in problem or "newline or end of document" in problem:
        bare = _bare_text(source, offset)
        if bare is not None:
            return bare
    if (
        "Invalid value" in problem
        and not source.text[offset : source.line_bounds(offset)[1]].strip()
    ):
        problem = "Missing value"
    if any(text in problem for text in _ENDLESS_TEXTS):
        problem = "Unterminated"
        offset = endless_text(source.text) or offset
    for wording in _WORDINGS:
        if wording.parser_text in problem:
            break
    else:
        wording = _Wording("", f"not TOML: {problem}", "")
    opened = opened_above(source, offset) or open_bracket(source.text, offset)
    related = () if opened is None else ((source.character(opened), "opened here"),)
    return Diagnostic(
        "SRC120", wording.message, source.character(offset), related=related, hint=wording.hint
    )


def _bare_text(source: SourceText, offset: int) -> Diagnostic | None:
    """`services = systemd`, `address = 203.0.113.1`, `port = 0123`: text without its quotes.

    The parser reads as much of it as is a number or a date and calls the rest superfluous.
    """
    start, end = source.line_bounds(offset)
    match = next((m for m in _BARE.finditer(source.text, start, end) if m.end() > offset), None)
    if match is None or match.start() > offset or source.text[start:offset].strip() == "":
        return None
    word = match.group()
    if _LEADING_ZERO.fullmatch(word):
        message, hint = "a number does not start with 0", f'write {int(word)} or "{word}"'
    elif match.start() == offset and source.text[:offset].rstrip()[-1:] not in "=,[":
        return None
    else:
        message, hint = "text must stand in quotes", f'write "{clipped(word, 60)}"'
    return Diagnostic("SRC120", message, source.span(*match.span()), hint=hint)
