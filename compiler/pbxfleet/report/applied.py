"""What an apply did, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pbxfleet.model.asking import CallsSeen
from pbxfleet.model.plan import ApplyReport, Change, Do, Downtime, Plan, Verb
from pbxfleet.report.paint import visible
from pbxfleet.report.plan_json import debts_data
from pbxfleet.report.plan_text import left_out, note_lines
from pbxfleet.report.summary import counted

STOPPED = "PLN130"
LISTED = 10  # instances whose downtime has a line of its own


def applied_text(plan: Plan, report: ApplyReport | None, remaining: Plan | None) -> str:
    """The end of an apply for people: what was done, what was not, and what to do then."""
    host = visible(plan.host)
    if report is None:
        # A setting that the PBX refuses is nothing to do, and yet not as declared: nobody was asked
        # to approve a plan, so nobody has read it there.
        return "\n".join([*note_lines(plan.notes), f"{host}: nothing to do{left_out(plan)}"]) + "\n"
    lines = note_lines(report.unproven)
    if report.failure:
        return "\n".join(lines + _failure_lines(plan, report)) + "\n"
    lines += _downtime_lines(report.downtimes)
    lines += _left_lines(report, remaining)
    lines.append(f"{host}: applied, {counted(_done(report), 'step')}{_interrupted(plan, report)}")
    if remaining is not None and not remaining.is_empty:
        names = dict.fromkeys(c.instance for c in _still_to_do(remaining))
        names.update(dict.fromkeys(n.instance for n in remaining.blocked))
        for abandoned in report.abandoned:
            names.pop(abandoned.instance, None)
        if names:
            text = f"  a second look still differs: {_names(names)}; run pbxfleet plan {host}"
            lines.append(text)
    return "\n".join(lines) + "\n"


def _still_to_do(remaining: Plan) -> list[Change]:
    """What a second look wants to change; a directory that is kept is no difference."""
    return [change for change in remaining.changes if change.action is not Verb.KEEP]


def _left_lines(report: ApplyReport, remaining: Plan | None) -> list[str]:
    """Calls that were cut, and instances that are left for another run."""
    cut = [f"  {visible(c.instance)}: {_calls_cut(c)}" for c in report.cut]
    left = [f"  {visible(a.instance)} stays as it was: {visible(a.why)}" for a in report.abandoned]
    waits = remaining.waits if remaining is not None else ()
    names = {a.instance for a in report.abandoned}
    return [
        *cut,
        *left,
        *(
            f"  {visible(w.instance or 'host')} {visible(w.text)}"
            for w in waits
            if w.instance not in names
        ),
    ]


def _calls_cut(calls: CallsSeen) -> str:
    if calls.number is None:
        return f"stopped, how many calls that cut is not known: {visible(calls.why)}"
    return f"{counted(calls.number, 'call')} cut"


def _failure_lines(plan: Plan, report: ApplyReport) -> list[str]:
    host = visible(plan.host)
    lines = [f"error[{STOPPED}]: {visible(report.failure)}"]
    for text, names in (
        ("put back as it was", report.undone),
        ("could NOT be put back", report.broken),
        ("applied", report.applied),
    ):
        if names:
            lines.append(f"  {text}: {_names(names)}")
    lines += [
        f"  step {r.number}: {visible(r.message)}"
        for r in report.results
        if _says(r.result, r.message)
    ]
    lines += _downtime_lines(report.downtimes)
    lines += _left_lines(report, None)
    waiting = sum(1 for r in report.results if r.result == "not started")
    stopped = f"{counted(_done(report), 'step')} done, {waiting} not started"
    return [
        *lines,
        f"{host}: stopped, {stopped}{_interrupted(plan, report)}",
        f"hint: mend the cause, then run pbxfleet plan {host} and apply again",
    ]


def _downtime_lines(downtimes: Sequence[Downtime]) -> list[str]:
    """How long callers could not get through, a line for each instance while they are few."""
    if len(downtimes) <= LISTED:
        return [f"  {visible(d.instance)} was down for {_spent(d)}" for d in downtimes]
    shortest, longest = (pick(downtimes, key=lambda d: d.seconds) for pick in (min, max))
    return [
        f"  {len(downtimes)} instances were down one after the other, for {shortest.seconds:.2f} s "
        f"to {longest.seconds:.2f} s; longest {visible(longest.instance)}: {_spent(longest)}"
    ]


def _spent(downtime: Downtime) -> str:
    if downtime.own_seconds is None:
        return f"{downtime.seconds:.2f} s, and runs as before"
    return f"{downtime.seconds:.2f} s, {downtime.own_seconds:.2f} s of it for our own work"


def _says(result: str, message: str) -> bool:
    """Whether a step has more to say than what stands in the failure itself."""
    return bool(message) and (result == "undone" or "could not be undone" in message)


def _names(names: Iterable[str]) -> str:
    return visible(", ".join(name or "host" for name in names))


def _done(report: ApplyReport) -> int:
    return sum(1 for r in report.results if r.result == "done")


def _interrupted(plan: Plan, report: ApplyReport) -> str:
    """How many instances were stopped, for a moment or for good."""
    begun = {r.number for r in report.results if r.result != "not started"}
    stopped = {s.wave for s in plan.steps if s.do is Do.STOP and s.number in begun}
    return f", {counted(len(stopped), 'instance')} interrupted" if stopped else ""


def applied_data(plan: Plan, report: ApplyReport | None, remaining: Plan | None) -> dict[str, Any]:
    """The end of an apply as plain data; `outcome` is the command's to add."""
    data: dict[str, Any] = {"format": 1, "kind": "apply", "host": plan.host}
    if report is not None:
        data |= {
            "steps": [r._asdict() for r in report.results],
            "unproven": [n._asdict() for n in report.unproven],
            "applied": list(report.applied),
            "undone": list(report.undone),
            "broken": list(report.broken),
            "failure": report.failure,
            "downtimes": [_rounded(d) for d in report.downtimes],
            "abandoned": [a._asdict() for a in report.abandoned],
            "cut": [c._asdict() for c in report.cut],
            "waits": [] if remaining is None else [w.instance for w in remaining.waits],
            "debts": [] if remaining is None else debts_data(remaining.debts),
            "remaining": [] if remaining is None else [c.resource for c in _still_to_do(remaining)],
        }
    return data


def _rounded(downtime: Downtime) -> dict[str, Any]:
    """Milliseconds are what a clock around so many system calls can tell."""
    own = downtime.own_seconds
    return {
        "instance": downtime.instance,
        "seconds": round(downtime.seconds, 3),
        "own_seconds": None if own is None else round(own, 3),
    }
