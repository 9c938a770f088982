"""What an apply did, as text and as JSON."""

from __future__ import annotations

from typing import Any

from pbxfleet.model.plan import ApplyReport, Plan
from pbxfleet.report.paint import visible
from pbxfleet.report.summary import counted

STOPPED = "PLN130"


def applied_text(plan: Plan, report: ApplyReport | None, remaining: Plan | None) -> str:
    """The end of an apply for people: what was done, what was not, and what to do then."""
    if report is None:
        return f"{plan.host}: nothing to do\n"
    done = sum(1 for r in report.results if r.result == "done")
    lines = [f"warning[{n.code}]: {n.instance}: {visible(n.message)}" for n in report.unproven]
    if not report.failure:
        lines.append(f"{plan.host}: applied, {counted(done, 'step')}{_restarted(plan)}")
        if remaining is not None and remaining.steps:
            names = ", ".join(dict.fromkeys(c.instance or "host" for c in remaining.changes))
            lines.append(f"  a second look still differs: {names}; run pbxfleet plan {plan.host}")
        return "\n".join(lines) + "\n"
    lines.append(f"error[{STOPPED}]: {visible(report.failure)}")
    if report.undone:
        lines.append(f"  put back as it was: {', '.join(n or 'host' for n in report.undone)}")
    if report.broken:
        lines.append(f"  could NOT be put back: {', '.join(n or 'host' for n in report.broken)}")
    if report.applied:
        lines.append(f"  applied before that: {', '.join(n or 'host' for n in report.applied)}")
    waiting = sum(1 for r in report.results if r.result == "not started")
    lines.append(f"{plan.host}: stopped after {counted(done, 'step')}, {waiting} not started")
    lines.append(f"hint: mend the cause, then run pbxfleet plan {plan.host} and apply again")
    return "\n".join(lines) + "\n"


def _restarted(plan: Plan) -> str:
    restarts = plan.restarts()
    return f", {counted(len(restarts), 'instance')} interrupted" if restarts else ""


def applied_data(plan: Plan, report: ApplyReport | None, remaining: Plan | None) -> dict[str, Any]:
    """The end of an apply as plain data."""
    data: dict[str, Any] = {"format": 1, "kind": "apply", "host": plan.host}
    if report is not None:
        data |= {
            "steps": [r._asdict() for r in report.results],
            "unproven": [n._asdict() for n in report.unproven],
            "applied": list(report.applied),
            "undone": list(report.undone),
            "broken": list(report.broken),
            "failure": report.failure,
            "remaining": [] if remaining is None else [c.resource for c in remaining.changes],
        }
    return data
