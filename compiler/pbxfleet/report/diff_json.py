"""A diff of revisions as JSON."""

from __future__ import annotations

from typing import Any

from pbxfleet.model.revisions import Effect, RevisionDiff
from pbxfleet.report.diff_blocks import Block, blocks, counts
from pbxfleet.report.diff_ignored import ignored_data
from pbxfleet.report.diff_text import headline, remarks, title
from pbxfleet.report.plan_json import change_data
from pbxfleet.source.excerpt import diagnostics_json


def diff_data(found: RevisionDiff) -> dict[str, Any]:
    """The diff as plain data: every effect by itself, and `blocks` that say which of them are the same.

    `outcome` is `refused` where the second side has errors, or a host could not be compared, and
    `denied` where its policy forbids what it does.
    """
    outcome = "nothing_to_do" if found.is_empty else "differences"
    if found.is_denied:
        outcome = "denied"
    return {
        "format": 1,
        "kind": "diff",
        "outcome": "refused" if found.is_broken else outcome,
        "headline": headline(found),
        "before": found.before._asdict(),
        "after": found.after._asdict(),
        "summary": counts(found.effects)._asdict(),
        "hosts": [h._asdict() for h in found.hosts],
        "effects": [_effect(e) for e in found.effects],
        "blocks": [_block(b, found) for b in blocks(found.effects)],
        "ignored": ignored_data(found),
        "checks": {
            "new": diagnostics_json(found.new),
            "fixed": diagnostics_json(found.fixed),
        },
        "written": [
            {"place": place, "side": side, **by._asdict()}
            for place, side, by in sorted(
                [(place, "after", by) for place, by in found.written.items()]
                + [(place, "before", by) for place, by in found.gone.items()]
            )
        ],
        "notes": list(remarks(found)),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "host": effect.host,
        "instance": effect.instance,
        "action": str(effect.action),
        "was": effect.was,
        "impact": str(effect.impact),
        "reason": effect.reason,
        "changes": [change_data(c) for c in effect.changes],
        "facts": [f._asdict() for f in effect.facts],
        "lines": [
            {
                "resource": file.resource,
                "lines": [line._asdict() for line in file.lines],
                "left": file.left,
            }
            for file in effect.lines
        ],
        "notes": [n._asdict() for n in effect.notes],
        "words": dict(effect.words),
        "place": effect.place,
    }


def _block(block: Block, found: RevisionDiff) -> dict[str, Any]:
    return {
        "names": title(block, found.hosts),
        "hosts": list(block.hosts),
        "instances": [f"{e.host}/{e.instance}" for e in block.effects if e.instance],
        "pattern": _effect(block.pattern),
    }
