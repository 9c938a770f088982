"""A diff of revisions as a comment: the summary first, then blocks, cut between blocks where it is too long.

Whatever somebody wrote stands in code: in a fence that is longer than any in it, or in a code span. There
nothing is markup, nobody is mentioned, and no tag ends anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.folding import ranges
from pbxfleet.model.revisions import RevisionDiff
from pbxfleet.report.diff_blocks import Block, Counts, Section, counts, sections
from pbxfleet.report.diff_body import body
from pbxfleet.report.diff_ignored import HEADING, ignored_lines, ignored_sections
from pbxfleet.report.diff_limits import Limit
from pbxfleet.report.diff_text import headline, hosts_text, remarks, side, title
from pbxfleet.report.paint import visible
from pbxfleet.report.summary import counted

MARKER = "<!-- pbxfleet diff -->"
PLAIN_MARKER = "[//]: # (pbxfleet diff)"  # where HTML is shown: a link that nobody refers to
TITLE_NAMES = 120  # characters of names in a title; all of them stand below it
WIDTH = 110
FOOTER = 400  # characters kept free for what is said of what was cut
MOST_FINDINGS = 20  # of each kind, in the summary


class _Part(NamedTuple):
    """A block in full, and the one line that stands for it where there is no room."""

    heading: str
    full: str
    short: str


def diff_markdown(found: RevisionDiff, limit: Limit, artefact: str = "") -> str:
    """The comment; it fits into the limit. `artefact` names where the full text is, "" for nowhere.

    Its first line is a marker by which the next run finds it, to update it.
    """
    head = "\n".join(_head(found, limit)) + "\n"
    parts = [part for section in sections(found) for part in _parts(section, found, limit)]
    parts += [p for s in ignored_sections(found) for p in _ignored_parts(s, found, limit)]
    room = limit.most - limit.size(head) - FOOTER
    chosen, left = _chosen(parts, room, limit)
    text = head
    heading = ""
    for part, whole in zip(parts, chosen, strict=False):
        if part.heading != heading:
            heading = part.heading
            text += f"\n{heading}\n"
        text += f"\n{part.full if whole else part.short}\n"
    cut = sum(1 for whole in chosen if not whole)
    where = f"full text in {_code(artefact)}" if artefact else "pbxfleet diff shows all"
    if cut or left:
        more = f"; {counted(left, 'more block')} left out" if left else ""
        text += f"\n{counted(cut, 'block')} without details{more}: {where}\n"
    return text


def full_markdown(found: RevisionDiff) -> str:
    """Everything, however long."""
    return diff_markdown(found, Limit(1 << 40, False, True, ""))


def _chosen(parts: Sequence[_Part], room: int, limit: Limit) -> tuple[list[bool], int]:
    """Which parts are told in full, which by their titles, and how many not even so.

    Titles come first, so that a change of everything is seen for what it is; then details, from the
    first block on.
    """
    titles: list[int] = []
    heading = ""
    for part in parts:
        own = limit.size(part.short) + 2
        if part.heading != heading:
            heading = part.heading
            own += limit.size(heading) + 2
        if own > room:
            break
        room -= own
        titles.append(limit.size(part.full) - limit.size(part.short))
    chosen = []
    for more in titles:
        fits = more <= room
        room -= more if fits else 0
        chosen.append(fits)
    return chosen, len(parts) - len(titles)


def _head(found: RevisionDiff, limit: Limit) -> Iterator[str]:
    yield MARKER if limit.html else PLAIN_MARKER
    yield ""
    yield f"### pbxfleet: {headline(found)}"
    yield ""
    yield f"{_code(side(found.before))} to {_code(side(found.after))}"
    yield ""
    yield from _hosts(found)
    yield from _findings("New findings of the checks", found.new)
    yield from _findings("Fixed", found.fixed)
    for note in remarks(found):
        yield f"- {_code(note)}"


def _hosts(found: RevisionDiff) -> Iterator[str]:
    """A table of what it costs each host; hosts with the same numbers share a row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    names = {host.host: len(host.instances) for host in found.hosts}
    for host in dict.fromkeys(effect.host for effect in found.effects):
        total = counts(effect for effect in found.effects if effect.host == host)
        rows.setdefault(_row(total, names.get(host, 0)), []).append(host)
    if not rows:
        return
    yield "| host | instances | restart | live | new | removed | moved |"
    yield "| --- | --: | --: | --: | --: | --: | --: |"
    for cells, hosts in rows.items():
        each = " each" if len(hosts) > 1 else ""
        yield f"| {_cell(ranges(hosts))} | {cells[0]}{each} | {' | '.join(cells[1:])} |"
    yield ""


