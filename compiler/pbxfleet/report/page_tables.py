"""Tables of the report page. On a narrow screen each row becomes a card whose cells name themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pbxfleet.model.capacity import Supply
from pbxfleet.report.html import Child, Markup, element


class Column(NamedTuple):
    """One column. The first of a table names its rows. `head` is shown instead of the title."""

    title: str
    cells: Sequence[Child]
    kind: str | None = None
    head: Child = None


def table(caption: str, columns: Sequence[Column], class_: str) -> Markup:
    """A table with headings for its columns and rows."""
    heads = [
        element("th", column.title if column.head is None else column.head, scope="col",
                class_=column.kind)
        for column in columns
    ]  # fmt: skip
    first, others = columns[0], columns[1:]
    rows = [
        element(
            "tr",
            element("th", cell, scope="row"),
            [
                element("td", column.cells[at], class_=column.kind, data_label=column.title or None)
                for column in others
            ],
        )
        for at, cell in enumerate(first.cells)
    ]
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", heads)),
        element("tbody", rows),
        class_=class_,
    )


def stack(supply: Supply) -> Markup:
    """What is used, reserved, kept and free, one after the other; the unit is one thing."""
    shapes, at = [], 0
    parts = (("used", supply.used), ("reserved", supply.reserved), ("gone", supply.gone))
    for use, number in parts:
        if number:
            shapes.append(element("rect", class_=use, x=at, width=number, height=1))
            at += number
    return element(
        "svg",
        shapes,
        class_="stack",
        viewBox=f"0 0 {max(supply.total, 1)} 1",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
