"""When a host looks for drift by itself."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import Sourced
from pbxfleet.model.schedule import (
    JITTER_S,
    NO_SCHEDULE,
    PROGRAM,
    REPOSITORY,
    ScheduleWish,
    Weekday,
    When,
)
from pbxfleet.schema import names, scalars, shapes
from pbxfleet.schema.guards import matching
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.sinks import ADDRESS, SinksModel
from pbxfleet.schema.table import Reads, Table
from pbxfleet.source.nodes import Node

_EVERY = "every (5|10|15|20|30) minutes"
_TIME = "([01][0-9]|2[0-3]):([0-5][0-9])"
_AT = f"(daily|{'|'.join((*Weekday, *map(str.title, Weekday)))}) {_TIME}"
_WANTED = '"hourly", "every 15 minutes", "daily 06:40", "mon 06:40" or "off"'


def when(node: Node) -> Sourced[When | None]:
    """A moment that comes again; None for "off". Problems: FMT124."""
    found = scalars.text_of(node, _WANTED)
    text = found.text
    if text in ("off", "hourly"):
        return Sourced(None if text == "off" else When(60), found.span)
    if every := re.fullmatch(_EVERY, text):
        return Sourced(When(int(every[1])), found.span)
    at = re.fullmatch(_AT, text)
    if at is None:
        raise problem(
            "FMT124", f"{KEY} must be {_WANTED}", hint="minutes: 5, 10, 15, 20 or 30; 24 hours"
        )
    weekday = None if at[1] == "daily" else Weekday(at[1].lower())
    return Sourced(When(0, weekday, int(at[2]), int(at[3])), found.span)


_When: TypeAlias = Annotated[
    Sourced[When | None], Reads(when, shapes.text(f"off|hourly|{_EVERY}|{_AT}"))
]
_Seconds: TypeAlias = Annotated[
    Sourced[int], Reads(scalars.whole(0, 3600), shapes.number(0, 3600, "seconds"))
]
_HostPath: TypeAlias = Annotated[Sourced[HostPath], Reads(names.plain_host_path, shapes.HOST_PATH)]
_Address: TypeAlias = Annotated[
    Sourced[str], matching(ADDRESS, "a mail address, or the name of a local user")
]


class ScheduleModel(Table):
    """When the host runs drift by itself: a timer of systemd, or with other service managers cron."""

    drift: _When | None = Field(
        None, description="When it reports what is new.", examples=["hourly"]
    )
    remind: _When | None = Field(
        None, description="When it reports everything that still differs.", examples=["mon 06:40"]
    )
    jitter: _Seconds | None = Field(
        None,
        description="Seconds by which a run may be late, so that not all hosts begin at once.",
        json_schema_extra={"default": JITTER_S},
    )
    repository: _HostPath | None = Field(
        None,
        description="Where the fleet repository lies on the host.",
        json_schema_extra={"default": REPOSITORY},
    )
    program: _HostPath | None = Field(
        None,
        description="Where pbxfleet lies on the host.",
        json_schema_extra={"default": PROGRAM},
    )
    mailto: _Address | None = Field(
        None,
        description="Who gets what cron mails of the output.",
        examples=["ops@example.com"],
    )


class WatchKeys(Table):
    """What a fleet says of all hosts, and a host of itself: its keys win one by one."""

    sinks: SinksModel | None = Field(
        None, description="Who is told how a drift or an apply ended, besides its output."
    )
    schedule: ScheduleModel | None = Field(
        None, description="When a host looks for drift by itself."
    )


def lower_schedule(model: ScheduleModel | None) -> ScheduleWish:
    """What is written; silent where nothing is."""
    if model is None:
        return NO_SCHEDULE
    return ScheduleWish(
        model.drift, model.remind, model.jitter, model.repository, model.program, model.mailto
    )
