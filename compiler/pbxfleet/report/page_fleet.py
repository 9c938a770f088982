"""The fleet on the report page: figures, what needs attention, a row for each host, pairs, losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from pbxfleet.model.capacity import Capacity, Supply
from pbxfleet.model.host_map import Placed
from pbxfleet.model.picture import Finding, FleetPicture, HostPicture
from pbxfleet.report.html import Child, Markup, element, joined
from pbxfleet.report.page_attention import KNOW, NOW, SOON, Attention, owing, pending
from pbxfleet.report.page_ids import host_id
from pbxfleet.report.page_tables import Column, stack, table
from pbxfleet.report.rehearsal import NOTES, missing_lines
from pbxfleet.report.summary import counted

URGENCY: Mapping[str, str] = {NOW: "Now", SOON: "Soon", KNOW: "To know"}


def figures(picture: FleetPicture) -> Markup:
    """The fleet in a few numbers."""
    capacities = [host.capacity for host in picture.hosts]
    rooms = [one.room for one in capacities if one.room is not None]
    shown = [
        (len(picture.hosts), "host", "hosts"),
        (sum(one.instances for one in capacities), "instance", "instances"),
        (sum(one.tenants for one in capacities), "tenant", "tenants"),
    ]
    items = [(f"{number:,}", one if number == 1 else many) for number, one, many in shown]
    if rooms and len(rooms) == len(capacities):
        items.append((f"{sum(rooms):,}", "more would fit"))
    items += [(price, "per month") for price in _prices(capacities)]
    return element(
        "ul",
        (element("li", element("b", number), " ", word) for number, word in items),
        class_="figures-row",
    )


def _prices(capacities: Iterable[Capacity]) -> list[str]:
    """The declared prices, one sum for each currency."""
    sums: dict[str, Decimal] = {}
    for one in capacities:
        if one.costs is not None:
            sums[one.costs.currency] = sums.get(one.costs.currency, Decimal(0)) + one.costs.price
    return [f"{sums[currency]:,.2f} {currency}" for currency in sorted(sums)]


def attention_list(found: Sequence[Attention]) -> Markup:
    """What needs attention, the most urgent first."""
    if not found:
        return element("p", "Nothing in the repository needs attention.", class_="fine")
    return element("ul", map(_attention, found), class_="attention")


def _attention(one: Attention) -> Markup:
    return element(
        "li",
        element("span", URGENCY[one.urgency], class_="chip"),
        element(
            "span",
            element("a", one.text, href=f"#{one.target}"),
            element("small", one.hint) if one.hint else None,
        ),
        class_=one.urgency,
    )


def hosts_table(hosts: Sequence[HostPicture]) -> Markup:
    """One row for each host."""
    kinds = list(dict.fromkeys(s.kind for host in hosts for s in host.capacity.supplies))
    columns = [
        Column("Host", [_link(host) for host in hosts]),
        Column("Instances", [host.capacity.instances for host in hosts], "number"),
        Column("Tenants", [host.capacity.tenants for host in hosts], "number"),
    ]
    for kind in kinds:
        cells = [_share(host.capacity.supplies, kind) for host in hosts]
        columns.append(Column(kind[:1].upper() + kind[1:], cells, "share"))
    rooms = [host.capacity.room for host in hosts]
    columns.append(Column("Room", ["no limit" if r is None else r for r in rooms], "number"))
    columns.append(Column("If it is lost", [_verdict(host) for host in hosts], "one"))
    if any(host.look.sources for host in hosts):
        columns.append(Column("On the machine", [_known(host) for host in hosts], "text"))
    if any(host.capacity.costs for host in hosts):
        columns.append(Column("Per month", [_price(host.capacity) for host in hosts], "number"))
    return table("Hosts with what they hold, what is left, and what their loss means", columns,
                 class_="hosts")  # fmt: skip


def _link(host: HostPicture) -> Markup:
    return element("a", host.map.host, href=f"#{host_id(host.map.host)}")


def _share(supplies: Iterable[Supply], kind: str) -> Child:
    supply = next((s for s in supplies if s.kind == kind), None)
    if supply is None:
        return ""
    return element("span", element("span", f"{supply.free} free"), stack(supply), class_="meter")


def _verdict(host: HostPicture) -> Child:
    one = host.rehearsal
    if not one.instances:
        return "nothing to lose"
    if one.survives:
        return "all survive"
    return element("b", f"{len(one.stranded)} lost", class_="bad")


def _known(host: HostPicture) -> Markup:
    look = host.look
    if not look.sources:
        return element("span", "not looked at", class_="unknown")
    counts = (
        ("pending", pending(host)),
        ("drift", None if look.drift is None else len(look.drift)),
        ("owed", None if look.debts is None else len(owing(host))),
    )
    found = [element("b", f"{number} {what}") for what, number in counts if number]
    return joined(found, ", ") if found else joined(("nothing found",))


def _price(capacity: Capacity) -> str:
    costs = capacity.costs
    return "" if costs is None else f"{costs.price:,.2f} {costs.currency}"


def pairs_table(hosts: Sequence[HostPicture]) -> Markup:
    """Failover pairs, once each, by the name of the primary."""
    halves = [(host.map.host, i) for host in hosts for i in host.map.instances if i.half]
    known = {instance.name for _, instance in halves}
    shown = [
        (where, i)
        for where, i in sorted(halves, key=lambda pair: pair[1].name)
        if i.half and (i.half.role == "primary" or i.half.peer not in known)
    ]
    if not shown:
        return element("p", "No failover pair is declared.")
    columns = [
        Column("Primary", [_half(where, i, "primary") for where, i in shown]),
        Column("Secondary", [_half(where, i, "secondary") for where, i in shown]),
    ]
    return table("Failover pairs", columns, class_="pairs")


def _half(where: str, instance: Placed, role: str) -> Child:
    half = instance.half
    assert half is not None
    name, host = (instance.name, where) if half.role == role else (half.peer, half.peer_host)
    return joined((element("b", name), " on ", element("a", host, href=f"#{host_id(host)}")))


def losses_table(hosts: Sequence[HostPicture]) -> Markup:
    """For each host: who takes over if it is lost, where the others start, what has no place."""
    lost = [host for host in hosts if host.rehearsal.instances]
    if not lost:
        return element("p", "There is no instance that could be lost.")
    columns = [
        Column("If this host is lost", [_link(host) for host in lost]),
        Column("Taken over by a peer", [_over(host) for host in lost]),
        Column("Start elsewhere", [_starts(host) for host in lost]),
        Column("No place", [_stranded(host) for host in lost]),
    ]
    notes = element("p", f"{'; '.join(NOTES)}.") if any(h.rehearsal.starts for h in lost) else None
    return joined((table("What happens if a host is lost", columns, class_="lost"), notes))


def _over(host: HostPicture) -> Child:
    one = host.rehearsal
    parts = [_where(f"{over.instance} by {over.peer}", over.host) for over in one.takeovers]
    parts += [
        element("span", f"{left.instance} was the standby of {left.primary}") for left in one.bereft
    ]
    return joined(parts, "; ")


def _where(text: str, host: str) -> Markup:
    return joined((f"{text} on ", element("a", host, href=f"#{host_id(host)}")))


def _starts(host: HostPicture) -> Child:
    to: dict[str, list[str]] = {}
    for start in host.rehearsal.starts:
        to.setdefault(start.host, []).append(start.instance)
    return joined((_where(", ".join(to[where]), where) for where in sorted(to)), "; ")


def _stranded(host: HostPicture) -> Child:
    lines = list(missing_lines(host.rehearsal))
    if not lines:
        return ""
    return element("ul", (element("li", line) for line in lines))


def findings_table(findings: Sequence[Finding]) -> Markup:
    """What the checks say of the declarations, folded by message."""
    if not findings:
        return element("p", "The checks have nothing to say.")
    columns = [
        Column("Code", [one.code for one in findings]),
        Column("Says", [_finding(one) for one in findings]),
        Column("Where", [_places(one) for one in findings]),
    ]
    return table("What the checks say", columns, class_="findings")


def _finding(one: Finding) -> Markup:
    hint = element("small", one.hint) if one.hint else None
    return joined((f"{one.severity}: {one.message}", hint))


def _places(one: Finding) -> str:
    return one.place + (f" and {counted(one.number - 1, 'other place')}" if one.number > 1 else "")
