"""The run that is open on a host, as text and as JSON."""

from __future__ import annotations

from typing import Any

from pbxfleet.model.open_run import OpenRun
from pbxfleet.report.paint import PLAIN, Paint, visible
from pbxfleet.report.summary import counted

SHOWN = 5


def open_run_lines(run: OpenRun, paint: Paint = PLAIN) -> list[str]:
    """What is open, how far it came, why it failed, and what to run now, one line each."""
    lines = [f"{paint('yellow', f'warning[{run.code}]')}: {visible(run.text)}"]
    if run.left_s:
        lines.append(f"  {counted(run.left_s, 'second')} left")
    if run.planned:
        names = f": {', '.join(map(visible, run.instances))}" if run.instances else ""
        what = "rollback to generation " + str(run.restores) if run.restores else "apply"
        steps = counted(run.planned, "step")
        lines.append(f"  {what} of {run.target[7:19]}, {run.finished} of {steps} done{names}")
    lines += [f"  failed: {visible(why)}" for why in run.failures[:SHOWN]]
    if len(run.failures) > SHOWN:
        lines.append(f"  and {len(run.failures) - SHOWN} more")
    width = max((len(command) for command, _ in run.ways), default=0)
    return [*lines, *(f"  {visible(command):<{width}}  {does}" for command, does in run.ways)]


def open_run_data(run: OpenRun) -> dict[str, Any]:
    """The open run as plain data."""
    data = run._asdict()
    ways = [{"command": command, "does": does} for command, does in run.ways]
    return {**data, "state": run.state.value, "ways": ways}
