"""What drift remembers: against a slow model of it, over any history of a host, and any damage to it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.drift import DriftItem
from pbxfleet.model.drift_memory import (
    MOST_GONE,
    NOTHING,
    Memory,
    dated,
    decode_memory,
    encode_memory,
    hear,
    is_told,
    see,
    tell,
)

PLACES = ("a", "b", "c")
# One run: what is seen at each place ("" for no difference), and whether the run reports what it shows.
RUN = st.tuples(st.tuples(*(st.sampled_from(("", "x", "y")) for _ in PLACES)), st.booleans())


def item(name: str, value: str, kind: str = "changed") -> DriftItem:
    return DriftItem(kind, "file:/etc/x", "alpha", name, "as applied", value)


def seen_in(run: Sequence[str]) -> list[DriftItem]:
    return [item(name, value) for name, value in zip(PLACES, run, strict=True) if value]


def moment(number: int) -> str:
    return f"2026-01-{number + 1:02d}T00:00:00Z"


@given(st.lists(RUN, max_size=12))
def test_every_history_of_a_host(runs: list[tuple[tuple[str, ...], bool]]) -> None:
    memory = NOTHING
    for number, (run, tells) in enumerate(runs):
        memory = decode_memory(encode_memory(see(memory, seen_in(run), moment(number))))
        for place, value in zip(PLACES, run, strict=True):
            if not value:
                continue
            past = [earlier[PLACES.index(place)] for earlier, _ in runs[: number + 1]]
            first = next(n for n, earlier in enumerate(past) if earlier)
            in_a_row = next((n for n, v in enumerate(reversed(past)) if not v), len(past))
            found = dated(memory, item(place, value))
            assert (found.first_seen, found.last_seen) == (moment(first), moment(number))
            assert found.sightings == in_a_row
            begins = sum(
                bool(v) and not before for before, v in zip(["", *past], past, strict=False)
            )
            assert found.flaps == begins - 1
            since = number  # the first run in a row that saw this very value
            while since and past[since - 1] == value:
                since -= 1
            reported = any(told for _, told in runs[since:number])
            assert is_told(memory, item(place, value)) == reported
        if tells:
            memory = tell(memory, seen_in(run))


@given(st.lists(RUN, max_size=6), st.integers(0, 400), st.binary(max_size=3))
def test_no_damage_hides_a_difference(
    runs: list[tuple[tuple[str, ...], bool]], at: int, junk: bytes
) -> None:
    memory = NOTHING
    for number, (run, _) in enumerate(runs):
        memory = see(memory, seen_in(run), moment(number))
    whole = encode_memory(memory)
    for content in (whole[:at], whole[:at] + junk + whole[at:], junk, b"[]", b"null", b"\xff"):
        read = decode_memory(content)
        after = see(read, [item("new", "x")], moment(20))
        assert dated(after, item("new", "x")).sightings == 1
        assert not is_told(after, item("new", "x"))
        assert decode_memory(encode_memory(after)) == after


def test_entries_of_the_wrong_kind_were_never_seen() -> None:
    good = ["file:/etc/x", "alpha", "a", "0", moment(0), moment(0), 1, 0, True]
    bad = [
        good[:-1],
        [*good, 1],
        [*good[:6], -1, 0, True],
        [*good[:6], True, 0, True],
        [*good[:8], 1],
        [None, *good[1:]],
        "text",
        7,
    ]
    for entry in bad:
        content = json.dumps({"format": 2, "findings": [entry, good]}).encode()
        assert list(decode_memory(content).findings) == [("file:/etc/x", "alpha", "a")]


def test_a_memory_of_the_first_format_keeps_its_dates() -> None:
    old = {"changed|file:/etc/x|a|x": moment(0)}
    memory = see(decode_memory(json.dumps(old).encode()), seen_in(("x", "", "")), moment(9))
    assert dated(memory, item("a", "x")).first_seen == moment(0)
    assert is_told(memory, item("a", "x"))
    assert b'"format": 2' in encode_memory(memory)


def test_a_memory_of_a_later_format_is_none() -> None:
    assert decode_memory(b'{"format": 3, "findings": {}}') == NOTHING


def test_another_class_or_value_is_told_again_and_another_process_number_is_not() -> None:
    memory = tell(see(NOTHING, [item("p", "2 (11, 12)", "runtime")], moment(0)), [item("p", "")])
    later = see(memory, [item("p", "2 (13, 14)", "runtime")], moment(1))
    assert is_told(later, item("p", ""))
    worse = see(later, [item("p", "3 (13, 14, 15)", "runtime")], moment(2))
    assert not is_told(worse, item("p", ""))
    assert dated(worse, item("p", "")).sightings == 3
    gone = see(later, [DriftItem("missing", "file:/etc/x", "alpha", "p", "1", None)], moment(2))
    assert not is_told(gone, item("p", ""))


def test_what_is_gone_is_remembered_within_bounds() -> None:
    many = [item(f"n{number}", "x") for number in range(MOST_GONE + 50)]
    memory = see(see(NOTHING, many, moment(0)), [], moment(1))
    assert len(memory.findings) == MOST_GONE
    assert len(see(memory, many, moment(2)).findings) == len(many), "what is there is never dropped"


def test_nothing_changes_while_nothing_differs() -> None:
    memory = see(see(NOTHING, seen_in(("x", "", "")), moment(0)), [], moment(1))
    assert see(memory, [], moment(2)) == memory
    assert see(NOTHING, [], moment(0)) == Memory({}, {})


def test_a_notice_is_told_once_until_it_is_another() -> None:
    memory = hear(NOTHING, "a run is unfinished")
    assert memory != NOTHING
    memory = decode_memory(encode_memory(see(memory, seen_in(("x", "", "")), moment(0))))
    assert hear(memory, "a run is unfinished") == memory
    assert hear(memory, "another") != memory
    assert hear(hear(memory, ""), "a run is unfinished") == memory
