"""What an undo is going to take back, and what became of it, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pbxfleet.model.journal import Entry, Run, StartAgain, TakenBack
from pbxfleet.model.plan import Do
from pbxfleet.report.paint import visible
from pbxfleet.report.summary import counted


def undo_text(run: Run) -> str:
    """The steps that would be taken back, the last one first, and how many instances it stops."""
    steps = [entry for entry in reversed(run.standing) if entry.do is not Do.REMEMBER]
    started = sum(1 for entry in steps if isinstance(entry.inverse, StartAgain))
    lines = [f"  undo  {_about(entry)}" for entry in steps]
    lines.append(
        f"{visible(run.host)}: {counted(len(steps), 'step')} to take back, "
        f"{counted(started, 'instance')} started again as before"
    )
    return "\n".join(lines) + "\n"


def taken_line(taken: TakenBack) -> str:
    """One step that was taken back, or why it could not be."""
    if taken.problem:
        return f"  failed  {_about(taken.entry)}: {visible(taken.problem)}"
    left = f" ({visible(taken.left)})" if taken.left else ""
    return f"  undone  {_about(taken.entry)}{left}"


def undone_text(run: Run, taken: Sequence[TakenBack]) -> str:
    """How an undo ended."""
    host = visible(run.host)
    problems = [one for one in taken if one.problem]
    if not problems:
        return f"{host}: rolled back, {counted(len(taken), 'step')} taken back\n"
    return (
        f"{host}: {counted(len(problems), 'step')} could not be taken back, "
        f"{len(taken) - len(problems)} were\n"
        f"hint: mend the cause, then run pbxfleet apply {host} --undo again\n"
    )


def undone_data(run: Run, taken: Sequence[TakenBack]) -> dict[str, Any]:
    """The end of an undo as plain data; `outcome` is the command's to add."""
    return {
        "format": 1,
        "kind": "undo",
        "host": run.host,
        "steps": [
            {
                "number": one.entry.number,
                "wave": one.entry.wave,
                "do": str(one.entry.do),
                "path": one.entry.path,
                "result": "failed" if one.problem else "undone",
                "message": one.problem or one.left,
            }
            for one in taken
        ],
    }


def _about(entry: Entry) -> str:
    return f"{visible(entry.wave or 'host'):<20} {entry.do} {visible(entry.path)}"
