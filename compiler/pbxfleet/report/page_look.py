"""What is known of a machine itself: pending changes folded, drift with its age, restarts that are owed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pbxfleet.model.debt import RestartDebt, by_instance, owed_text
from pbxfleet.model.drift import UNKNOWN, DriftItem
from pbxfleet.model.folding import filled, fold, ranges
from pbxfleet.model.host_map import Placed
from pbxfleet.model.picture import HostLook, HostPicture
from pbxfleet.model.plan import Change, FieldDelta, Note, Plan, Status
from pbxfleet.model.target import IMPACT_ORDER, Impact, Kind
from pbxfleet.report.html import Child, Markup, element, joined
from pbxfleet.report.page_tables import Column, table
from pbxfleet.report.plan_text import headline, is_new, new_line, shown
from pbxfleet.report.summary import counted

IMPACTS: Mapping[Impact, str] = {
    Impact.NONE: "no interruption",
    Impact.LIVE: "live",
    Impact.RESTART: "restart",
}
FIELDS_AT_MOST = 40  # of one resource that are listed
DAY_S = 86400


class Block(NamedTuple):
    """Instances with the same changes; `changes` are a pattern where there are several."""

    names: tuple[str, ...]
    changes: tuple[Change, ...]


def look_parts(picture: HostPicture) -> Markup:
    """Everything that is known of the machine; one sentence where that is nothing."""
    look, host = picture.look, picture.map.host
    if not look.sources:
        return element(
            "p", "Pending changes, drift and restarts owed: not looked at.", class_="unknown"
        )
    parts: list[Child] = []
    if look.plan is not None:
        parts.append(_pending(host, look.plan, picture.map.instances))
    elif look.pending is not None:
        text = f"{counted(look.pending, 'declared change')} not applied yet"
        parts.append(element("p", text, class_="pending"))
    if look.drift is not None:
        parts.append(_drift(host, look.drift))
    if look.debts:
        parts.append(_debts(host, look.debts))
    elif look.debts is not None:
        parts.append(element("p", "No restart is owed."))
    missing = _not_known(look)
    if missing:
        parts.append(element("p", f"Not looked at: {missing}.", class_="unknown"))
    return joined(parts)


def _not_known(look: HostLook) -> str:
    known = {
        "pending changes": look.plan is not None or look.pending is not None,
        "drift": look.drift is not None,
        "restarts owed": look.debts is not None,
    }
    return ", ".join(name for name, is_known in known.items() if not is_known)


def blocks(changes: Iterable[Change], words: Mapping[str, Mapping[str, str]]) -> tuple[Block, ...]:
    """The changes by instance, and instances with the same ones together.

    `words` are what an instance has of its own, by placeholder. What restarts most comes first.
    """
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.instance, []).append(change)
    folds = fold(
        grouped.items(),
        lambda item: tuple(_without_place(change) for change in item[1]),
        lambda item: words.get(item[0], {}),
    )
    found = [Block(tuple(n for n, _ in one.items), filled(one.pattern, {})) for one in folds]
    return tuple(sorted(found, key=lambda b: (-_impact(b.changes), -len(b.names), b.names)))


def words_of(instances: Iterable[Placed]) -> dict[str, dict[str, str]]:
    """What each instance has of its own, by placeholder."""
    return {
        one.name: {
            "instance": one.name,
            **{f"address{n}": address for n, address in enumerate(one.addresses, 1)},
        }
        for one in instances
    }


def _without_place(change: Change) -> Change:
    fields = tuple(field._replace(origin="") for field in change.fields)
    return change._replace(instance="", origin=(), fields=fields)


def _impact(changes: Iterable[Change]) -> int:
    return max(IMPACT_ORDER.index(change.impact) for change in changes)


def _pending(host: str, plan: Plan, instances: Iterable[Placed]) -> Markup:
    found = blocks(plan.changes, words_of(instances))
    return joined(
        (
            element("h4", f"Pending changes of {host}"),
            element("p", headline(plan), class_="pending"),
            element("ul", map(_note, plan.notes), class_="notes") if plan.notes else None,
            element("ol", map(_block, found), class_="changes") if found else None,
        )
    )


def _note(note: Note) -> Markup:
    where = f"{note.instance}: " if note.instance else ""
    hint = element("small", note.hint) if note.hint else None
    return element(
        "li", element("b", f"{note.severity} {note.code}"), f" {where}{note.message}", hint
    )


def _block(block: Block) -> Markup:
    named = [name for name in block.names if name]
    who = ranges(named) if named else "the host itself"
    count = f" ({len(named)} instances)" if len(named) > 1 else ""
    impact = IMPACT_ORDER[_impact(block.changes)]
    new = is_new(block.changes)
    return element(
        "li",
        element("b", who),
        count,
        " ",
        element("span", IMPACTS[impact], class_=f"chip {impact}"),
        element("ul", element("li", new_line(block.changes).strip()))
        if new
        else element("ul", map(_change, block.changes)),
    )


def _change(change: Change) -> Markup:
    name = change.resource.partition(":")[2]
    whose = f" [{change.status}]" if change.status in (Status.DRIFT, Status.CONFLICT) else ""
    fields = () if change.kind is Kind.DIRECTORY else change.fields
    left = len(fields) - FIELDS_AT_MOST
    items = [_field(field, change) for field in fields[:FIELDS_AT_MOST]]
    if left > 0:
        items.append(element("li", f"and {counted(left, 'more field')}"))
    return element(
        "li",
        f"{change.action} {change.kind} ",
        element("code", name),
        f"{whose}: {change.reason}" if change.reason else whose,
        element("ul", items) if items else None,
    )


def _field(field: FieldDelta, change: Change) -> Markup:
    whose = f" [{field.status}]" if field.status is not change.status else ""
    before, after = (element("code", shown(value)) for value in (field.before, field.after))
    return element("li", f"{field.name}: ", before, " → ", after, whose)


def _drift(host: str, items: Sequence[DriftItem]) -> Markup:
    if not items:
        return element("p", "No drift: the machine is as it was applied last.", class_="fine")
    folds = fold(
        sorted(items, key=lambda item: (item.first_seen, item.place)),
        lambda i: (i.kind, i.resource, i.name, i.applied, i.observed, i.who, i.evidence, _age(i)),
        lambda i: {"instance": i.instance} if i.instance else {},
    )
    rows = [(one.items, filled(one.pattern, {})) for one in folds]
    columns = [
        Column("Class", [pattern[0] for _, pattern in rows]),
        Column("Where", [_where(same, pattern[1]) for same, pattern in rows], "text"),
        Column("What differs", [_difference(*pattern[2:5]) for _, pattern in rows], "text"),
        Column("Who", [_who(*pattern[5:7]) for _, pattern in rows], "text"),
        Column("Seen", [pattern[7] for _, pattern in rows], "text"),
    ]
    return joined(
        (
            element("h4", f"Drift of {host}"),
            table(f"What somebody else changed on {host}", columns, class_="drift"),
        )
    )


def _where(items: Sequence[DriftItem], resource: str) -> Markup:
    names = ranges(item.instance for item in items if item.instance) or "the host itself"
    return joined((element("b", names), element("small", resource)))


def _difference(name: str, applied: str | None, observed: str | None) -> Markup:
    if applied is None and observed in (None, name):
        return joined((name,))
    before, after = (element("code", shown(value)) for value in (applied, observed))
    return joined((f"{name}: ", before, " → ", after))


def _who(who: str, evidence: str) -> Child:
    if who == UNKNOWN:
        return "not known"
    return joined((who, element("small", evidence) if evidence else None))


def _age(item: DriftItem) -> str:
    """Since when, how long that was when it was seen last, how often: from its own dates alone."""
    if not item.first_seen:
        return "not remembered"
    parts = [f"since {item.first_seen}"]
    if item.last_seen:
        days = _days(item.first_seen, item.last_seen)
        parts += [counted(days, "day")] if days else []
    parts += [f"seen {item.sightings} times in a row"] if item.sightings > 1 else []
    parts += [f"came back {counted(item.flaps, 'time')}"] if item.flaps else []
    return ", ".join(parts)


def _days(first: str, last: str) -> int:
    try:
        seconds = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
    except (ValueError, TypeError):
        return 0  # a document that somebody else wrote: no age is better than a wrong one
    return max(int(seconds // DAY_S), 0)


def _debts(host: str, debts: Sequence[RestartDebt]) -> Markup:
    items: Iterator[Markup] = (
        element("li", element("b", name), f": {owed_text(owed)}")
        for name, owed in sorted(by_instance(debts).items())
    )
    return joined((element("h4", f"Restarts owed on {host}"), element("ul", items)))
