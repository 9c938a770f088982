"""A plan as people read it: what changes, whose change it was, what it costs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pbxfleet.model.asking import CallsSeen
from pbxfleet.model.plan import Change, FieldDelta, Note, Plan, Status, Verb, Waiting
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
    Verb.KEEP: (".", "dim"),
    Verb.MOVE: (">", "yellow"),
}
FOLD_FROM = 6  # so many fields of a file that is new are summed up in one line
NAMED = 8  # so many instances are named in one line


def plan_text(plan: Plan, paint: Paint = PLAIN) -> str:
    """The whole plan; the last line is the headline, since that is where a terminal stops."""
    lines: list[str] = []
    for instance, changes in _by_instance(plan.changes).items():
        lines.append(paint("bold", visible(instance or f"host {plan.host}")))
        if is_new(changes):
            lines.append(new_line(changes, paint))
        else:
            for change in changes:
                lines += _change_lines(change, paint)
        lines.append("")
    for waiting in plan.waits:
        lines += _waiting_lines(waiting, paint)
    lines += note_lines(plan.notes, paint)
    lines += [""] if plan.notes else []
    lines.append(headline(plan, paint))
    return "\n".join(lines) + "\n"


def headline(plan: Plan, paint: Paint = PLAIN) -> str:
    """One sentence: what it amounts to, in instances, restarts, files and settings."""
    counts = summary(plan)
    host = visible(plan.host)
    left = left_out(plan)
    if plan.is_empty:
        return f"{host}: nothing to do{left}"
    parts = _parts(plan, counts, paint) if plan.steps else ["nothing changes"]
    text = f"{host}: " + "; ".join([*_cost(plan, counts, paint), ", ".join(parts)])
    if plan.outdated and not plan.steps:
        text += f", {counted(len(plan.outdated), 'record')} to bring up to date"
    if plan.waits:
        names = tuple(w.instance or "the host's own files" for w in plan.waits)
        verb = "waits for its" if len(names) == 1 else "wait for their"
        text += "; " + paint("yellow", f"{len(names)} {verb} maintenance window ({_names(names)})")
    if counts.drifted:
        text += f"; {counts.drifted} changed on the host behind the repository's back"
    if counts.conflicts:
        text += "; " + paint("red", counted(counts.conflicts, "conflict"))
    if counts.blocked:
        text += "; " + paint("red", f"cannot be applied: {counted(counts.blocked, 'problem')}")
    return text + left


def left_out(plan: Plan) -> str:
    """For the end of a headline: how much differs that the plan was not asked for; else nothing."""
    return f"; {counted(len(plan.left), 'difference')} left out" if plan.left else ""


def _cost(plan: Plan, counts: Summary, paint: Paint) -> list[str]:
    """What it costs callers, which is read first: restarts with the calls on them, and what is free."""
    found = []
    if counts.restarts:
        verb = "instance restarts" if len(counts.restarts) == 1 else "instances restart"
        text = paint("red", f"{len(counts.restarts)} {verb} ({_names(counts.restarts)})")
        found.append(", ".join(filter(None, (text, _calls(plan.calls, counts.restarts)))))
    if counts.live:
        verb = "changes" if counts.live == 1 else "change"
        found.append(f"{counted(counts.live, 'setting')} {verb} live")
    return found


def _calls(asked: Iterable[CallsSeen], names: Collection[str]) -> str:
    """Calls on these instances; what is not known is said, and why. Empty where nobody was asked."""
    seen = [calls for calls in asked if calls.instance in names]
    known = [calls.number for calls in seen if calls.number is not None]
    missing = [calls for calls in seen if calls.number is None]
    on = "it" if len(seen) == 1 else "them"
    if not missing:
        return f"{counted(sum(known), 'call')} on {on} now" if seen else ""
    whys = dict.fromkeys(calls.why for calls in missing)
    why = visible(next(iter(whys)) if len(whys) == 1 else f"{len(whys)} reasons")
    if not known:
        return f"calls not known: {why}"
    of = _names(tuple(calls.instance for calls in missing))
    return f"{counted(sum(known), 'call')} on them now without {of} (calls not known: {why})"


def _parts(plan: Plan, counts: Summary, paint: Paint) -> list[str]:
    parts = []
    if counts.instances or not counts.removed:
        parts = [counted(len(counts.instances), "instance") + " changed"]
        parts += [] if counts.restarts else ["no restart of a running instance"]
    if counts.removed:
        text = paint("red", f"{len(counts.removed)} removed ({_names(counts.removed)})")
        parts.append(", ".join(filter(None, (text, _calls(plan.calls, counts.removed)))))
    return [*parts, counted(counts.files, "file"), counted(counts.settings, "setting")]


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return visible(", ".join(names[:NAMED])) + more


def _waiting_lines(waiting: Waiting, paint: Paint) -> list[str]:
    """What an instance is left as it is for, and what it will be then."""
    lines = [
        f"{paint('bold', visible(waiting.instance or 'host'))} {paint('yellow', visible(waiting.text))}"
    ]
    for change in waiting.changes:
        lines += [paint("dim", line) for line in _change_lines(change, PLAIN)]
    return [*lines, ""]


def _by_instance(changes: Iterable[Change]) -> dict[str, list[Change]]:
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.instance, []).append(change)
    return grouped


def is_new(changes: Sequence[Change]) -> bool:
    """Whether an instance is made from nothing: then one line says it all; rendered/ has the contents."""
    made = (Verb.CREATE, Verb.START, Verb.ENABLE)
    kinds = {c.kind for c in changes}
    return {Kind.DIRECTORY, Kind.SETTINGS, Kind.SERVICE} <= kinds and all(
        c.action in made and c.status is Status.PENDING for c in changes
    )


def new_line(changes: Sequence[Change], paint: Paint = PLAIN) -> str:
    """What is made for a new instance, in one line."""
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
    name = visible(change.resource.partition(":")[2])
    reason = visible(change.reason)
    if change.kind is Kind.SERVICE:
        reason = f"{change.action}: {reason}"
    if change.status in (Status.DRIFT, Status.CONFLICT):
        reason = paint("yellow", f"[{change.status}] ") + reason
    line = f"  {paint(style, sign)} {change.kind!s:<9} {name}   {reason}"
    if change.action is Verb.CREATE and change.kind is not Kind.SETTINGS:
        return [line]
    if change.kind is Kind.DIRECTORY:  # its fields are in the reason, as people write sizes
        return [line]
    if change.action is Verb.CREATE and len(change.fields) >= FOLD_FROM:
        return [f"{line}, {counted(len(change.fields), 'declared setting')}"]
    return [line, *(_field_line(f, change, paint) for f in change.fields)]


def _field_line(field: FieldDelta, change: Change, paint: Paint) -> str:
    text = f"      {visible(field.name)}: {shown(field.before)} -> {shown(field.after)}"
    if field.status is not change.status:
        text += f" [{field.status}]"
    if field.origin and field.name != "content":
        text += "   " + paint("dim", visible(field.origin))
    return text


def shown(value: str | None) -> str:
    """A value in a line of text: what is not there, and what is empty, can be told apart."""
    if value is None:
        return "(none)"
    return visible(value) if value else '""'


def note_lines(notes: Iterable[Note], paint: Paint = PLAIN) -> list[str]:
    """Notes for people, each with its hint on a line of its own."""
    lines = []
    for note in notes:
        style = "red" if note.severity == "error" else "yellow"
        where = f"{visible(note.instance)}: " if note.instance else ""
        lines.append(
            f"{paint(style, f'{note.severity}[{note.code}]')}: {where}{visible(note.message)}"
        )
        if note.hint:
            lines.append(f"  hint: {visible(note.hint)}")
    return lines
