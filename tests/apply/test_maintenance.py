"""Maintenance windows: how they are written, and what the clock on the wall says when it is set."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.maintenance import (
    DAYS,
    NO_MAINTENANCE,
    Maintenance,
    Window,
    parse_window,
    times_at,
    told,
    zone_of,
)

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo | None = None) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "days", "begin", "end"),
    [
        ("Mon-Fri 02:00-04:00", {0, 1, 2, 3, 4}, 120, 240),
        ("Sun 00:00-06:00", {6}, 0, 360),
        ("sat-Mon,wed 00:00-06:00", {5, 6, 0, 2}, 0, 360),
        ("Sat-Mon 23:30-24:00", {5, 6, 0}, 1410, 1440),
        ("Mon,Wed-Thu 22:00-02:00", {0, 2, 3}, 1320, 1560),
        ("00:00-24:00", set(range(7)), 0, 1440),
        ("12:00-00:00", set(range(7)), 720, 1440),
    ],
)
def test_what_is_written(text: str, days: set[int], begin: int, end: int) -> None:
    assert parse_window(text) == Window(frozenset(days), begin, end)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no times"),
        ("Mon", "no times"),
        ("Mon 02:00", "no times"),
        ("Mon 2:00-4:00", "not a time of day"),
        ("Mon 02:00-04:60", "no time of the day"),
        ("Mon 02:00-24:01", "no time of the day"),
        ("Mon 24:00-02:00", "only be an end"),
        ("Mon 02:00-02:00", "the whole day"),
        ("MON 02:00-04:00", "is no day"),
        ("Mon- 02:00-04:00", "is no day"),
        ("Mon, Tue 02:00-04:00", "is no day"),
        ("Mon  02:00-04:00", "is no day"),
        ("Mon ²2:00-04:00", "not a time of day"),
    ],
)
def test_what_is_no_window(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_window(text)


def test_a_zone_that_this_machine_does_not_know() -> None:
    for name in ("Europe/Berlim", "../../etc/passwd", "", "/etc/localtime"):
        with pytest.raises(ValueError, match="knows no time zone"):
            zone_of(name)
    assert zone_of("UTC") is UTC and zone_of("Europe/Berlin") == BERLIN


@pytest.mark.parametrize(
    ("now", "window", "is_open", "border"),
    [
        ("2026-03-02T01:59:59", "Mon 02:00-04:00", False, "2026-03-02T02:00"),
        ("2026-03-02T02:00:00", "Mon 02:00-04:00", True, "2026-03-02T04:00"),
        ("2026-03-02T03:59:59.9", "Mon 02:00-04:00", True, "2026-03-02T04:00"),
        ("2026-03-02T04:00:00", "Mon 02:00-04:00", False, "2026-03-09T02:00"),
        ("2026-03-02T00:30:00", "Sun 22:00-02:00", True, "2026-03-02T02:00"),
        ("2026-03-01T00:30:00", "Sun 22:00-02:00", False, "2026-03-01T22:00"),
        ("2026-03-02T12:00:00", "00:00-24:00", True, None),
        # In spring the hour from 2 to 3 is skipped: it is in no window, which begins after it.
        ("2026-03-29T01:30:00", "Sun 02:30-04:00", False, "2026-03-29T03:00"),
        ("2026-03-29T01:59:00", "Sun 02:00-03:00", False, "2026-04-05T02:00"),
        # In autumn it comes twice, and counts both times.
        ("2026-10-25T02:15:00", "Sun 02:10-02:20", True, "2026-10-25T02:20"),
        ("2026-10-25T01:50:00", "Sun 02:00-03:00", False, "2026-10-25T02:00"),
    ],
)
def test_the_clock_on_the_wall_decides(
    now: str, window: str, is_open: bool, border: str | None
) -> None:
    times = times_at((window,), BERLIN, at(now, BERLIN))
    assert times.is_open == is_open
    expected = None if border is None else at(border, BERLIN)
    assert (times.closes, times.opens) == ((expected, None) if is_open else (None, expected))


def test_an_hour_that_comes_twice_lasts_two_hours_or_comes_again() -> None:
    begin = at("2026-10-25T02:00", BERLIN)
    assert times_at(("Sun 02:00-03:00",), BERLIN, begin).closes == begin + 2 * 3600
    first = times_at(("Sun 02:10-02:20",), BERLIN, begin + 20 * 60)
    assert not first.is_open and first.opens == begin + 70 * 60


def test_a_window_that_begins_in_the_skipped_hour_opens_when_that_is_over() -> None:
    midnight = at("2026-03-29T00:00", BERLIN)
    assert times_at(("Sun 02:30-04:00",), BERLIN, midnight).opens == midnight + 2 * 3600


@given(
    st.lists(
        st.builds(
            "{} {:02}:{:02}-{:02}:{:02}".format,
            st.sampled_from([*DAYS, "Mon-Fri", "Sat,Sun"]),
            st.integers(0, 23),
            st.sampled_from([0, 30]),
            st.integers(0, 23),
            st.sampled_from([15, 45]),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    st.integers(0, 400 * 24 * 3600),
)
def test_a_border_is_the_first_moment_at_which_it_is_otherwise(
    written: list[str], name: str, ahead_s: int
) -> None:
    now = at("2026-01-01T00:00") + ahead_s
    windows, zone = tuple(written), zone_of(name)
    times = times_at(windows, zone, now)
    border = times.closes if times.is_open else times.opens
    if border is None:
        return
    assert border > now
    assert times_at(windows, zone, border).is_open != times.is_open
    assert times_at(windows, zone, border - 1).is_open == times.is_open
    middle = (now + border) // 2
    assert times_at(windows, zone, middle).is_open == times.is_open


def test_no_windows_are_always_open() -> None:
    assert times_at((), BERLIN, 0).is_open and times_at((), BERLIN, 0).closes is None
    declared = Maintenance(host=("Sun 00:00-06:00",), instances={"acme": ()})
    assert declared.of("acme") == () and declared.of("birch") == declared.host
    assert NO_MAINTENANCE.of("acme") == ()


@pytest.mark.parametrize(
    ("ahead_min", "text"),
    [(0, "in 0 min"), (59, "in 59 min"), (60, "in 1 h"), (195, "in 3 h 15 min"), (1445, "in 24 h")],
)
def test_how_long_it_is_until_then(ahead_min: int, text: str) -> None:
    opens = int(at("2026-03-02T02:00", BERLIN))
    assert told(opens, BERLIN, opens - ahead_min * 60) == f"Mon 02:00 ({text})"
