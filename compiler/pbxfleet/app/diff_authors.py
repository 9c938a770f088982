"""The authors of what a diff shows: only of the places that are shown, and of one for each fold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pbxfleet.model.revisions import Named, Written
from pbxfleet.report.diff_blocks import Block, shown_line_places, shown_places
from pbxfleet.vcs.authors import Authors
from pbxfleet.vcs.revisions import Revisions

MOST_FILES = 60  # each costs a process of git; places in further files stand without a commit


def authors(
    revisions: Revisions, before: Named, after: Named, blocks: Iterable[Block]
) -> tuple[Mapping[str, Written], Mapping[str, Written]]:
    """By place on the second side, the commit that wrote what is shown; then by place on the first side.

    The latter is the commit that took it out, or the one that wrote it where it is still there.
    """
    asked = Authors(revisions)
    found: dict[str, Written] = {}
    removed: dict[str, Written] = {}
    there: dict[str, dict[int, list[str]]] = {}
    gone: list[str] = []
    for place, is_gone in dict.fromkeys(_places(blocks)):
        if is_gone:
            gone.append(place)
        else:
            file, line = _split(place)
            there.setdefault(file, {}).setdefault(line, []).append(place)
    for file, lines in list(there.items())[:MOST_FILES]:
        written = asked.of_lines(after.object, file, lines)
        found |= {place: by for line, by in written.items() for place in lines.get(line, ())}
    for place in gone[:MOST_FILES]:
        file, line = _split(place)
        by = asked.of_removal(before.object, after.object, file, line)
        if by is None:
            by = asked.of_lines(before.object, file, [line]).get(line)
        if by is not None:
            removed[place] = by
    return found, removed


def _places(blocks: Iterable[Block]) -> Iterator[tuple[str, bool]]:
    """Those of lines come last, since there may be many."""
    blocks = list(blocks)
    for shown in (shown_places, shown_line_places):
        for places in (places for block in blocks for places in shown(block)):
            if _split(places.one)[1]:
                yield places.one, places.is_gone


def _split(place: str) -> tuple[str, int]:
    """File and line of `desired/fleet.toml:19:16`; line 0 where it is no place in a file."""
    file, _, rest = place.partition(":")
    line = rest.partition(":")[0]
    return file, int(line) if line.isascii() and line.isdecimal() else 0
