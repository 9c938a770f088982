"""Which line of which template wrote each line of a text, told by marks in a second rendering.

A mark is one character of a private plane of Unicode before each piece that a template writes; jinja2 numbers
its tokens with the lines of the template. Without the marks the text is the real one, or nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from jinja2 import Environment
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from pbxfleet.model.source_map import TemplateLine

FIRST = 0xF0000  # the first character of plane 15, which is for private use as plane 16 is
LAST = 0x10FFFD


class LineMarks(Extension):
    """Puts the marks into templates while they are read; `places` has the template and line of each."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.places: list[tuple[str, int]] = []
        self._known: dict[tuple[str, int], str] = {}

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """The tokens with a mark before every expression and every line of text."""
        name = stream.name or ""
        for token in stream:
            if token.type == "data":
                lines = enumerate(_with_ends(token.value), token.lineno)
                marked = (self._mark(name, number) + line for number, line in lines)
                yield Token(token.lineno, "data", "".join(marked))
                continue
            if token.type == "variable_begin":
                yield Token(token.lineno, "data", self._mark(name, token.lineno))
            yield token

    def _mark(self, name: str, line: int) -> str:
        known = self._known.get((name, line))
        if known is None:
            known = self._known[name, line] = chr(FIRST + len(self.places))
            self.places.append((name, line))
        return known


class Traced(NamedTuple):
    """A text as it was rendered, and for each of its lines the lines of templates that wrote it."""

    text: str
    lines: tuple[tuple[TemplateLine, ...], ...]


_log: ContextVar[list[Traced] | None] = ContextVar("log", default=None)


@contextmanager
def traced() -> Iterator[list[Traced]]:
    """While it is open, every text of the program's own templates is added to the list."""
    log: list[Traced] = []
    token = _log.set(log)
    try:
        yield log
    finally:
        _log.reset(token)


def is_traced() -> bool:
    """Whether somebody wants to know."""
    return _log.get() is not None


def note(text: str, marked: str, environment: Environment, file: str = "") -> None:
    """Remember the text and what its marks tell; `file` names a template of the repository."""
    log = _log.get()
    if log is None:
        return
    extension = environment.extensions[LineMarks.identifier]
    assert isinstance(extension, LineMarks)
    places = [TemplateLine(file or name, line, own=not file) for name, line in extension.places]
    if any(FIRST <= ord(c) <= LAST for c in text) or without_marks(marked) != text:
        return
    log.append(Traced(text, _by_line(marked, places)))


def _with_ends(text: str) -> list[str]:
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def without_marks(marked: str) -> str:
    """The text itself."""
    return "".join(c for c in marked if not FIRST <= ord(c) <= LAST)


def _by_line(marked: str, places: Sequence[TemplateLine]) -> tuple[tuple[TemplateLine, ...], ...]:
    """A line without a mark of its own is the rest of a value with several lines."""
    found: list[tuple[TemplateLine, ...]] = []
    last: tuple[TemplateLine, ...] = ()
    for line in marked.split("\n"):
        marks = [places[ord(c) - FIRST] for c in line if FIRST <= ord(c) <= LAST]
        last = tuple(dict.fromkeys(marks)) or last[-1:]
        found.append(last)
    return tuple(found)
