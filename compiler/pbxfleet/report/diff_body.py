"""What a block of a diff says, as the lines of a diff: `-` before, `+` after, `@@` what it is in."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.model.plan import Change, FieldDelta, Verb
from pbxfleet.model.revisions import FileLines, RevisionDiff
from pbxfleet.model.target import Kind
from pbxfleet.report.diff_blocks import (
    Block,
    Places,
    fact_places,
    instance_places,
    line_places,
    places,
)
from pbxfleet.report.diff_text import line_text, place_text
from pbxfleet.report.paint import visible
from pbxfleet.report.plan_text import note_lines, shown
from pbxfleet.report.summary import counted


def body(block: Block, found: RevisionDiff) -> Iterator[str]:
    """The lines of one block, without its title."""
    pattern = block.pattern
    if pattern.was:
        yield f"  was {visible(pattern.was)}"
    if pattern.action in (Verb.CREATE, Verb.REMOVE, Verb.MOVE) and not block.is_of_host:
        yield f"  {place_text(instance_places(block), found)}"
    lines = {file.resource: file for file in pattern.lines}
    for number, change in enumerate(pattern.changes):
        yield from _change(block, number, change, lines.get(change.resource), found)
    if pattern.facts:
        yield "@@ declared @@"
    for number, fact in enumerate(pattern.facts):
        yield from _field(fact, fact_places(block, number), found)
    yield from (f"! {line}" for line in note_lines(pattern.notes))


def _change(
    block: Block, number: int, change: Change, lines: FileLines | None, found: RevisionDiff
) -> Iterator[str]:
    whole = change.kind not in (Kind.SETTINGS, Kind.SERVICE)
    name = visible(change.resource.partition(":")[2])
    where = _where(places(block, number, None), found) if whole else ""
    yield f"@@ {change.kind} {name} @@ {change.action}: {visible(change.reason)}{where}"
    if change.action is Verb.CREATE and change.kind is not Kind.SETTINGS:
        return
    for at, field in enumerate(change.fields):
        if field.name != "process":
            own = Places("", "", 0) if whole else places(block, number, at)
            yield from _field(field, own, found)
    if lines is not None:
        for delta, origin in zip(lines.lines, line_places(block, lines), strict=True):
            yield f"{line_text(delta)}{_where(origin, found)}"
        if lines.left:
            yield f"  and {counted(lines.left, 'line')} more"


def _where(found_at: Places, found: RevisionDiff) -> str:
    text = place_text(found_at, found)
    return f"   {text}" if text else ""


def _field(field: FieldDelta, where: Places, found: RevisionDiff) -> Iterator[str]:
    name = visible(field.name)
    place = _where(where, found)
    if field.before is not None and field.after is not None:
        yield f"- {name}: {shown(field.before)}"
        yield f"+ {name}: {shown(field.after)}{place}"
    elif field.after is not None:
        yield f"+ {name}: {shown(field.after)}{place}"
    else:
        yield f"- {name}: {shown(field.before)}{place}"
