"""One host of the report page: what it is, its map, its instances, what it has left."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.model.capacity import Capacity
from pbxfleet.model.host_map import HostMap, Placed, PortMap
from pbxfleet.model.picture import HostPicture
from pbxfleet.report.capacity import costs_text, room_text, tenants_text
from pbxfleet.report.html import Child, Markup, element, joined
from pbxfleet.report.page_ids import host_id
from pbxfleet.report.page_look import look_parts
from pbxfleet.report.page_ports import axis, bar, port_words
from pbxfleet.report.page_slots import address_figure, core_figure
from pbxfleet.report.page_tables import Column, stack, table

TENANTS_NAMED = 8
ONE_LINE = 24  # characters that are not parted


def host_section(picture: HostPicture, *, is_open: bool) -> Markup:
    """The section of one host; its map is folded unless `is_open`."""
    name = picture.map.host
    return element(
        "section",
        element("h3", name, id=f"h:{name}"),
        element("p", _facts(picture), class_="facts"),
        element(
            "details",
            element("summary", f"Map of {name}"),
            _map(picture.map),
            _capacity(picture.capacity),
            open=is_open,
        ),
        look_parts(picture),
        class_="host",
        id=host_id(name),
        aria_labelledby=f"h:{name}",
    )


def _facts(picture: HostPicture) -> Markup:
    one, capacity = picture.map, picture.capacity
    parts: list[Child] = [
        tenants_text(capacity),
        room_text(capacity),
        " and ".join(one.standard) or "no standard address",
        one.services,
    ]
    if capacity.costs is not None:
        parts.append(costs_text(capacity))
    return joined((element("span", part) for part in parts), " · ")


def _map(one: HostMap) -> Markup:
    figures = [address_figure(one.host, found) for found in one.addresses]
    if one.cores:
        figures.append(core_figure(one.host, one.cores, one.instances))
    return joined(
        (
            element("div", figures, class_="figures") if figures else None,
            _instances(one) if one.instances else element("p", "No instance is declared here yet."),
        )
    )


def _instances(one: HostMap) -> Markup:
    """A row for each instance. What is the same in all rows is said once, above them."""
    ports = [_listens(instance) for instance in one.instances]
    columns = [
        Column("Instance", [joined((_name(i.name), _pair(i))) for i in one.instances]),
        Column("Addresses", [_addresses(i) for i in one.instances]),
        Column("Core", ["" if i.cpu is None else i.cpu for i in one.instances], "number"),
    ]
    same = []
    number = len(one.instances)
    if one.rtp is not None:
        head = joined((element("span", "RTP ports in scale", class_="unseen"), axis(one.rtp)))
        columns += [
            Column("RTP ports", [_rtp(i) for i in one.instances], "one"),
            Column("", [_bar(one.rtp, i) for i in one.instances], "rtp", head),
        ]
    for words, title, texts, kind in (
        ("listen on", "Listens on", ports, "text"),
        ("run release", "Release", [i.release for i in one.instances], "one"),
    ):
        if number > 1 and len(set(texts)) == 1:
            same.append(f"{words} {texts[0]}")
        else:
            columns.append(Column(title, texts, kind))
    if any(i.tenants for i in one.instances):
        columns.append(Column("Tenants", [_tenants(i.tenants) for i in one.instances], "text"))
    said = [f"All {number} {' and '.join(same)}." if same else ""]
    said.append(f"{port_words(one.rtp)}." if one.rtp is not None else "")
    return joined(
        (
            element("h4", f"Instances of {one.host}"),
            element("p", " ".join(filter(None, said))),
            table(f"Instances of {one.host}", columns, class_="map"),
        )
    )


def _name(name: str) -> Markup:
    """In one line, unless it is so long that the table would become too wide."""
    return element("span", name, class_="one" if len(name) <= ONE_LINE else None)


def _addresses(instance: Placed) -> Markup:
    return joined(map(_name, instance.addresses), " ")


def _rtp(instance: Placed) -> str:
    return "not known" if instance.rtp is None else "{}-{}".format(*instance.rtp)


def _bar(ports: PortMap, instance: Placed) -> Markup | None:
    return None if instance.rtp is None else bar(ports, instance.rtp)


def _listens(instance: Placed) -> str:
    """`tcp 80 443, udp 5060`; ports on every address have a star."""
    found: dict[str, dict[str, int]] = {}
    for listener in instance.listeners:
        shown = f"{'' if listener.address else '*:'}{listener.port}"
        for protocol in listener.protocols:
            found.setdefault(protocol, {})[shown] = listener.port
    return ", ".join(
        f"{protocol} {' '.join(sorted(texts, key=lambda t: (texts[t], t)))}"
        for protocol, texts in sorted(found.items())
    )


def _tenants(names: Sequence[str]) -> Markup:
    shown = ", ".join(names[:TENANTS_NAMED])
    more = len(names) - TENANTS_NAMED
    return joined((shown, f" and {more} more" if more > 0 else None))


def _pair(instance: Placed) -> Markup | None:
    half = instance.half
    if half is None:
        return None
    other = element("a", half.peer_host, href=f"#{host_id(half.peer_host)}")
    return element("small", f"{half.role} of {half.peer} on ", other)


def _capacity(one: Capacity) -> Markup | None:
    if not one.supplies:
        return None
    supplies = one.supplies
    columns = [
        Column("Kind", [s.kind for s in supplies]),
        Column("Shares", [stack(s) for s in supplies], "wide"),
        Column("All", [s.total for s in supplies], "number"),
        Column("Used", [s.used for s in supplies], "number"),
        Column("Reserved", [s.reserved for s in supplies], "number"),
        Column("Kept for gone", [s.gone for s in supplies], "number"),
        Column("Free", [s.free for s in supplies], "number"),
    ]
    kept = [r.what + (f" ({r.reason})" if r.reason else "") for r in one.reservations]
    return joined(
        (
            element("h4", f"What {one.host} has left"),
            table(f"Capacity of {one.host}", columns, class_="capacity"),
            element("p", f"Kept back: {'; '.join(kept)}.") if kept else None,
        )
    )
