"""A diff of revisions for a terminal: blocks by host, and one line at the end that says what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.folding import ranges
from pbxfleet.model.plan import FieldDelta, Verb
from pbxfleet.model.revisions import (
    FileLines,
    HostSides,
    LineDelta,
    Named,
    RevisionDiff,
    Source,
    Written,
)
from pbxfleet.model.target import Impact, Kind
from pbxfleet.report.diff_blocks import (
    Block,
    Counts,
    Places,
    Section,
    counts,
    fact_places,
    instance_places,
    line_places,
    members,
    places,
    sections,
)
from pbxfleet.report.diff_ignored import (
    HEADING,
    ignored_headline,
    ignored_lines,
    ignored_sections,
)
from pbxfleet.report.paint import PLAIN, Paint, visible
from pbxfleet.report.plan_text import SIGNS, note_lines, shown
from pbxfleet.report.summary import counted

STYLES = {Impact.RESTART: "red", Impact.LIVE: "yellow", Impact.NONE: "dim"}
LINE_STYLES = {"-": "red", "+": "green", " ": "dim"}


def diff_text(found: RevisionDiff, paint: Paint = PLAIN) -> str:
    """The whole diff; the last line is the headline, since that is where a terminal stops."""
    lines = [f"{side(found.before)} -> {side(found.after)}", ""]
    for section in sections(found):
        lines += _section_lines(section, found, paint)
    for section in ignored_sections(found):
        lines += _ignored_section_lines(section, found, paint)
    lines += _check_lines("new", found.new, paint)
    lines += _check_lines("fixed", found.fixed, paint)
    lines += [f"note: {visible(note)}" for note in remarks(found)]
    lines += [paint("bold", headline(found))]
    return "\n".join(lines) + "\n"


def side(named: Named) -> str:
    """A side in words: `main (1a2b3c4d5e 2026-02-03 A. Author: Pin acme)`."""
    if not named.object:
        return visible(named.word)
    told = f"{named.object[:10]} {named.date} {named.author}: {named.subject}"
    return f"{visible(named.word)} ({visible(told)})"


def remarks(found: RevisionDiff) -> Iterator[str]:
    """What is to be known about the comparison itself."""
    yield from found.notes
    for when, name in ((0, "before"), (1, "after")):
        anew = [h.host for h in found.hosts if (h.before, h.after)[when] is Source.COMPILED]
        if anew:
            yield (
                f"compiled anew for {name}, since rendered/ is stale or missing there: {ranges(anew)}"
            )
        broken = [h.host for h in found.hosts if (h.before, h.after)[when] is Source.BROKEN]
        if broken:
            yield (
                f"not compared: {ranges(broken)}: desired/ has errors {name}, "
                "and rendered/ is stale or missing"
            )


def headline(found: RevisionDiff) -> str:
    """One sentence: how much changes, and what it costs."""
    total = counts(found.effects)
    ignored = ignored_headline(found)
    parts = list(costs(total))
    if ignored:
        parts += [ignored] if parts else ["nothing changes on any host", ignored]
    if found.new:
        parts.append(f"{counted(len(found.new), 'finding')} of the checks new")
    if found.fixed:
        parts.append(f"{len(found.fixed)} fixed")
    if found.not_compared:
        parts.append(f"{counted(len(found.not_compared), 'host')} not compared")
    return "; ".join(parts) or "nothing is different on any host"


def costs(total: Counts) -> Iterator[str]:
    """The parts of a headline: what restarts first."""
    if total.restarts:
        word = "instance restarts" if len(total.restarts) == 1 else "instances restart"
        yield f"{len(total.restarts)} {word}"
    if total.live:
        word = "instance changes" if len(total.live) == 1 else "instances change"
        yield f"{len(total.live)} {word} live"
    for names, what in ((total.created, "new"), (total.removed, "removed"), (total.moved, "moved")):
        if names:
            yield f"{len(names)} {what}"
    if total.hosts:
        yield (
            f"{counted(len(total.hosts), 'host')}, {counted(len(total.instances), 'instance')}, "
            f"{counted(total.files, 'file')}, {counted(total.settings, 'setting')}"
        )


def _section_lines(section: Section, found: RevisionDiff, paint: Paint) -> Iterator[str]:
    yield paint("bold", hosts_text(section))
    for block in section.blocks:
        yield from block_lines(block, found, paint)
    yield ""


def _ignored_section_lines(section: Section, found: RevisionDiff, paint: Paint) -> Iterator[str]:
    yield paint("bold", f"{HEADING}, {hosts_text(section)}")
    for block in section.blocks:
        yield f"  {paint('dim', '.')} {paint('bold', visible(title(block, found.hosts)))}"
        yield from (f"      {line}" for line in ignored_lines(block))
    yield ""


def hosts_text(section: Section) -> str:
    """`host fra1`, or `3 hosts fra1..fra3`."""
    word = "host" if len(section.hosts) == 1 else f"{len(section.hosts)} hosts"
    return f"{word} {ranges(section.hosts)}"


def block_lines(block: Block, found: RevisionDiff, paint: Paint = PLAIN) -> Iterator[str]:
    """One block: whom it is about, what it costs, and what changes."""
    pattern = block.pattern
    sign, style = SIGNS[pattern.action]
    names = title(block, found.hosts)
    cost = paint(STYLES[pattern.impact], f"[{pattern.impact}]") + f" {visible(pattern.reason)}"
    yield f"  {paint(style, sign)} {paint('bold', visible(names))}  {cost}"
    if pattern.was:
        yield f"      was {visible(pattern.was)}"
    if pattern.action in (Verb.CREATE, Verb.REMOVE, Verb.MOVE) and not block.is_of_host:
        yield f"     {_dim(instance_places(block), found, paint)}"
    lines = {lines.resource: lines for lines in pattern.lines}
    for number, change in enumerate(pattern.changes):
        yield from _change_lines(block, number, lines.get(change.resource), found, paint)
    for number, fact in enumerate(pattern.facts):
        yield f"      {field_text(fact)}{_dim(fact_places(block, number), found, paint)}"
    yield from (f"    {line}" for line in note_lines(pattern.notes, paint))


def title(block: Block, hosts: Iterable[HostSides]) -> str:
    """Whom a block is about, with their number where they are many."""
    if block.is_of_host:
        return "the host itself" if len(block.hosts) == 1 else "the hosts themselves"
    names = members(block, hosts)
    number = len(block.effects)
    return names if number == 1 or names.startswith("all ") else f"{names} ({number})"


def _change_lines(
    block: Block, number: int, lines: FileLines | None, found: RevisionDiff, paint: Paint
) -> Iterator[str]:
    change = block.pattern.changes[number]
    sign, style = SIGNS[change.action]
    name = visible(change.resource.partition(":")[2])
    reason = f"{change.action}: {change.reason}" if change.kind is Kind.SERVICE else change.reason
    line = f"    {paint(style, sign)} {change.kind!s:<9} {name}   {visible(reason)}"
    whole = change.kind not in (Kind.SETTINGS, Kind.SERVICE)
    yield line + (_dim(places(block, number, None), found, paint) if whole else "")
    if change.action is Verb.CREATE and change.kind is not Kind.SETTINGS:
        return
    for at, field in enumerate(change.fields):
        if field.name != "process":
            where = "" if whole else _dim(places(block, number, at), found, paint)
            yield f"        {field_text(field)}{where}"
    if lines is not None:
        for delta, origin in zip(lines.lines, line_places(block, lines), strict=True):
            text = paint(LINE_STYLES[delta.sign], line_text(delta))
            yield f"        {text}{_dim(origin, found, paint)}"
        if lines.left:
            yield f"        and {counted(lines.left, 'line')} more"


def line_text(line: LineDelta) -> str:
    """`+   12 Nice=-5`."""
    return f"{line.sign} {line.number:>4} {visible(line.text.expandtabs(4))}".rstrip()


def field_text(field: FieldDelta) -> str:
    """`sys_name: Acme -> ACME`."""
    return f"{visible(field.name)}: {shown(field.before)} -> {shown(field.after)}"


def _dim(places: Places, found: RevisionDiff, paint: Paint) -> str:
    text = place_text(places, found)
    return "   " + paint("dim", text) if text else ""


def place_text(places: Places, found: RevisionDiff) -> str:
    """Where something is written and by whom: `desired/fleet.toml:9:3 (1a2b3c4d5e ...)`; "" for nowhere."""
    if not places.place:
        return ""
    more = f" and {counted(places.others, 'other place')}" if places.others else ""
    by = (found.gone if places.is_gone else found.written).get(places.one)
    who = f" ({written_text(by)})" if by is not None else ""
    return visible(f"{places.place}{who}{more}")


def written_text(by: Written) -> str:
    """Who wrote something, or took it out."""
    if by.why:
        return f"removed, {by.why}" if by.removed else by.why
    text = f"{by.commit} {by.date} {by.author}: {by.subject}"
    return f"removed by {text}" if by.removed else text


def _check_lines(word: str, found: Iterable[Diagnostic], paint: Paint) -> Iterator[str]:
    style, sign = ("red", "+") if word == "new" else ("green", "-")
    listed = list(found)
    if not listed:
        return
    yield paint("bold", f"checks: {word}")
    for d in listed:
        place = f"{d.span}: " if d.span is not None else ""
        said = f"{place}{d.severity}[{d.code}]: {d.message}"
        yield f"  {paint(style, sign)} {visible(said)}"
        if d.hint and word == "new":
            yield f"      hint: {visible(d.hint)}"
    yield ""
