"""Versions of the PBX in their order.

Numbers with dots are compared number by number, and `.beta` marks a pre-release of what stands before
it. Seen in public sources: 2.0.1, 5.5.0, 59.0, 60.0, 68.0.37, 69.5.22, 70.2.beta, 70.3.beta, 70.5
(https://doc.vodia.com/openapi/vodia-rest-api.yaml, https://github.com/VasilisVikos/vodia_windows_installer,
https://github.com/Nex9/vodia.docker). After 5.x the vendor went on at 59: that is no gap, and numbers
are never filled up.
"""

from __future__ import annotations

from typing import NamedTuple

BETA = "beta"
MAX_PARTS = 8
MAX_DIGITS = 9

UPGRADE = "upgrade"
DOWNGRADE = "downgrade"
SAME = "same version"
UNORDERED = ""


class Version(NamedTuple):
    """A version; versions compare as tuples do, and this order is total.

    `numbers` are without zeros at the end, so that 70 and 70.0 are one version. `final` is 0 for a
    pre-release, which comes before the 1 of the release that it leads to.
    """

    numbers: tuple[int, ...]
    final: int


def parse_version(text: str) -> Version | None:
    """The version that `text` writes, None if it writes none: nothing is read into other texts."""
    *parts, last = text.split(".")
    final = 0 if last == BETA else 1
    words = [*parts, last] if final else parts
    if not words or len(words) > MAX_PARTS or not all(_is_number(word) for word in words):
        return None
    numbers = [int(word) for word in words]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return Version(tuple(numbers), final)


def direction(before: str, after: str) -> str:
    """`upgrade`, `downgrade` or `same version`; "" where a text is no version, so that none is told."""
    old, new = parse_version(before), parse_version(after)
    if old is None or new is None:
        return UNORDERED
    if old == new:
        return SAME
    return UPGRADE if old < new else DOWNGRADE


def _is_number(word: str) -> bool:
    plain = word.isascii() and word.isdigit() and len(word) <= MAX_DIGITS
    return plain and (word == "0" or not word.startswith("0"))
