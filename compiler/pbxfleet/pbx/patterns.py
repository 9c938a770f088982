"""Regular expressions that are compiled when they are first needed: starting is cheap."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled once."""
    import re

    return re.compile(pattern)
