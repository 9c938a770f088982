"""A look over TOML text before it is parsed: how deep it nests and how many values it holds.

The standard parser recurses for every bracket and takes time that grows with the square of the
length of a dotted key, so both are limited first. Only strings and comments have to be understood.
"""

from __future__ import annotations

import re

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.source.limits import MAX_DEPTH, MAX_VALUES, too_deep, too_many
from pbxfleet.source.text import SourceText

_TOKEN = re.compile(
    r"""
      (?P<long>   \"{3}(?:[^"\\]|\\.|""?(?!"))*+\"{3,5}
                | '{3}(?:[^']|''?(?!'))*+'{3,5}
                | \#[^\n]*+ )
    | (?P<endless> \"{3} | '{3} )
    | (?P<short>  "(?:[^"\\\n]|\\.)*+"
                | '[^'\n]*+' )
    | (?P<open>   [\[{] )
    | (?P<close>  [\]}] )
    | (?P<dot>    \. )
    | (?P<next>   [,=] )
    | (?P<line>   \n )
    | (?P<quote>  ["'] )
    """,
    re.VERBOSE | re.DOTALL,
)


def limit_problem(source: SourceText) -> Diagnostic | None:
    """SRC106 or SRC107 if the text is not fit for the parser, None if it is.

    Stops at a string that has no end: the parser goes no further either.
    """
    if _is_small(source.text):
        return None
    depth = dots = values = lines = 0
    for match in _TOKEN.finditer(source.text):
        kind = match.lastgroup
        if kind in ("endless", "quote"):
            return None
        depth += (kind == "open") - (kind == "close")
        dots = 0 if kind in ("open", "next", "line") else dots + (kind == "dot")
        values += kind in ("open", "dot", "next")
        lines += kind == "line"
        if depth > MAX_DEPTH or dots > MAX_DEPTH:
            return too_deep(source.span(match.start(), match.end()))
        if values > MAX_VALUES or lines > MAX_VALUES:
            return too_many(source.span(match.start(), match.end()))
    return None


def _is_small(text: str) -> bool:
    """Whether no limit can be passed, by counting only: true of nearly every file."""
    brackets = text.count("[") + text.count("{")
    return len(text) <= MAX_VALUES and brackets <= MAX_DEPTH and text.count(".") <= MAX_DEPTH


def open_bracket(text: str, end: int) -> int | None:
    """Offset of the innermost bracket that is open at `end`, None if none is."""
    opened = _open_brackets(text, end)
    return opened[-1] if opened else None


def opened_above(source: SourceText, offset: int) -> int | None:
    """Offset of the outermost bracket that is open on a line above, None if none is."""
    opened = _open_brackets(source.text, source.line_bounds(offset)[0])
    return opened[0] if opened else None


def _open_brackets(text: str, end: int) -> list[int]:
    opened: list[int] = []
    for match in _TOKEN.finditer(text, 0, end):
        if match.lastgroup == "open":
            opened.append(match.start())
        elif match.lastgroup == "close" and opened:
            opened.pop()
    return opened


def endless_text(text: str) -> int | None:
    """Offset of the quotes that open a string without an end, None if every string has one."""
    found = (m.start() for m in _TOKEN.finditer(text) if m.lastgroup in ("endless", "quote"))
    return next(found, None)


_LONG_NUMBER = re.compile(r"(?<![\w\"'])[+-]?\d[\d_]{640,}")


def long_number(text: str) -> tuple[int, int] | None:
    """Offsets of the first number with more digits than Python converts, None if there is none."""
    match = _LONG_NUMBER.search(text)
    return match.span() if match else None
