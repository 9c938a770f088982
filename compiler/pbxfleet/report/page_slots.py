"""Slots of a host as drawings: a cell for each address, a cell for each core. All cells are equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from pbxfleet.model.host_map import AddressMap, Placed, Run, Use
from pbxfleet.report.html import Markup, element, joined
from pbxfleet.report.summary import counted

WIDTH = 312  # of every drawing, which is what a narrow screen has
SMALL = (12, 26, 20)  # cells in a row, width and height of one
LARGE = (4, 78, 40)
LARGE_UP_TO = 32  # cores
ALL_UP_TO = 128  # slots: so many are drawn one by one
LONGEST = 24  # slots of one run of more that are drawn so too
FIRST_FREE = 3  # of a longer run: those that are handed out next
NAME_LENGTH = 10  # characters that fit into a large cell

WORDS: Mapping[Use, str] = {
    Use.USED: "used",
    Use.FOREIGN: "held by another program",
    Use.OWN: "the host's own",
    Use.SYSTEM: "left to the system",
    Use.RESERVED: "reserved",
    Use.GONE: "kept for one that is gone",
    Use.FREE: "free",
}


class Cell(NamedTuple):
    """One slot, or with `hidden` so many slots of a long run that are not drawn one by one."""

    number: int
    run: Run
    hidden: int = 0


def cells(runs: Sequence[Run]) -> Iterator[Cell]:
    """A cell for each slot. Of many, a long run has its first few, and one cell for the rest of it."""
    longest = LONGEST if sum(run.size for run in runs) > ALL_UP_TO else ALL_UP_TO
    for run in runs:
        shown = run.size if run.size <= longest else FIRST_FREE if run.use is Use.FREE else 1
        for number in range(run.first, run.first + shown):
            yield Cell(number, run)
        if run.size > shown:
            yield Cell(run.first + shown, run, run.size - shown)


def address_text(version: int, number: int) -> str:
    """The address with this number."""
    return str(IPv4Address(number) if version == 4 else IPv6Address(number))


def address_range(version: int, run: Run) -> str:
    """`203.0.113.18`, or `203.0.113.18-203.0.113.24`."""
    first, last = (address_text(version, number) for number in (run.first, run.last))
    return first if run.first == run.last else f"{first}-{last}"


def address_figure(host: str, found: AddressMap) -> Markup:
    """The addresses of one family, each a cell with the last part of it."""
    version = found.version
    family = f"IPv{version}"

    def label(number: int) -> str:
        return f"{number & 255}" if version == 4 else f"{number & 255:x}"

    shapes = [
        _small(at, cell, label(cell.number), address_text(version, cell.number))
        for at, cell in enumerate(cells(found.runs))
    ]
    ranges = [(run, address_range(version, run)) for run in found.runs]
    total = sum(run.size for run in found.runs)
    what = "address" if total == 1 else "addresses"
    name = f"{host}:{family.lower()}"
    return _figure(name, f"{total} {family} {what}", _said(ranges), shapes, SMALL)


def core_figure(host: str, runs: Sequence[Run], instances: Iterable[Placed]) -> Markup:
    """The cores, each with who runs on it and, where there is room, its tenants as a bar.

    The width of a bar is the number of tenants: the longest one fills its cell.
    """
    tenants: dict[int, int] = {}
    for instance in instances:
        if instance.cpu is not None:
            tenants[instance.cpu] = tenants.get(instance.cpu, 0) + len(instance.tenants)
    total = sum(run.size for run in runs)
    large = total <= LARGE_UP_TO
    most = max(tenants.values(), default=0)
    shapes = [
        _large(at, cell, tenants.get(cell.number, 0), most)
        if large
        else _small(at, cell, str(cell.number), f"core {cell.number}")
        for at, cell in enumerate(cells(runs))
    ]
    ranges = [(run, f"{run.first}" if run.size == 1 else f"{run.first}-{run.last}") for run in runs]
    said = "; ".join(filter(None, (_said(ranges), _spread(tenants))))
    size = LARGE if large else SMALL
    return _figure(f"{host}:cores", counted(total, "core"), said, shapes, size)


def _spread(tenants: Mapping[int, int]) -> str:
    """How many tenants a core has that is in use: the fewest and the most."""
    fewest, most = min(tenants.values(), default=0), max(tenants.values(), default=0)
    if not most:
        return ""
    return f"{counted(most, 'tenant') if fewest == most else f'{fewest} to {most} tenants'} a core"


def _figure(
    name: str, title: str, said: str, shapes: Sequence[Markup], size: tuple[int, int, int]
) -> Markup:
    columns, _, height = size
    rows = -(-len(shapes) // columns)
    title_id, said_id = f"t:{name}", f"d:{name}"
    drawing = element(
        "svg",
        element("title", title, id=title_id),
        element("desc", said, id=said_id),
        shapes,
        class_="cells",
        viewBox=f"0 0 {WIDTH} {rows * height}",
        width=WIDTH,
        height=rows * height,
        role="img",
        aria_labelledby=f"{title_id} {said_id}",
    )
    caption = element("figcaption", said)
    return element("figure", element("b", title), drawing, caption)


def _said(ranges: Iterable[tuple[Run, str]]) -> str:
    """What is free and what is kept back, in words; the rest stands in the table of instances."""
    counts: dict[Use, int] = {}
    places: dict[Use, list[str]] = {}
    for run, place in ranges:
        counts[run.use] = counts.get(run.use, 0) + run.size
        why = f" ({run.why or ', '.join(run.names)})" if run.why or run.names else ""
        places.setdefault(run.use, []).append(place + why)
    parts = [f"{counts[Use.USED]} used"] if Use.USED in counts else []
    for use in Use:
        if use is not Use.USED and use in counts:
            shown = places[use][:4] + (["…"] if len(places[use]) > 4 else [])
            parts.append(f"{counts[use]} {WORDS[use]}: {', '.join(shown)}")
    return "; ".join(parts)


def _origin(at: int, size: tuple[int, int, int]) -> tuple[int, int]:
    columns, width, height = size
    return at % columns * width, at // columns * height


def _small(at: int, cell: Cell, label: str, name: str) -> Markup:
    x, y = _origin(at, SMALL)
    _, width, height = SMALL
    return element(
        "g",
        element("title", _title(cell, name)),
        element("rect", x=x + 1, y=y + 1, width=width - 2, height=height - 2, rx=2),
        element("text", "⋯" if cell.hidden else label, x=x + width // 2, y=y + 14),
        class_=str(cell.run.use),
    )


def _large(at: int, cell: Cell, tenants: int, most: int) -> Markup:
    x, y = _origin(at, LARGE)
    _, width, height = LARGE
    names = cell.run.names if cell.run.use in (Use.USED, Use.GONE) else ()
    who = names[0] if names else "" if cell.run.use is Use.FREE else str(cell.run.use)
    room = NAME_LENGTH - (3 if len(names) > 1 else 0)
    who = who if len(who) <= room else f"{who[: room - 1]}…"
    who += f" +{len(names) - 1}" if len(names) > 1 else ""
    inside = width - 12
    bar = None
    if tenants:
        full = f"{inside * tenants / most:.4f}"
        bar = joined(
            (
                element("rect", class_="track", x=x + 6, y=y + 31, width=inside, height=4),
                element("rect", class_="tenants", x=x + 6, y=y + 31, width=full, height=4),
            )
        )
    title = _title(cell, f"core {cell.number}")
    if tenants:
        title += f", {counted(tenants, 'tenant')}"
    return element(
        "g",
        element("title", title),
        element("rect", x=x + 1, y=y + 1, width=width - 2, height=height - 2, rx=2),
        element("text", "⋯" if cell.hidden else cell.number, class_="number", x=x + 6, y=y + 14),
        element("text", tenants, class_="count", x=x + width - 6, y=y + 14) if tenants else None,
        element("text", who, class_="who", x=x + 6, y=y + 27) if who else None,
        bar,
        class_=str(cell.run.use),
    )


def _title(cell: Cell, name: str) -> str:
    run = cell.run
    more = f" and {cell.hidden - 1} more" if cell.hidden > 1 else ""
    who = ", ".join(run.names) or WORDS[run.use]
    if run.use is not Use.USED and run.names:
        who = f"{WORDS[run.use]} ({who})"
    return f"{name}{more}: {who}" + (f", {run.why}" if run.why else "")
