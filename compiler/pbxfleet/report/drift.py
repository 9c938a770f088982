"""Drift as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.drift import UNKNOWN, DriftItem
from pbxfleet.model.ignoring import why_ignored
from pbxfleet.model.plan import Change, Note
from pbxfleet.report.paint import PLAIN, Paint, visible
from pbxfleet.report.plan_json import debts_data
from pbxfleet.report.plan_text import shown
from pbxfleet.report.summary import counted

SIGNS = {"missing": "-", "changed": "~", "extra": "+", "mode": "m", "runtime": "!"}


def drift_data(
    host: str,
    items: Sequence[DriftItem],
    pending: Sequence[Change],
    debts: Sequence[RestartDebt] = (),
    ignored: Sequence[Note] = (),
    held_back: int = 0,
) -> dict[str, Any]:
    """Drift as plain data; `pending` and `debts` stand beside it and are never mixed in.

    `held_back` counts the differences that are there and were not asked for.
    """
    return {
        "format": 1,
        "kind": "drift",
        "outcome": "differences" if items else "done",
        "host": host,
        "items": [_item_data(item) for item in items],
        "held_back": held_back,
        "ignored": [_ignored_data(note) for note in ignored],
        "pending": [
            {
                "resource": c.resource,
                "instance": c.instance,
                "action": str(c.action),
                "fields": [f._asdict() for f in c.fields],
            }
            for c in pending
        ],
        "debts": debts_data(debts),
    }


def _ignored_data(note: Note) -> dict[str, Any]:
    return {
        "resource": note.resource,
        "instance": note.instance,
        "name": note.name,
        "declared": note.declared or None,
        "observed": note.found or None,
        "why": why_ignored(note),
    }


def _item_data(item: DriftItem) -> dict[str, Any]:
    data = item._asdict()
    return {"class": data.pop("kind"), **data}


def drift_text(
    host: str,
    items: Sequence[DriftItem],
    pending: Sequence[Change],
    paint: Paint = PLAIN,
    debts: Sequence[RestartDebt] = (),
    ignored: Sequence[Note] = (),
) -> str:
    """Drift for people: one line a difference; "" when there is none, so that cron stays silent."""
    if not items:
        return ""
    total = counted(len(items), "difference")
    lines = [paint("bold", f"{visible(host)}: {total} since the last apply")]
    for item in items:
        lines.append(item_line(item, paint))
        if item.who != UNKNOWN:
            lines.append(paint("dim", f"      {visible(item.evidence)}"))
    if pending:
        lines.append(f"  beside this, {counted(len(pending), 'declared change')} not applied yet")
    if ignored:
        lines.append(f"  beside this, {counted(len(ignored), 'difference')} ignored by rules")
    owing = sorted({visible(debt.instance) for debt in debts})
    if owing:
        lines.append(f"  beside this, a restart is owed by {', '.join(owing)}")
    return "\n".join(lines) + "\n"


def item_line(item: DriftItem, paint: Paint = PLAIN) -> str:
    """One difference for people, in one line."""
    where = visible(item.instance or "host")
    sign = paint("yellow", SIGNS[item.kind])
    text = f"  {sign} {item.kind:<8} {where}  {visible(item.resource)}  {visible(item.name)}"
    says_itself = item.kind == "extra" or item.observed in (None, item.name)
    if item.applied is not None or not says_itself:
        text += f": {shown(item.applied)} -> {shown(item.observed)}"
    if item.who != UNKNOWN:
        text += f"   by {item.who}"
    if item.first_seen:
        text += paint("dim", f"   since {item.first_seen}{_came_back(item.flaps)}")
    return text


def _came_back(flaps: int) -> str:
    if not flaps:
        return ""
    return ", came back once" if flaps == 1 else f", came back {flaps} times"
