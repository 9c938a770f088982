"""Versions: what was seen of the vendor in its order, and the laws of a total order."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.pbx.versions import DOWNGRADE, SAME, UNORDERED, UPGRADE, direction, parse_version

SEEN = "2.0.1 2.1 5.0.4 5.1.3 5.5.0 59.0 60.0 68.0.37 69 69.3.2 69.5 69.5.22 70.2.beta 70.3.beta 70.3 70.5"
NO_VERSIONS = (
    "", ".", "70.", ".70", "70..5", "beta", ".beta", "70.beta.5", "70.5.Beta", "70.5beta", "v70.5",
    "70.5-1", "70.05",
    "\u0667\u0660", "-1", "+1", "1_0", " 70", "70\n", "stable", "1" * 10, ".".join("1" * 9),
)  # fmt: skip

NUMBERS = st.lists(st.integers(0, 99_999), min_size=1, max_size=5)
TEXTS = st.builds(
    lambda numbers, beta: ".".join(map(str, numbers)) + (".beta" if beta else ""),
    NUMBERS,
    st.booleans(),
)


def test_what_was_seen_is_in_order() -> None:
    for before, after in pairwise(SEEN.split()):
        assert direction(before, after) == UPGRADE, (before, after)
        assert direction(after, before) == DOWNGRADE, (before, after)


@pytest.mark.parametrize("text", NO_VERSIONS)
def test_anything_else_is_no_version(text: str) -> None:
    assert parse_version(text) is None
    assert direction(text, "70.5") == direction("70.5", text) == UNORDERED


def test_zeros_at_the_end_are_no_difference_elsewhere_they_are() -> None:
    assert direction("70", "70.0.0") == SAME
    assert direction("70.0.beta", "70.beta") == SAME
    assert direction("70.10", "70.1") == DOWNGRADE
    assert direction("70.0.1", "70.1") == UPGRADE


@given(TEXTS, TEXTS, TEXTS)
def test_the_order_is_total_and_transitive(a: str, b: str, c: str) -> None:
    first, second, third = parse_version(a), parse_version(b), parse_version(c)
    assert first is not None and second is not None and third is not None
    assert (first < second) + (first == second) + (first > second) == 1
    if first <= second <= third:
        assert first <= third
    opposite = {UPGRADE: DOWNGRADE, DOWNGRADE: UPGRADE, SAME: SAME}
    assert direction(b, a) == opposite[direction(a, b)]


@given(NUMBERS, NUMBERS)
def test_numbers_are_compared_as_numbers_and_a_beta_comes_just_before(
    one: list[int], two: list[int]
) -> None:
    a, b = (".".join(map(str, numbers)) for numbers in (one, two))
    longest = max(len(one), len(two))
    filled = [numbers + [0] * (longest - len(numbers)) for numbers in (one, two)]
    expected = SAME if filled[0] == filled[1] else UPGRADE if filled[0] < filled[1] else DOWNGRADE
    assert direction(a, b) == expected
    assert direction(f"{a}.beta", a) == UPGRADE
    if expected == UPGRADE:
        assert direction(a, f"{b}.beta") == UPGRADE
