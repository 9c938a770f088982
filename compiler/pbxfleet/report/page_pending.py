"""Pending changes of a host on the report page: the same change in many instances is one row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from pbxfleet.model.folding import filled, fold, ranges
from pbxfleet.model.host_map import Placed
from pbxfleet.model.plan import Change, FieldDelta, Note, Plan, Status, Waiting
from pbxfleet.model.target import IMPACT_ORDER, Impact, Kind
from pbxfleet.report.html import Markup, element, joined
from pbxfleet.report.page_tables import Column, table
from pbxfleet.report.plan_text import headline, is_new, new_line, shown
from pbxfleet.report.summary import counted

IMPACTS: Mapping[Impact, str] = {
    Impact.NONE: "none",
    Impact.LIVE: "live",
    Impact.RESTART: "restart",
}


class Said(NamedTuple):
    """What is said of one field, or of a resource as such (`name` "" there)."""

    what: str
    name: str
    before: str
    after: str
    status: str
    impact: str


class Item(NamedTuple):
    """What is said of one instance, "" for the host itself, and why that is so; `why` may be ""."""

    instance: str
    said: Said
    why: str


class Row(NamedTuple):
    """Instances of which the same is said; `said` has placeholders for their names."""

    names: tuple[str, ...]
    said: Said
    whys: tuple[str, ...]


def rows(changes: Iterable[Change], words: Mapping[str, Mapping[str, str]]) -> tuple[Row, ...]:
    """Everything that a plan changes, what is dearest and most frequent first; nothing is left out.

    `words` are what an instance has of its own, by placeholder.
    """
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.instance, []).append(change)
    items = [item for of in grouped.values() for item in _of_instance(of)]
    folds = fold(items, lambda item: item.said, lambda item: own_words(item.instance, words))
    found = [
        Row(
            tuple(item.instance for item in one.items),
            filled(one.pattern, {}),
            tuple(sorted({item.why for item in one.items} - {""})),
        )
        for one in folds
    ]
    order = [str(impact) for impact in IMPACT_ORDER]
    return tuple(
        sorted(found, key=lambda row: (-order.index(row.said.impact), -len(row.names), row))
    )


def own_words(name: str, words: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """What an instance has of its own; of one that is no longer declared its name is known."""
    return words.get(name, {"instance": name} if name else {})


def _of_instance(changes: list[Change]) -> Iterator[Item]:
    if is_new(changes):
        impact = max((change.impact for change in changes), key=IMPACT_ORDER.index)
        text = new_line(changes).strip().removeprefix("+ ")
        yield Item(changes[0].instance, Said(text, "", "", "", "", impact.value), "")
        return
    for change in changes:
        fields = () if change.kind is Kind.DIRECTORY else change.fields
        for field in fields or (None,):
            # The reason is that of the whole: of a field that differs for another one it is not said.
            same = field is None or field.status is change.status
            yield Item(change.instance, _said(change, field), change.reason if same else "")


def _said(change: Change, field: FieldDelta | None) -> Said:
    # The place of pbx.xml is that of its instance, which stands beside it.
    name = "of pbx.xml" if change.kind is Kind.SETTINGS else change.resource.partition(":")[2]
    status = change.status if field is None else field.status
    return Said(
        f"{change.action} {change.kind} {name}",
        "" if field is None else field.name,
        "" if field is None else shown(field.before),
        "" if field is None else shown(field.after),
        str(status) if status in (Status.DRIFT, Status.CONFLICT) else "",
        change.impact.value,
    )


def words_of(instances: Iterable[Placed]) -> dict[str, dict[str, str]]:
    """What each instance has of its own, by placeholder."""
    return {
        one.name: {
            "instance": one.name,
            **{f"address{n}": address for n, address in enumerate(one.addresses, 1)},
        }
        for one in instances
    }


def pending_part(host: str, plan: Plan, instances: Iterable[Placed]) -> Markup:
    """The headline of the plan, its notes, a row for everything that changes, and what waits for when."""
    words = words_of(instances)
    return joined(
        (
            element("h4", f"Pending changes of {host}"),
            element("p", headline(plan)),
            _notes(plan.notes, words),
            _changes(f"Pending changes of {host}", plan.changes, words),
            *_waiting(host, plan.waits, words),
        )
    )


def _waiting(
    host: str, waits: Iterable[Waiting], words: Mapping[str, Mapping[str, str]]
) -> Iterator[Markup]:
    """What waits for a maintenance window: one table for each moment at which one opens."""
    grouped: dict[tuple[str, str], list[Change]] = {}
    for one in waits:
        grouped.setdefault((one.opens, one.text), []).extend(one.changes)
    for (opens, text), changes in sorted(grouped.items()):
        when = f" ({opens})" if opens else ""
        yield element("p", element("b", f"{text[:1].upper()}{text[1:]}"), when)
        name = f"Waiting changes of {host}" + (f", {opens}" if opens else "")
        yield joined((_changes(name, changes, words),))


def _changes(
    name: str, changes: Iterable[Change], words: Mapping[str, Mapping[str, str]]
) -> Markup | None:
    found = rows(changes, words)
    columns = [
        Column("Instances", [_who(row.names, words) for row in found], "text"),
        Column("Change", [_what(row.said) for row in found], "text"),
        Column("Before and after", [_values(row.said) for row in found], "text"),
        Column("Costs", [_cost(row.said) for row in found], "one"),
        Column("Why", ["; ".join(row.whys) for row in found], "text"),
    ]
    return table(name, columns, class_="pending") if found else None


def _who(names: Iterable[str], known: Collection[str]) -> Markup:
    named = sorted(filter(None, names))
    if not named:
        return joined(("the host itself",))
    if len(named) > 2 and len(named) == len(known):
        return joined((f"all {len(named)} instances",))
    count = element("small", counted(len(named), "instance")) if len(named) > 1 else None
    return joined((ranges(named), count))


def _what(said: Said) -> Markup:
    if not said.name:
        return joined((said.what,))
    return joined((element("b", said.name), element("small", said.what)))


def _values(said: Said) -> Markup | None:
    if not said.name:
        return None
    whose = f" [{said.status}]" if said.status else None
    return joined((element("code", said.before), " → ", element("code", said.after), whose))


def _cost(said: Said) -> Markup:
    return element("span", IMPACTS[Impact(said.impact)], class_=f"chip {said.impact}")


def _notes(notes: Iterable[Note], words: Mapping[str, Mapping[str, str]]) -> Markup | None:
    """The same note about many instances is one."""
    folds = fold(
        notes,
        lambda note: (note.severity, note.code, note.message, note.hint),
        lambda note: own_words(note.instance, words),
    )
    items = []
    for one in folds:
        severity, code, message, hint = filled(one.pattern, {})
        named = [note.instance for note in one.items if note.instance]
        where = f"{ranges(named)}: " if named else ""
        more = element("small", hint) if hint else None
        items.append(element("li", element("b", f"{severity} {code}"), f" {where}{message}", more))
    return element("ul", items, class_="notes") if items else None
