"""A plan as people read it: what changes, whose change it was, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pbxfleet.model.plan import Change, FieldDelta, Note, Plan, Status, Verb
from pbxfleet.model.target import Kind
from pbxfleet.report.paint import PLAIN, Paint, visible
from pbxfleet.report.summary import Summary, counted, summary

SIGNS = {
    Verb.CREATE: ("+", "green"),
    Verb.UPDATE: ("~", "yellow"),
    Verb.REMOVE: ("-", "red"),
    Verb.START: ("^", "green"),
    Verb.RESTART: ("!", "red"),
    Verb.ENABLE: ("+", "green"),
    Verb.STOP: ("-", "red"),
    Verb.KEEP: (".", "dim"),
}
FOLD_FROM = 6  # so many fields of a file that is new are summed up in one line


def plan_text(plan: Plan, paint: Paint = PLAIN) -> str:
    """The whole plan; the last line is the headline, since that is where a terminal stops."""
    if plan.is_empty and not plan.notes:
        return f"{plan.host}: nothing to do\n"
    lines: list[str] = []
    for instance, changes in _by_instance(plan.changes).items():
        lines.append(paint("bold", instance or f"host {plan.host}"))
        if _is_new(changes):
            lines.append(_new_line(changes, paint))
        else:
            for change in changes:
                lines += _change_lines(change, paint)
        lines.append("")
    lines += _note_lines(plan.notes, paint)
    lines.append(headline(plan, paint))
    return "\n".join(lines) + "\n"


def headline(plan: Plan, paint: Paint = PLAIN) -> str:
    """One sentence: what it amounts to, in instances, restarts, files and settings."""
    counts = summary(plan)
    if plan.is_empty:
        return f"{plan.host}: nothing to do"
    if not plan.steps:
        return f"{plan.host}: nothing changes, {counted(len(plan.outdated), 'record')} to bring up to date"
    parts = [counted(len(counts.instances), "instance") + " changed"]
    parts.append(_restarts(counts, paint))
    if counts.removed:
        parts.append(paint("red", f"{len(counts.removed)} removed ({', '.join(counts.removed)})"))
    parts += [counted(counts.files, "file"), counted(counts.settings, "setting")]
    text = f"{plan.host}: " + ", ".join(parts)
    if counts.drifted:
        text += f"; {counts.drifted} changed on the host behind the repository's back"
    if counts.conflicts:
        text += "; " + paint("red", counted(counts.conflicts, "conflict"))
    if counts.blocked:
        text += "; " + paint("red", f"cannot be applied: {counted(counts.blocked, 'problem')}")
    return text


def _restarts(counts: Summary, paint: Paint) -> str:
    if not counts.restarts:
        return "no restart of a running instance"
    names = ", ".join(counts.restarts[:8])
    more = f" and {len(counts.restarts) - 8} more" if len(counts.restarts) > 8 else ""
    return paint("red", f"{counted(len(counts.restarts), 'restart')} ({names}{more})")


def _by_instance(changes: Iterable[Change]) -> dict[str, list[Change]]:
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.instance, []).append(change)
    return grouped


def _is_new(changes: Sequence[Change]) -> bool:
    """Whether an instance is made from nothing: then one line says it all; rendered/ has the contents."""
    made = (Verb.CREATE, Verb.START, Verb.ENABLE)
    kinds = {c.kind for c in changes}
    return {Kind.DIRECTORY, Kind.SETTINGS, Kind.SERVICE} <= kinds and all(
        c.action in made and c.status is Status.PENDING for c in changes
    )


def _new_line(changes: Sequence[Change], paint: Paint) -> str:
    count = {kind: sum(1 for c in changes if c.kind is kind) for kind in Kind}
    settings = next(c for c in changes if c.kind is Kind.SETTINGS)
    service = next(c for c in changes if c.kind is Kind.SERVICE)
    folder = next(c.path for c in changes if c.kind is Kind.DIRECTORY)
    what = ", ".join(
        (
            counted(count[Kind.FILE], "file"),
            counted(count[Kind.ARTEFACT], "release file"),
            f"pbx.xml with {counted(len(settings.fields), 'declared setting')}",
        )
    )
    done = "started" if service.action is Verb.START else "enabled"
    return f"  {paint('green', '+')} new in {visible(folder)}: {what}; {done}"


def _change_lines(change: Change, paint: Paint) -> list[str]:
    sign, style = SIGNS[change.action]
    name = change.resource.partition(":")[2]
    head = f"  {paint(style, sign)} {change.kind!s:<9} {visible(name)}"
    reason = change.reason
    if change.kind is Kind.SERVICE:
        reason = f"{change.action}: {reason}"
    if change.status in (Status.DRIFT, Status.CONFLICT):
        reason = paint("yellow", f"[{change.status}] ") + reason
    lines = [f"{head}   {reason}"]
    if change.action is Verb.CREATE and change.kind is not Kind.SETTINGS:
        return lines
    if change.action is Verb.CREATE and len(change.fields) >= FOLD_FROM:
        return [f"{lines[0]}, {counted(len(change.fields), 'declared setting')}"]
    return lines + [_field_line(f, change, paint) for f in change.fields]


def _field_line(field: FieldDelta, change: Change, paint: Paint) -> str:
    text = f"      {visible(field.name)}: {_shown(field.before)} -> {_shown(field.after)}"
    if field.status is not change.status:
        text += f" [{field.status}]"
    if field.origin and field.name != "content":
        text += "   " + paint("dim", field.origin)
    return text


def _shown(value: str | None) -> str:
    if value is None:
        return "(none)"
    return visible(value) if value else '""'


def _note_lines(notes: Iterable[Note], paint: Paint) -> list[str]:
    lines = []
    for note in notes:
        style = "red" if note.severity == "error" else "yellow"
        where = f"{note.instance}: " if note.instance else ""
        lines.append(
            f"{paint(style, f'{note.severity}[{note.code}]')}: {where}{visible(note.message)}"
        )
        if note.hint:
            lines.append(f"  hint: {note.hint}")
    return [*lines, ""] if lines else []
