"""The templates that come with the program, for text that people would write as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def render(name: str, values: object, filters: Mapping[str, Callable[[str], str]]) -> str:
    """The text of template `name`, which sees `values` as `pbx` and quotes with `filters`."""
    return _template(name, tuple(filters.items())).render(pbx=values)


@cache
def _template(name: str, filters: tuple[tuple[str, Callable[[str], str]], ...]) -> Template:
    environment = Environment(
        loader=PackageLoader("pbxfleet.render"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - units and scripts, not HTML; the filters quote
    )
    environment.filters.update(filters)
    return environment.get_template(name)
