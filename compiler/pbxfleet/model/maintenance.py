"""Maintenance windows: when running instances of a host may be restarted, by the clock on its wall.

What that clock shows decides, in the host's time zone: an hour that is skipped in spring is in no window,
an hour that comes twice in autumn counts both times. A window that ends before it begins goes on after
midnight, and belongs to the day on which it began.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
UTC = "UTC"
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
MINUTE_S = 60


class OnDeadline(StrEnum):
    """What becomes of an instance that still has calls when it was waited for long enough."""

    ABANDON = "abandon"  # its change stays pending
    FORCE = "force"  # the calls are cut


class Maintenance(NamedTuple):
    """When running instances may be stopped: windows by instance, else those of the `host`.

    An empty tuple says at any time. `timezone` is an IANA name.
    """

    timezone: str = UTC
    host: tuple[str, ...] = ()
    instances: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    on_deadline: str = OnDeadline.ABANDON.value

    def of(self, instance: str) -> tuple[str, ...]:
        """The windows of an instance; those of the host for one that is no longer declared."""
        return self.instances.get(instance, self.host)


NO_MAINTENANCE = Maintenance()


class Drain(NamedTuple):
    """For how many seconds each instance is waited for, in its turn (None: not at all); and what then.

    `on_deadline` None: as the policy of the fleet says.
    """

    seconds: int | None = None
    on_deadline: OnDeadline | None = None


NO_DRAIN = Drain()


class Window(NamedTuple):
    """Days (0 is Monday) on which it begins; minutes after midnight, `end` beyond 1440 for the next day."""

    days: frozenset[int]
    begin: int
    end: int

    def holds(self, day: int, minute: int) -> bool:
        """Whether it is open at a minute of a day of the week."""
        if day in self.days and self.begin <= minute < self.end:
            return True
        return (day - 1) % 7 in self.days and minute + DAY_MIN < self.end


def parse_window(text: str) -> Window:
    """`Mon-Fri 02:00-04:00`, `Sat,Sun 22:00-06:00`, `03:00-04:00`; ValueError says what is wrong."""
    days, _, times = text.rpartition(" ")
    begin, dash, end = times.partition("-")
    if not dash:
        raise ValueError("it has no times such as 02:00-04:00")
    first, last = _minutes(begin), _minutes(end)
    if first == DAY_MIN:
        raise ValueError("24:00 can only be an end")
    if first == last:
        raise ValueError(f"it begins and ends at {begin}; the whole day is 00:00-24:00")
    return Window(_days(days), first, last if last > first else last + DAY_MIN)


def _minutes(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal()):
        raise ValueError(f'"{text}" is not a time of day such as 02:00')
    found = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or found > DAY_MIN:
        raise ValueError(f'"{text}" is no time of the day')
    return found


def _days(text: str) -> frozenset[int]:
    if not text:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        day, end = _day(first), _day(last if dash else first)
        found.add(day)
        while day != end:
            day = (day + 1) % 7
            found.add(day)
    return frozenset(found)


def _day(name: str) -> int:
    """Its number, Monday is 0; written as a name, or small as programs write it."""
    if name.title() not in DAYS or name not in (name.title(), name.lower()):
        raise ValueError(f'"{name}" is no day; days are {", ".join(DAYS)}')
    return DAYS.index(name.title())


def zone_of(name: str) -> tzinfo:
    """The time zone; ValueError if this machine does not know one of that name."""
    if name == UTC:
        from datetime import UTC as utc

        return utc
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"this machine knows no time zone {name}") from error


def maintenance_from(raw: Mapping[str, Any]) -> Maintenance:
    """From plain values as JSON has them; ValueError, KeyError or TypeError if they are none."""
    own = {name: _windows_from(windows) for name, windows in dict(raw["instances"]).items()}
    if type(raw["timezone"]) is not str:
        raise TypeError("timezone is not text")
    return Maintenance(
        raw["timezone"], _windows_from(raw["host"]), own, OnDeadline(raw["on_deadline"]).value
    )


def _windows_from(raw: list[Any]) -> tuple[str, ...]:
    if type(raw) is not list or any(type(text) is not str for text in raw):
        raise TypeError("windows are no list of texts")
    for text in raw:
        parse_window(text)
    return tuple(raw)


class Times(NamedTuple):
    """How one set of windows stands at a moment; times are seconds since 1970.

    `closes` is the next border of an open set, None if it never closes; `opens` the next moment of a
    closed one, None if there is none within a week and a day.
    """

    is_open: bool
    closes: int | None
    opens: int | None


def times_at(windows: tuple[str, ...], zone: tzinfo, now_s: float) -> Times:
    """Whether one of the windows is open, and until or from when; no windows are always open."""
    if not windows:
        return Times(True, None, None)
    return _times_in(windows, zone, int(now_s) // MINUTE_S)


@lru_cache(maxsize=64)  # many instances have the same windows, and are asked about at one moment
def _times_in(windows: tuple[str, ...], zone: tzinfo, minute: int) -> Times:
    from datetime import UTC as utc
    from datetime import datetime

    parsed = [parse_window(text) for text in windows]
    state = _is_open(parsed, datetime.fromtimestamp(minute * MINUTE_S, utc).astimezone(zone))
    # Clocks are set by whole minutes, so that every border is at the begin of one.
    for ahead in range(1, WEEK_MIN + DAY_MIN):
        moment = (minute + ahead) * MINUTE_S
        if _is_open(parsed, datetime.fromtimestamp(moment, utc).astimezone(zone)) != state:
            return Times(state, moment if state else None, None if state else moment)
    return Times(state, None, None)


def _is_open(windows: list[Window], local: datetime) -> bool:
    day, minute = local.weekday(), local.hour * 60 + local.minute
    return any(window.holds(day, minute) for window in windows)


def told(moment_s: int, zone: tzinfo, now_s: float) -> str:
    """A moment for people: `Mon 02:00 (in 3 h)`."""
    from datetime import datetime

    local = datetime.fromtimestamp(moment_s, zone)
    ahead_min = max(0, int(moment_s - now_s) // MINUTE_S)
    hours, minutes = divmod(ahead_min, 60)
    ahead = f"{hours} h" if hours >= 10 or not minutes else f"{hours} h {minutes} min"
    if not hours:
        ahead = f"{minutes} min"
    return f"{DAYS[local.weekday()]} {local.hour:02}:{local.minute:02} (in {ahead})"
