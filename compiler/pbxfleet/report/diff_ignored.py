"""What rules of [[ignore]] leave alone in a diff of revisions: no effects, but told and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pbxfleet.model.ignoring import why_ignored
from pbxfleet.model.revisions import RevisionDiff
from pbxfleet.report.diff_blocks import Block, Section, sections_of
from pbxfleet.report.paint import visible
from pbxfleet.report.plan_text import shown
from pbxfleet.report.summary import counted

HEADING = "ignored by rules"


def ignored_sections(found: RevisionDiff) -> tuple[Section, ...]:
    """What is left alone, folded as effects are."""
    return sections_of(found.ignored)


def ignored_headline(found: RevisionDiff) -> str:
    """`3 differences ignored by rules`, empty where there are none."""
    number = sum(len(effect.notes) for effect in found.ignored)
    return f"{counted(number, 'difference')} {HEADING}" if number else ""


def ignored_lines(block: Block) -> Iterator[str]:
    """The differences of one block: in what, from what to what, until when and why it stays."""
    for note, first in zip(block.pattern.notes, block.effects[0].notes, strict=True):
        before, after = shown(note.found or None), shown(note.declared or None)
        what = f"{visible(note.resource)}  {visible(note.name)}: {before} -> {after}"
        yield f"{what}   {visible(why_ignored(first))}"


def ignored_data(found: RevisionDiff) -> list[dict[str, Any]]:
    """The differences as plain data, each by itself."""
    return [
        {
            "host": effect.host,
            "instance": effect.instance,
            "resource": note.resource,
            "name": note.name,
            "before": note.found or None,
            "after": note.declared or None,
            "why": why_ignored(note),
        }
        for effect in found.ignored
        for note in effect.notes
    ]
