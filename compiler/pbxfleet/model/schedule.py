"""When a host looks for drift by itself: a moment that cron and systemd both know."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.core.paths import HostPath

if TYPE_CHECKING:
    from pbxfleet.model.desired import Sourced

PROGRAM = HostPath("/usr/local/sbin/pbxfleet")
REPOSITORY = HostPath("/srv/fleet")
JITTER_S = 300


class Weekday(StrEnum):
    """Days as cron and systemd number and name them."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class When(NamedTuple):
    """Every so many minutes of an hour (60: hourly), else (0) at a time of each day, or of one weekday."""

    every_min: int
    weekday: Weekday | None = None
    hour: int = 0
    minute: int = 0


class ScheduleWish(NamedTuple):
    """What the file of a fleet or a host says; None where it is silent, "off" where it wants none.

    `drift` reports what is new, `remind` everything that still differs.
    """

    drift: Sourced[When | None] | None = None
    remind: Sourced[When | None] | None = None
    jitter_s: Sourced[int] | None = None
    repository: Sourced[HostPath] | None = None
    program: Sourced[HostPath] | None = None
    mailto: Sourced[str] | None = None

    def over(self, other: ScheduleWish) -> ScheduleWish:
        """This one, and what the other one says where it is silent."""
        pairs = zip(self, other, strict=True)
        return ScheduleWish._make(theirs if mine is None else mine for mine, theirs in pairs)


NO_SCHEDULE = ScheduleWish()
