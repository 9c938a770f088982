"""Declared and proven side by side, one row an instance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pbxfleet.model.observed import Observed, RuntimeSeen
from pbxfleet.model.plan import Change, Note
from pbxfleet.model.runtime import declared_facts, observed_facts
from pbxfleet.model.target import Target
from pbxfleet.report.paint import PLAIN, Paint, visible

NOTHING_RUNS = RuntimeSeen((), "")


class StatusRow(NamedTuple):
    """One instance: `listeners` and `proven_listeners` count sockets; `cpu` and `proven_cpu` are cores.

    `state` is `running`, `stopped`, or `unknown` where services are not run (a root folder).
    `differs` counts the changes that a plan would have for it.
    """

    instance: str
    state: str
    pid: int | None
    listeners: int
    proven_listeners: int
    cpu: str
    proven_cpu: str
    differs: int


def status_rows(
    target: Target, observed: Observed, changes: Iterable[Change]
) -> tuple[StatusRow, ...]:
    """Rows in order of the names."""
    differing: dict[str, int] = {}
    for change in changes:
        differing[change.instance] = differing.get(change.instance, 0) + 1
    rows = []
    for name, instance in sorted(target.instances.items()):
        declared = declared_facts(instance)
        trees = observed.runtime.get(name, NOTHING_RUNS).trees
        proven = observed_facts(instance, trees[0]) if trees else None
        state = "running" if trees else "stopped"
        rows.append(
            StatusRow(
                name,
                state if observed.runs_services else "unknown",
                trees[0].pids[0] if trees else None,
                len(declared.listeners),
                len(proven.listeners & declared.listeners) if proven else 0,
                declared.cpu or "any",
                (proven.cpu or "any") if proven else "",
                differing.get(name, 0),
            )
        )
    return tuple(rows)


def status_text(
    host: str, rows: Sequence[StatusRow], notes: Sequence[Note], paint: Paint = PLAIN
) -> str:
    """A table with one row an instance, and what else is to be known."""
    head = ("instance", "state", "pid", "listeners", "core", "differs")
    table = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(head))]
    lines = [paint("bold", f"host {host}")]
    for number, cells in enumerate(table):
        text = "  " + "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()
        lines.append(paint("dim", text) if number == 0 else text)
    for note in notes:
        where = f"{note.instance}: " if note.instance else ""
        lines.append(f"{note.severity}[{note.code}]: {where}{visible(note.message)}")
    return "\n".join(lines) + "\n"


def _cells(row: StatusRow) -> tuple[str, ...]:
    core = row.cpu if row.proven_cpu in ("", row.cpu) else f"{row.proven_cpu}, not {row.cpu}"
    return (
        row.instance,
        row.state,
        str(row.pid or "-"),
        f"{row.proven_listeners}/{row.listeners}",
        core,
        str(row.differs or "-"),
    )
