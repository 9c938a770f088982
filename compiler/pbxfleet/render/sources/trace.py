"""The sources of lines of one rendered file: the values whose change changes them.

Nothing keeps a record while files are rendered, which would slow every compile down. When somebody asks,
the one file is rendered again and again with other values in the place of some, in halves of halves: a
line comes from exactly those values without which it would be another line. So it holds for every kind of
file, with its conditions, sums and joined lists, whatever renders it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.core.lines import matched
from pbxfleet.core.span import Span
from pbxfleet.model.source_map import LineSources, Source, TemplateLine, place_of
from pbxfleet.model.target import Resource
from pbxfleet.render.line_marks import Traced, traced
from pbxfleet.render.sources.levers import Lever, Makings, levers
from pbxfleet.render.sources.rendering import Wanted, render_file

GONE = frozenset({-1})
NOBODY_KNOWS = frozenset({-2})


class TracedFile(NamedTuple):
    """The file as it is rendered now, and the lines of it that were asked for."""

    resource: Resource
    content: bytes
    length: int
    lines: tuple[LineSources, ...]


class _Found(NamedTuple):
    """What was found so far: sources by index of line, and those without which there is no file."""

    of_line: dict[int, list[Source]]
    of_file: list[Source]


def lines_of(content: bytes) -> list[str]:
    """The lines of a text file as people count them; a byte-order mark is not part of the first."""
    text = content.decode("utf-8-sig")
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def trace(
    makings: Makings,
    wanted: Wanted,
    templates: Mapping[str, bytes],
    numbers: Collection[int] | None,
) -> TracedFile | None:
    """The sources of the lines with these numbers (None: of all); None if there is no such file."""
    with traced() as log:
        made = render_file(makings.stage, wanted, templates)
    if made is None:
        return None
    lines = lines_of(made.content)
    asked = range(1, len(lines) + 1) if numbers is None else sorted(numbers)
    search = _Search(makings, wanted, templates, lines)
    search.among(levers(makings, wanted.owner), frozenset(n - 1 for n in asked))
    written = _written_by(log, lines)
    of_file = [source.span for source in search.found.of_file]
    declared = tuple(
        {str(span): span for span in [*map(place_of, made.resource.origin), *of_file]}.values()
    )
    return TracedFile(
        made.resource,
        made.content,
        len(lines),
        tuple(
            _line(number, lines, search.found.of_line.get(number - 1, ()), written, declared)
            for number in asked
        ),
    )


def _line(
    number: int,
    lines: Sequence[str],
    sources: Iterable[Source],
    written: Sequence[tuple[TemplateLine, ...]],
    declared: tuple[Span, ...],
) -> LineSources:
    by = written[number - 1] if written else ()
    return LineSources(number, lines[number - 1], tuple(dict.fromkeys(sources)), by, declared)


class _Search:
    """Halves of halves: time goes with the number of values that matter, not with that of all."""

    def __init__(
        self, makings: Makings, wanted: Wanted, templates: Mapping[str, bytes], lines: list[str]
    ) -> None:
        self._stage = makings.stage
        self._wanted = wanted
        self._templates = templates
        self._lines = lines
        self.found = _Found({}, [])

    def among(self, group: Sequence[Lever], asked: frozenset[int]) -> None:
        """Note which levers of the group change which of the lines asked for."""
        if not group:
            return
        try:
            changed = self._changed(group)
        except Exception:  # a made-up value may be impossible in any way
            changed = NOBODY_KNOWS
        if changed.isdisjoint(asked) and changed not in (GONE, NOBODY_KNOWS):
            return
        if len(group) > 1:
            half = len(group) // 2
            self.among(group[:half], asked)
            self.among(group[half:], asked)
        elif changed == GONE:
            self.found.of_file.extend(group[0].sources)
        else:
            for index in sorted(changed & asked):
                self.found.of_line.setdefault(index, []).extend(group[0].sources)

    def _changed(self, group: Sequence[Lever]) -> frozenset[int]:
        """Indices of lines that these levers change."""
        stage = self._stage
        for lever in group:
            stage = lever.turn(stage)
        made = render_file(stage, self._wanted, self._templates)
        return GONE if made is None else changed_lines(self._lines, lines_of(made.content))


def changed_lines(before: Sequence[str], after: Sequence[str]) -> frozenset[int]:
    """Indices of the lines of `before` that `after` does not have at their place in the order."""
    first, end = 0, min(len(before), len(after))
    while first < end and before[first] == after[first]:
        first += 1
    last = 0
    while last < end - first and before[-1 - last] == after[-1 - last]:
        last += 1
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    changed: set[int] = set()
    for tag, start, stop, _, _ in matched(old, new).get_opcodes():
        if tag in ("replace", "delete"):
            changed.update(range(first + start, first + stop))
    return frozenset(changed)


def _written_by(
    log: Iterable[Traced], lines: Sequence[str]
) -> tuple[tuple[TemplateLine, ...], ...]:
    """What the log has of this text, or of one that differs in a few characters: a proof was put in."""
    best: Traced | None = None
    most = 0
    for text in log:
        own = text.text.split("\n")
        if len(own) - 1 != len(lines):
            continue
        same = sum(a == b for a, b in zip(own, lines, strict=False))
        if same > most:
            best, most = text, same
    return () if best is None or 2 * most < len(lines) else best.lines