def _row(total: Counts, instances: int) -> tuple[str, ...]:
    numbers = (total.restarts, total.live, total.created, total.removed, total.moved)
    touched = len(total.instances)
    return f"{touched} of {max(instances, touched)}", *(f"{len(n)}" if n else "" for n in numbers)


def _findings(heading: str, found: Sequence[Diagnostic]) -> Iterator[str]:
    if not found:
        return
    yield f"**{heading}** ({len(found)})"
    yield ""
    ordered = sorted(found, key=lambda d: (list(Severity).index(d.severity), d.sort_key))
    for diagnostic in ordered[:MOST_FINDINGS]:
        place = f"{diagnostic.span.file}:{diagnostic.span.line}: " if diagnostic.span else ""
        text = f"{place}{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"
        yield f"- {_code(_short(text))}"
    if len(found) > MOST_FINDINGS:
        yield f"- and {len(found) - MOST_FINDINGS} more"
    yield ""


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}..."


def _parts(section: Section, found: RevisionDiff, limit: Limit) -> Iterator[_Part]:
    word = "host" if len(section.hosts) == 1 else f"{len(section.hosts)} hosts:"
    heading = f"#### {word} {_code(ranges(section.hosts))}"
    for block in section.blocks:
        yield _part(heading, block, found, limit)


def _part(heading: str, block: Block, found: RevisionDiff, limit: Limit) -> _Part:
    costs = f"{block.pattern.action}, {block.pattern.impact}"
    return _told(heading, block, (costs, block.pattern.reason), body(block, found), found, limit)


def _ignored_parts(section: Section, found: RevisionDiff, limit: Limit) -> Iterator[_Part]:
    heading = f"#### {HEADING.capitalize()}, {_code(hosts_text(section))}"
    for block in section.blocks:
        lines = (f"  {line}" for line in ignored_lines(block))
        yield _told(heading, block, ("ignored", block.pattern.reason), lines, found, limit)


def _told(
    heading: str,
    block: Block,
    title_words: tuple[str, str],
    told: Iterable[str],
    found: RevisionDiff,
    limit: Limit,
) -> _Part:
    """A block with its names, what it costs and why, and its lines."""
    costs, reason = title_words
    names = title(block, found.hosts)
    cut = len(names) > TITLE_NAMES
    short = f"{names[:TITLE_NAMES]}... ({len(block.effects)})" if cut else names
    lines = [*(_wrapped(names) if cut else ()), *told]
    fence = _fence(lines)
    code = "\n".join((f"{fence}diff", *lines, fence))
    if limit.html:
        line = f"<b>{costs}</b> <code>{escape(visible(short))}</code> {_reason(reason)}"
        full = f"<details><summary>{line}</summary>\n\n{code}\n\n</details>"
        return _Part(heading, full, f"- {line}")
    line = f"**{costs}** {_code(short)} {_code(reason)}"
    return _Part(heading, f"{line}\n\n{code}", f"- {line}")


def _reason(text: str) -> str:
    return f"<code>{escape(visible(text))}</code>"


def _wrapped(names: str) -> Iterator[str]:
    line = ""
    for name in names.split(" "):
        if line and len(line) + len(name) > WIDTH:
            yield f"  {visible(line)}"
            line = ""
        line = f"{line} {name}" if line else name
    yield f"  {visible(line)}"


def _fence(lines: Iterable[str]) -> str:
    """A fence that no line can close."""
    return "`" * max(3, 1 + max((_longest(line) for line in lines), default=0))


def _code(text: str) -> str:
    """A code span; line feeds and the like are made visible, so that it stays on its line."""
    text = visible(text)
    ticks = "`" * (_longest(text) + 1)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{ticks}{pad}{text}{pad}{ticks}" if text else "``  ``"


def _cell(text: str) -> str:
    return _code(text).replace("|", "\\|")


def _longest(text: str) -> int:
    """The longest run of backticks."""
    best = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        best = max(best, run)
    return best
