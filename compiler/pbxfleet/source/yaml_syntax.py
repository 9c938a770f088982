"""What the YAML parser complains about, in the words of somebody who edits a fleet."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span, whole_file
from pbxfleet.source.text import SourceText


class _Wording(NamedTuple):
    """A part of the parser's own text, what is said instead, and what to do."""

    parser_text: str
    message: str
    hint: str


_QUOTE = "put the whole value in quotes"

# In brackets, YAML takes a colon in front of `::/0` or `::1` for one without a key.
_COLONS = re.compile(r":[^\s,\]}]+")

# Texts of libyaml 0.2 and of PyYAML's own parser, which differ in a few words.
_WORDINGS = (
    _Wording(
        "mapping values are not allowed",
        "this line does not fit the line above",
        "keys of one table start in one column; is a colon missing on the line above?",
    ),
    _Wording(
        "could not find expected ':'",
        "a key without a colon",
        'write "key: value", with a space after the colon',
    ),
    _Wording("could not find expected", "a key without a colon", 'write "key: value"'),
    _Wording(
        "sequence entries are not allowed",
        'a "-" is not allowed here',
        "a list starts on the line below its key, or is written as [a, b]",
    ),
    _Wording(
        "cannot start any token",
        "a value cannot start with this character",
        _QUOTE,
    ),
    _Wording("found unexpected end of stream", "the text in quotes has no end", "add the quote"),
    _Wording("unknown escape character", "this escape is not known", "double the backslash"),
    _Wording(
        "did not find expected hexadecimal", "this escape is not complete", "check the digits"
    ),
    _Wording("expected escape sequence of", "this escape is not complete", "check the digits"),
    _Wording("invalid Unicode character escape", "this escape is no character", "check the digits"),
    _Wording(
        "alphabetic or numeric character",
        'a value cannot start with "*" or "&"',
        _QUOTE,
    ),
    _Wording(
        "incompatible YAML document", "this YAML version is not known", "remove the %YAML line"
    ),
    _Wording(
        "document start",
        "text after the end of the document",
        "one file holds one host or instance",
    ),
    _Wording("',' or '}'", 'the "{" is not closed, or a comma is missing', 'add "," or "}"'),
    _Wording("',' or ']'", 'the "[" is not closed, or a comma is missing', 'add "," or "]"'),
    _Wording(
        "'-' indicator",
        "a key between the entries of a list",
        "lists and keys cannot be mixed at one indentation",
    ),
    _Wording("block end", "this line does not fit the lines above", "check the indentation"),
    _Wording("expected key", "this line does not fit the lines above", "check the indentation"),
    _Wording("node content", "a value is missing here", "write a value, or remove the key"),
)

_SECOND_COLON = _Wording("", "a second colon in one value", "put the whole value in quotes")
_NO_KEY = _Wording("", "there is no key before the colon", "write a key")
_COLON_FIRST = _Wording("", 'a value that starts with ":" needs quotes', "")
_AFTER_VALUE = _Wording("", "text after the end of the value", _QUOTE)
_TAB = _Wording("", "a tab stands where YAML wants spaces", "indent with spaces")


def syntax_problem(source: SourceText, error: Any) -> Diagnostic:
    """SRC110, or SRC111 for a tab, at the place the parser gives, with the place it began at."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Diagnostic("SRC110", f"not YAML: {error}", whole_file(source.file))
    offset = min(mark.index, len(source.text))
    tab = _tab_before(source, offset)
    if tab is not None:
        return Diagnostic("SRC111", _TAB.message, source.span(tab, tab + 1), hint=_TAB.hint)
    problem = str(error.problem or error.context or "")
    began = getattr(error, "context_mark", None)
    if "end of stream" in problem and began is not None:
        offset = began.index  # the quote that is never closed says more than the end of the file
    wording = _wording(source, problem, offset)
    return Diagnostic(
        "SRC110",
        wording.message,
        source.character(offset),
        related=_related(source, error, offset),
        hint=wording.hint,
    )


def _wording(source: SourceText, problem: str, offset: int) -> _Wording:
    start, _ = source.line_bounds(offset)
    before = source.text[start:offset].strip()
    if "expected key" in problem or "block end" in problem:
        if before and before[-1] in "]}\"'":
            return _AFTER_VALUE
        if not before and source.text[offset : offset + 1] == ":":
            return _NO_KEY
    if "mapping values" in problem and ": " in before:
        return _SECOND_COLON
    if "node content" in problem and (value := _COLONS.match(source.text, offset)):
        return _COLON_FIRST._replace(hint=f'write "{value[0]}"')
    for wording in _WORDINGS:
        if wording.parser_text in problem:
            return wording
    return _Wording("", f"not YAML: {problem}", "")


def _tab_before(source: SourceText, offset: int) -> int | None:
    """Offset of a tab in the indentation of the line or at `offset`, None if there is none."""
    start, end = source.line_bounds(offset)
    line = source.text[start:end]
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    tab = indentation.find("\t")
    if tab >= 0:
        return start + tab
    return offset if source.text[offset : offset + 1] == "\t" else None


def _related(source: SourceText, error: Any, offset: int) -> tuple[tuple[Span, str], ...]:
    began = getattr(error, "context_mark", None)
    if began is None or began.index >= offset:
        return ()
    context = str(error.context)
    for word, text in (("flow", "opened here"), ("quoted", "the text begins here")):
        if word in context:
            return ((source.character(began.index), text),)
    return ()
