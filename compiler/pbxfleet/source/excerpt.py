"""Diagnostics for people: where, what, the line with a mark, related places, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pbxfleet.core.diagnostics import Diagnostic, Severity, in_order
from pbxfleet.core.span import Span
from pbxfleet.source.screen import cells, visible
from pbxfleet.source.text import split_lines

# Columns of a source line that are shown, and how many of them stand before the mark at least.
_SHOWN = 100
_BEFORE = 30
_CUT = "..."

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.ADVICE: "36"}


def render(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], *, colour: bool = False
) -> str:
    """All diagnostics in order of their places, an empty line between two; ends with a line end.

    `texts` has the text of the files by the name in the spans (`text.display_text`); a diagnostic
    whose file is not in it has no source line. Nothing that is printed can move the cursor.
    """
    lines = _Lines(texts)
    parts = [_one(diagnostic, lines, colour=colour) for diagnostic in in_order(diagnostics)]
    return "\n".join(parts)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`3 errors, 1 warning in 2 files`; empty if there is nothing to sum up."""
    found = in_order(diagnostics)
    counts = [
        _count(sum(d.severity is severity for d in found), word)
        for severity, word in (
            (Severity.ERROR, "error"),
            (Severity.WARNING, "warning"),
            (Severity.ADVICE, "piece of advice"),
        )
        if any(d.severity is severity for d in found)
    ]
    files = {d.span.file for d in found if d.span is not None}
    where = f" in {_count(len(files), 'file')}" if files else ""
    return ", ".join(counts) + where


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Diagnostics in order as plain data; places are 1-based and null where there is none."""
    return [
        {
            "code": diagnostic.code,
            "severity": diagnostic.severity.value,
            "message": diagnostic.message,
            **_place_json(diagnostic.span),
            "related": [
                {**_place_json(span), "message": text} for span, text in diagnostic.related
            ],
            "hint": diagnostic.hint,
        }
        for diagnostic in in_order(diagnostics)
    ]


def _place_json(span: Span | None) -> dict[str, str | int | None]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    return dict(span._asdict())


def _count(number: int, word: str) -> str:
    if number == 1:
        return f"1 {word}"
    plural = word.replace("piece ", "pieces ") if " " in word else word + "s"
    return f"{number} {plural}"


class _Lines:
    """Lines of the files, split once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._split: dict[str, list[str]] = {}

    def line(self, span: Span) -> str | None:
        if span.file not in self._texts:
            return None
        if span.file not in self._split:
            self._split[span.file] = split_lines(self._texts[span.file])
        lines = self._split[span.file]
        return lines[span.line - 1] if span.line <= len(lines) else None


def _one(diagnostic: Diagnostic, lines: _Lines, *, colour: bool) -> str:
    word = f"{diagnostic.severity.value}[{diagnostic.code}]"
    if colour:
        word = f"\x1b[1;{_COLOURS[diagnostic.severity]}m{word}\x1b[0m"
    place = f"{visible(str(diagnostic.span))}: " if diagnostic.span else ""
    printed = [f"{place}{word}: {visible(diagnostic.message)}"]
    if diagnostic.span is not None:
        line = lines.line(diagnostic.span)
        if line is not None and line.strip():
            printed += _marked(line, diagnostic.span, colour=colour)
    printed += [f"{visible(str(span))}: note: {visible(text)}" for span, text in diagnostic.related]
    if diagnostic.hint:
        printed.append(f"hint: {visible(diagnostic.hint)}")
    return "\n".join(printed) + "\n"


def _marked(line: str, span: Span, *, colour: bool) -> list[str]:
    """The source line and the line with the mark below it; a mark ends with its line."""
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    first, last = _window(line, start, end)
    shown = cells(line[first:last])
    before = _CUT if first else ""
    after = _CUT if last < len(line) else ""
    text = before + "".join(character for character, _ in shown) + after
    indent = len(before) + sum(size for _, size in shown[: start - first])
    mark = "^" * max(1, sum(size for _, size in shown[start - first : max(end, start) - first]))
    if colour:
        mark = f"\x1b[1;31m{mark}\x1b[0m"
    return [f"{span.line:>5} | {text}".rstrip(), f"{'':5} | {' ' * indent}{mark}"]


def _window(line: str, start: int, end: int) -> tuple[int, int]:
    """Which characters of a long line are shown: those around the start of the mark."""
    if len(line) <= _SHOWN:
        return 0, len(line)
    first = max(0, min(start - _BEFORE, len(line) - _SHOWN))
    if end <= _SHOWN:
        first = 0
    return first, min(len(line), first + _SHOWN)
