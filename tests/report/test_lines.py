"""Lines that differ: a right answer for any two texts, a quick one where long ones repeat themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.app.diff_lines import line_deltas
from pbxfleet.core.lines import MOST_PAIRS, matched

LINES = st.lists(st.sampled_from(["a", "b", "}", ""]), max_size=30)


@given(LINES, LINES, st.booleans(), st.integers(1, 20))
def test_what_matches_is_the_same(
    before: list[str], after: list[str], in_place: bool, times: int
) -> None:
    before, after = before * times, after * times
    rebuilt = []
    for tag, i1, i2, j1, j2 in matched(before, after, in_place=in_place).get_opcodes():
        if tag == "equal":
            assert before[i1:i2] == after[j1:j2]
        rebuilt += after[j1:j2]
    assert rebuilt == after


def test_many_rules_that_end_alike_are_told_line_by_line() -> None:
    def rules(third: int) -> bytes:
        return b"".join(b"rule 10.0.%d.%d\naccept\n}\n" % (third, n) for n in range(330))

    assert MOST_PAIRS < 330 * 330 * 2
    found = line_deltas("file:/etc/x", rules(0), rules(1))
    assert [(d.sign, d.text) for d in found.lines[:4]] == [
        ("-", "rule 10.0.0.0"),
        ("+", "rule 10.0.1.0"),
        (" ", "accept"),
        (" ", "}"),
    ]
