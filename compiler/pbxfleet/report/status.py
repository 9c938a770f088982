"""Declared and proven side by side, one row an instance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pbxfleet.model.asking import Probed
from pbxfleet.model.debt import RestartDebt, by_instance
from pbxfleet.model.observed import Observed, RuntimeSeen
from pbxfleet.model.open_run import OpenRun
from pbxfleet.model.plan import Change, Note
from pbxfleet.model.runtime import LISTENER, declared_facts, observed_facts
from pbxfleet.model.target import InstanceTarget, Target
from pbxfleet.model.verdict import ReadBack, Verdict
from pbxfleet.report.open_run import open_run_lines
from pbxfleet.report.paint import PLAIN, Paint, visible
from pbxfleet.report.plan_text import note_lines, shown

NOTHING_RUNS = RuntimeSeen((), "")


class StatusRow(NamedTuple):
    """One instance: `listeners` and `proven_listeners` count sockets; `cpu` and `proven_cpu` are cores.

    `state` is `running`, `stopped`, or `unknown` where services are not run (a root folder) or the
    processes of another user cannot be looked into.
    `differs` counts the changes that a plan would have for it. `probes` are those that were asked now,
    `answered` those of them that were answered well. `owed` names what a restart is owed for.
    """

    instance: str
    state: str
    pid: int | None
    listeners: int
    proven_listeners: int
    cpu: str
    proven_cpu: str
    differs: int
    probes: int = 0
    answered: int = 0
    owed: tuple[str, ...] = ()


def status_rows(
    target: Target,
    observed: Observed,
    changes: Iterable[Change],
    probed: Iterable[Probed] = (),
    debts: Iterable[RestartDebt] = (),
) -> tuple[StatusRow, ...]:
    """Rows in order of the names."""
    answers: dict[str, list[bool]] = {}
    for probe in probed:
        if probe.ok is not None:
            answers.setdefault(probe.instance, []).append(probe.ok)
    differing: dict[str, int] = {}
    for change in changes:
        differing[change.instance] = differing.get(change.instance, 0) + 1
    owed = by_instance(debts)
    return tuple(
        _row(instance, observed, differing.get(name, 0))._replace(
            probes=len(answers.get(name, ())),
            answered=sum(answers.get(name, ())),
            owed=tuple(dict.fromkeys(n for debt in owed.get(name, ()) for n in debt.names)),
        )
        for name, instance in sorted(target.instances.items())
    )


def _row(instance: InstanceTarget, observed: Observed, differs: int) -> StatusRow:
    runtime = observed.runtime.get(instance.name, NOTHING_RUNS)
    declared, proven = declared_facts(instance), observed_facts(instance, runtime)
    listeners = [name for name in declared if name.startswith(LISTENER)]
    return StatusRow(
        instance.name,
        _state(runtime, runs_services=observed.runs_services),
        runtime.trees[0].pids[0] if runtime.trees else None,
        len(listeners),
        sum(1 for name in listeners if name in proven),
        declared.get("cpu", "any"),
        proven.get("cpu", "any") if proven else "",
        differs,
    )


def _state(runtime: RuntimeSeen, *, runs_services: bool) -> str:
    if runtime.trees:
        return "running"
    return "stopped" if runs_services and not runtime.unreadable else "unknown"


def status_text(
    host: str,
    rows: Sequence[StatusRow],
    notes: Sequence[Note],
    made: Sequence[tuple[str, ReadBack]] = (),
    run: OpenRun | None = None,
    saved: Sequence[tuple[str, str]] = (),
    paint: Paint = PLAIN,
) -> str:
    """An open run, a table with one row an instance, what the PBX made of settings, and notes.

    `saved` are versions of files that others had written and that were replaced, with the places where
    they are kept.
    """
    head = ("instance", "state", "pid", "listeners", "probes", "core", "differs", "owed")
    table = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(head))]
    lines = [paint("bold", f"host {visible(host)}")]
    lines += open_run_lines(run, paint) if run is not None else []
    for number, cells in enumerate(table):
        text = "  " + "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()
        lines.append(paint("dim", text) if number == 0 else text)
    lines += [f"  saved {visible(path)} of somebody else: {visible(kept)}" for path, kept in saved]
    lines += [_made_line(instance, read, paint) for instance, read in made]
    return "\n".join([*lines, *note_lines(notes, paint)]) + "\n"


def _made_line(instance: str, read: ReadBack, paint: Paint) -> str:
    """One setting that the PBX has not literally as it is declared."""
    color = "dim" if read.verdict is Verdict.NORMALISED else "yellow"
    says = (shown(value) for value in (read.observed, read.declared))
    text = "is {}, declared {}".format(*says)
    return f"  {paint(color, read.verdict)} {visible(instance)} {visible(read.name)}: {text}"


def made_data(instance: str, read: ReadBack) -> dict[str, object]:
    """One setting that the PBX has not literally as it is declared, as it stands in JSON."""
    return {
        "instance": instance,
        "name": read.name,
        "verdict": read.verdict.value,
        "declared": read.declared,
        "observed": read.observed,
    }


def _cells(row: StatusRow) -> tuple[str, ...]:
    core = row.cpu if row.proven_cpu in ("", row.cpu) else f"{row.proven_cpu}, not {row.cpu}"
    return (
        visible(row.instance),
        row.state,
        "-" if row.pid is None else str(row.pid),
        f"{row.proven_listeners}/{row.listeners}",
        f"{row.answered}/{row.probes}" if row.probes else "-",
        core,
        str(row.differs or "-"),
        "restart" if row.owed else "-",
    )


def probed_data(probed: Probed) -> dict[str, object]:
    """One probe as it stands in JSON."""
    return {
        "instance": probed.instance,
        "probe": probed.question.value,
        "role": probed.listener.role,
        "address": probed.listener.address,
        "port": probed.listener.port,
        "need": probed.need.value,
        "ok": probed.ok,
        "said": probed.said,
    }
