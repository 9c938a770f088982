"""Capacity of hosts as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pbxfleet.model.capacity import Capacity, Costs
from pbxfleet.report.summary import counted

_HEAD = ("", "total", "used", "reserved", "kept for gone", "free")


def capacity_text(hosts: Sequence[Capacity]) -> str:
    """A table for each host, and what follows from it in sentences."""
    return "\n".join("\n".join(_host(host)) + "\n" for host in hosts)


def _host(one: Capacity) -> Iterator[str]:
    yield one.host
    rows = [_HEAD, *((s.kind, *map(str, s[1:])) for s in one.supplies)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    for row in rows if one.supplies else ():
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"  {row[0].ljust(widths[0])}  " + "  ".join(cells)
    for what, reason in one.reservations:
        yield f"  reserved: {what}" + (f" ({reason})" if reason else "")
    yield f"  {room_text(one)}"
    yield f"  {tenants_text(one)}"
    yield f"  {costs_text(one)}"


def room_text(one: Capacity) -> str:
    """How many more instances there is room for, and what limits them."""
    if one.room is None:
        return "room: nothing that the host declares limits the number of instances"
    limited = f" (limited by {' and '.join(one.limits)})" if one.limits else ""
    text = f"room for {counted(one.room, 'more instance')}{limited}"
    if one.room_tenants is not None:
        text += f", about {counted(one.room_tenants, 'tenant')}"
    return text


def tenants_text(one: Capacity) -> str:
    """How many instances and tenants there are."""
    if not one.with_tenants:
        return f"{counted(one.instances, 'instance')}, no tenants declared"
    mean = (Decimal(one.tenants) / one.with_tenants).quantize(Decimal("0.1"))
    text = f"{counted(one.instances, 'instance')}, {counted(one.tenants, 'tenant')}: {mean} each"
    if one.with_tenants < one.instances:
        text += f" of the {one.with_tenants} that declare some"
    return text


def costs_text(one: Capacity) -> str:
    """The price and its shares, or that none is declared."""
    if one.costs is None:
        return "price not declared"
    costs = one.costs
    parts = [f"{costs.price} {costs.currency} per month"]
    if costs.per_instance is not None:
        parts.append(f"{costs.per_instance} per instance")
    if costs.per_tenant is not None:
        declared = " declared" if one.with_tenants < one.instances else ""
        parts.append(f"{costs.per_tenant} per{declared} tenant")
    return ", ".join(parts)


def capacity_data(hosts: Sequence[Capacity]) -> list[dict[str, object]]:
    """The same for programs; amounts of money are text, so that nothing is lost."""
    return [
        {
            "host": one.host,
            "supplies": [s._asdict() for s in one.supplies],
            "reservations": [r._asdict() for r in one.reservations],
            "instances": one.instances,
            "room": one.room,
            "limits": list(one.limits),
            "tenants": one.tenants,
            "instances_with_tenants": one.with_tenants,
            "room_tenants": one.room_tenants,
            "costs": None if one.costs is None else _money(one.costs),
        }
        for one in hosts
    ]


def _money(costs: Costs) -> dict[str, str | None]:
    return {
        "price": str(costs.price),
        "currency": costs.currency,
        "per_instance": None if costs.per_instance is None else str(costs.per_instance),
        "per_tenant": None if costs.per_tenant is None else str(costs.per_tenant),
    }
