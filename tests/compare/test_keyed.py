"""Deltas of keyed structures: nothing is missed, and nothing is told by its position in a list."""

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.compare.keyed import Delta, deltas

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
data = st.recursive(
    leaves, lambda inner: st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)
)
mappings = st.dictionaries(st.text(min_size=1, max_size=3), data, max_size=4)


def test_a_changed_an_added_and_a_removed_field() -> None:
    before = {"a": {"mode": "0644", "gone": 1}, "same": [1, 2]}
    after = {"a": {"mode": "0600", "new": True}, "same": [1, 2]}
    assert deltas(before, after) == (
        Delta(("a", "gone"), 1, None),
        Delta(("a", "mode"), "0644", "0600"),
        Delta(("a", "new"), None, True),
    )


def test_a_list_that_differs_is_one_difference() -> None:
    found = deltas({"x": ["a", "b", "c"]}, {"x": ["b", "a", "d"]})
    assert [d.path for d in found] == [("x",)]
    assert found[0].text() == "x: a, b, c -> b, a, d"


@given(mappings)
def test_equal_data_has_no_differences(value: dict[str, object]) -> None:
    assert deltas(value, value) == ()


@given(mappings, mappings)
def test_turned_round_the_differences_turn_round(
    before: dict[str, object], after: dict[str, object]
) -> None:
    there, back = deltas(before, after), deltas(after, before)
    assert {d.path for d in there} == {d.path for d in back}
    assert before == after or there, "what differs is found"
