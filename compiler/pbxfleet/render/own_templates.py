"""The templates that come with the program, for text that people would write as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from jinja2.ext import Extension

from pbxfleet.render.line_marks import LineMarks, is_traced, note


def render(name: str, values: object, filters: Mapping[str, Callable[[str], str]]) -> str:
    """The text of template `name`, which sees `values` as `pbx` and quotes with `filters`."""
    text = _template(name, tuple(filters.items())).render(pbx=values)
    if is_traced():
        environment = _environment(tuple(filters.items()), [LineMarks])
        note(text, environment.get_template(name).render(pbx=values), environment)
    return text


@cache
def _template(name: str, filters: tuple[tuple[str, Callable[[str], str]], ...]) -> Template:
    return _environment(filters, []).get_template(name)


def _environment(
    filters: tuple[tuple[str, Callable[[str], str]], ...], extensions: list[type[Extension]]
) -> Environment:
    environment = Environment(
        loader=PackageLoader("pbxfleet.render"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - units and scripts, not HTML; the filters quote
        extensions=extensions,
    )
    environment.filters.update(filters)
    return environment
