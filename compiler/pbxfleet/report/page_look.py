"""What is known of a machine itself: pending changes folded, drift with its age, restarts that are owed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pbxfleet.model.debt import RestartDebt, by_instance, owed_text
from pbxfleet.model.drift import UNKNOWN, DriftItem
from pbxfleet.model.folding import filled, fold, ranges
from pbxfleet.model.picture import HostLook, HostPicture
from pbxfleet.report.html import Child, Markup, element, joined
from pbxfleet.report.page_pending import pending_part
from pbxfleet.report.page_tables import Column, table
from pbxfleet.report.plan_text import shown
from pbxfleet.report.summary import counted

DAY_S = 86400


def look_parts(picture: HostPicture) -> Markup:
    """Everything that is known of the machine; one sentence where that is nothing."""
    look, host = picture.look, picture.map.host
    if not look.sources:
        return element(
            "p", "Pending changes, drift and restarts owed: not looked at.", class_="unknown"
        )
    parts: list[Child] = []
    if look.plan is not None:
        parts.append(pending_part(host, look.plan, picture.map.instances))
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
    return joined(
        ("not known" if who == UNKNOWN else who, element("small", evidence) if evidence else None)
    )


def _age(item: DriftItem) -> str:
    """Since when, how long that was when it was seen last, how often: from its own dates alone."""
    if not item.first_seen:
        return "since when is not known"
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
