"""A fast reader of plain TOML: headers, and keys with one number, text or list of texts on a line.

What compile writes is of this kind, and can have tens of thousands of lines; with places, the grammar
needs two seconds for those. Whatever is written in another way is left to the full reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from pbxfleet.core.span import Span

_LINE = re.compile(
    r"""(?:"(?P<quoted>[^"\\\n]*)"|(?P<bare>[A-Za-z0-9_-]+))[ ]=[ ]
        (?:"(?P<text>[^"\\\n]*)"|(?P<number>[0-9]+)|\[(?P<list>"[^"\\\n]*"(?:,[ ]"[^"\\\n]*")*)\])\Z""",
    re.VERBOSE,
)
_HEADER = re.compile(r"\[([A-Za-z0-9_.-]+)\]\Z")


class PlainLine(NamedTuple):
    """A key under a header ("" before the first), its texts (one, or those of a list), its place.

    `is_number` tells `1` from `"1"`. The place is the whole line.
    """

    table: str
    key: str
    texts: tuple[str, ...]
    is_number: bool
    span: Span


def plain_lines(file: str, text: str, is_known: Callable[[str], bool]) -> list[PlainLine] | None:
    """Every key of a text in order, also one that is there twice; None if a line is not plain.

    None also for a header that is not known, with or without keys under it.

    A header may be there twice too: after a merge it says the same as one with both parts.
    """
    if not text.isascii() or not text.replace("\n", "").isprintable():
        return None
    found: list[PlainLine] = []
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line[0] == "#":
            continue
        match = _LINE.match(line)
        if match is None:
            header = _HEADER.match(line)
            if header is None or not is_known(header[1]):
                return None
            table = header[1]
            continue
        quoted, bare, one, digits, several = match.groups()
        if one is not None:
            texts: tuple[str, ...] = (one,)
        elif digits is not None:
            texts = (digits,)
        else:
            texts = tuple(several[1:-1].split('", "'))
        span = Span(file, number, 1, number, len(line) + 1)
        found.append(PlainLine(table, bare or quoted or "", texts, digits is not None, span))
    return found
