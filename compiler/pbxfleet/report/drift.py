"""Drift as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.plan import Change
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
) -> dict[str, Any]:
    """Drift as plain data; `pending` and `debts` stand beside it and are never mixed in."""
    return {
        "format": 1,
        "kind": "drift",
        "outcome": "differences" if items else "done",
        "host": host,
        "items": [_item_data(item) for item in items],
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


def _item_data(item: DriftItem) -> dict[str, Any]:
    data = item._asdict()
    return {"class": data.pop("kind"), **data}


def drift_text(
    host: str, items: Sequence[DriftItem], pending: Sequence[Change], paint: Paint = PLAIN
) -> str:
    """Drift for people: one line a difference; "" when there is none, so that cron stays silent."""
    if not items:
        return ""
    total = counted(len(items), "difference")
    lines = [paint("bold", f"{visible(host)}: {total} since the last apply")]
    lines += [item_line(item, paint) for item in items]
    if pending:
        lines.append(f"  beside this, {counted(len(pending), 'declared change')} not applied yet")
    return "\n".join(lines) + "\n"


def item_line(item: DriftItem, paint: Paint = PLAIN) -> str:
    """One difference for people, in one line."""
    where = visible(item.instance or "host")
    sign = paint("yellow", SIGNS[item.kind])
    text = f"  {sign} {item.kind:<8} {where}  {visible(item.resource)}  {visible(item.name)}"
    says_itself = item.kind == "extra" or item.observed in (None, item.name)
    if item.applied is not None or not says_itself:
        text += f": {shown(item.applied)} -> {shown(item.observed)}"
    if item.first_seen:
        text += paint("dim", f"   since {item.first_seen}")
    return text
