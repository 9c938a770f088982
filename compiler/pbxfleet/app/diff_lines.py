"""The lines of two rendered files that differ, with a little of what is around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pbxfleet.core.lines import matched
from pbxfleet.model.revisions import FileLines, LineDelta

AROUND = 1  # lines before and after each difference
MOST_LINES = 60
MOST_COMPARED = 1000  # lines between the first and the last difference: more takes too long


def line_deltas(resource: str, before: bytes, after: bytes) -> FileLines:
    """The first differing lines of a file, in order; what is no text has no lines to show."""
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        return FileLines(resource, (), 1)
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    if max(len(old), len(new)) - start - end > MOST_COMPARED:
        return FileLines(resource, (), max(len(old), len(new)) - start - end)
    start, end = max(start - AROUND, 0), max(end - AROUND, 0)
    found = list(_deltas(old[start : len(old) - end], new[start : len(new) - end], start))
    shown = found[:MOST_LINES]
    left = sum(1 for delta in found[MOST_LINES:] if delta.sign != " ")
    return FileLines(resource, tuple(shown), left)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are the same at the start."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _lines(content: bytes) -> list[str] | None:
    """Lines without their ends, which are told apart where they are not a line feed."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    lines = text.split("\n")
    if lines[-1]:
        lines[-1] += " (no line feed at the end of the file)"
    else:
        lines.pop()
    return lines


def _deltas(old: Sequence[str], new: Sequence[str], start: int) -> Iterator[LineDelta]:
    for group in matched(old, new, in_place=True).get_grouped_opcodes(AROUND):
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (LineDelta(" ", start + j + 1, new[j]) for j in range(j1, j2))
            else:
                yield from (LineDelta("-", start + i + 1, old[i]) for i in range(i1, i2))
                yield from (LineDelta("+", start + j + 1, new[j]) for j in range(j1, j2))
