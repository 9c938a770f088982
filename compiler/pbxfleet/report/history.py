"""The generations of a host, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pbxfleet.model.generation import APPLIED, Generation
from pbxfleet.report.paint import visible
from pbxfleet.report.summary import counted

NAMED = 4
SHORT = slice(7, 19)  # of a digest


class Kept(NamedTuple):
    """How many generations are kept `at_most`, and what those that are there take."""

    at_most: int
    size_bytes: int


def history_text(
    host: str, generations: Sequence[Generation], current: Generation | None, kept: Kept
) -> str:
    """One line a generation, the newest first, and what all of them take."""
    if not generations:
        return f"{visible(host)}: nothing was applied yet\n"
    lines = [_line(one, current) for one in reversed(generations)]
    size = f"{kept.size_bytes / 1_000_000:.1f} MB with the contents that they need"
    lines.append(f"{len(generations)} of at most {kept.at_most} are kept, {size}")
    return "\n".join(lines) + "\n"


def _line(one: Generation, current: Generation | None) -> str:
    mark = "*" if one == current else " "
    what = one.kind if one.restores is None else f"{one.kind} to {one.restores}"
    how = "" if one.outcome == APPLIED else f", {one.outcome}"
    names = ", ".join(one.instances[:NAMED])
    more = len(one.instances) - NAMED
    changed = names + (f" and {more} more" if more > 0 else "") or "host files"
    stopped = f"; {counted(len(one.restarted), 'instance')} interrupted" if one.restarted else ""
    why = f"; outside of its window: {visible(one.outside_window)}" if one.outside_window else ""
    return (
        f"{mark} {one.number:>4}  {one.made}  {visible(one.by):<12} {what + how:<22} "
        f"{one.target[SHORT]}  {visible(changed)}{stopped}{why}"
    )


def history_data(
    host: str, generations: Sequence[Generation], current: Generation | None, kept: Kept
) -> dict[str, Any]:
    """The generations as plain data, the newest first; `outcome` is the command's to add."""
    return {
        "format": 1,
        "kind": "history",
        "host": host,
        "current": None if current is None else current.number,
        "keep": kept.at_most,
        "size_bytes": kept.size_bytes,
        "generations": [one._asdict() for one in reversed(generations)],
    }
