"""Elements of an HTML page as text. Everything that is not markup already is escaped.

A page is made of nested calls: `element("td", element("b", name), " on ", host)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from pbxfleet.report.paint import visible

_VOID = frozenset(("br", "hr", "link", "meta"))
_EMPTY_SHAPES = frozenset(("circle", "line", "path", "rect", "use"))  # of SVG: closed in themselves


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | int | Iterable[Child] | None"
Attribute: TypeAlias = "str | int | float | bool | None"


def element(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """One element; None is no child, an iterable is its members.

    An attribute is left out where it is None or False, and has no value where it is True. `_` at the
    end of its name is dropped (`class_`), elsewhere it stands for `-` (`aria_label`).
    """
    start = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{start}>")
    content = joined(children)
    if name in _EMPTY_SHAPES and not content:
        return Markup(f"<{start}/>")
    return Markup(f"<{start}>{content}</{name}>")


def joined(children: Iterable[Child], between: str = "") -> Markup:
    """Children one after the other, with a text between them."""
    return Markup(escape(between).join(_content(child) for child in children))


def text(value: str) -> Markup:
    """A text as it is shown: characters that could repaint or hide something are made visible."""
    return Markup(escape(visible(value)))


def _content(child: Child) -> str:
    match child:
        case None:
            return ""
        case Markup():
            return child
        case str():
            return text(child)
        case int():
            return str(child)
        case _:
            return joined(child)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    if isinstance(value, str):
        return f' {name}="{text(value)}"'
    return f' {name}="{value:g}"' if isinstance(value, float) else f' {name}="{value}"'
