"""The sources of the lines that a diff shows: of the first of each fold, and of so many files at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.app.two_targets import Pair, TwoTargets
from pbxfleet.model.revisions import Effect, FileLines
from pbxfleet.report.diff_blocks import Block
from pbxfleet.report.summary import counted

if TYPE_CHECKING:
    from pbxfleet.app.source_map import SourceMap
    from pbxfleet.core.span import Span
    from pbxfleet.model.source_map import LineSources


class Most(NamedTuple):
    """How many files sources are looked for in, on how many hosts, which are compiled for it, and for how
    many of the lines that each side of a file has.

    On both sides a file is rendered some dozens of times, and ten times more for each line that has a
    source of its own. With 40 instances on a host it takes 0.2 s of a processor for a file (7 ms more for
    each rendering of a firewall) and 1 s for a host.
    """

    files: int
    hosts: int
    lines: int


FULL, LIGHT = Most(20, 5, 10), Most(3, 1, 4)


def with_origins(
    blocks: Sequence[Block], pairs: Sequence[Pair], targets: TwoTargets, *, whole: bool
) -> tuple[list[Block], tuple[str, ...]]:
    """The same blocks; the first effect of each has the sources of its lines. Notes say what was left out.

    Where no line of a file differs nothing is read. `whole` is as in `TwoTargets.source_map`; without it
    less is looked for, too.
    """
    asked = _Origins(pairs, targets, whole)
    found = []
    for block in blocks:
        first, *others = block.effects
        found.append(block._replace(effects=(asked.of_effect(first), *others)))
    return found, tuple(asked.notes())


class _Origins:
    """Asks the two source maps of each host; each is made once, when it is needed."""

    def __init__(self, pairs: Sequence[Pair], targets: TwoTargets, whole: bool) -> None:
        self._pairs = {pair.sides.host: pair for pair in pairs}
        self._targets = targets
        self._whole = whole
        self._most = FULL if whole else LIGHT
        self._hosts: set[str] = set()
        self._maps: dict[tuple[str, bool], SourceMap | None] = {}
        self._texts: dict[tuple[str, bool], tuple[bytes, ...]] = {}
        self._asked = self._left = self._unknown = self._lines_left = 0

    def of_effect(self, effect: Effect) -> Effect:
        """With the sources of its lines, as far as there is room."""
        if not effect.lines:
            return effect
        return effect._replace(lines=tuple(self._of_file(effect.host, f) for f in effect.lines))

    def notes(self) -> Iterator[str]:
        """What was left out."""
        if self._left:
            yield f"{counted(self._left, 'further file')}: no sources of lines were looked for"
        if self._lines_left:
            yield (
                f"{counted(self._lines_left, 'further line')}: no sources were looked for beyond "
                f"the first {self._most.lines} of a file; pbxfleet explain tells those of a line"
            )
        if self._unknown:
            yield (
                f"{counted(self._unknown, 'file')}: the sources of lines are not known, since "
                "rendered/ is not what desired/ compiles to here, or would take long"
            )

    def _of_file(self, host: str, file: FileLines) -> FileLines:
        if not any(delta.sign != " " for delta in file.lines):
            return file
        if self._asked >= self._most.files or len({*self._hosts, host}) > self._most.hosts:
            self._left += 1
            return file
        self._asked += 1
        self._hosts.add(host)
        old = self._of_side(host, file, before=True)
        new = self._of_side(host, file, before=False)
        if old is None or new is None:
            self._unknown += 1
        by = {"-": old or {}, "+": new or {}, " ": {}}
        told = (d._replace(origin=by[d.sign].get(d.number, ())) for d in file.lines)
        return file._replace(lines=tuple(told))

    def _of_side(
        self, host: str, file: FileLines, *, before: bool
    ) -> dict[int, tuple[str, ...]] | None:
        """Places by number of line, None where they cannot be told."""
        from pbxfleet.app.source_map import RenderedFile

        numbers = [d.number for d in file.lines if d.sign == ("-" if before else "+")]
        if not numbers:
            return {}
        pair = self._pairs[host]
        key = host, before
        if key not in self._maps:
            self._maps[key] = self._targets.source_map(pair, before=before, whole=self._whole)
        known, tree = self._maps[key], pair.before if before else pair.after
        if known is None or tree is None:
            return None
        name = tree.target().resources[file.resource].source
        found = known.lines(RenderedFile(host, name), numbers[: self._most.lines]).lines
        self._lines_left += max(len(numbers) - self._most.lines, 0)
        return {line.number: self._places(line, before=before) for line in found}

    def _places(self, line: LineSources, *, before: bool) -> tuple[str, ...]:
        """Those of values and templates; what declares the file only where there are no others."""
        spans = line._replace(declared_by=()).spans or line.spans
        return tuple(map(str, sorted(spans, key=lambda s: not self._is_touched(s, before))))

    def _is_touched(self, span: Span, before: bool) -> bool:
        """Whether the other side has no such line."""
        own = self._lines(span.file, before)[span.line - 1 : span.line]
        return bool(own) and own[0] not in self._lines(span.file, not before)

    def _lines(self, name: str, before: bool) -> tuple[bytes, ...]:
        key = name, before
        if key not in self._texts:
            content = self._targets.read_file(name, before=before) or b""
            self._texts[key] = tuple(content.splitlines())
        return self._texts[key]
