"""`maintenance`, `timezone` and `policy.on_deadline`: when running instances may be restarted."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.model.desired import Sourced
from pbxfleet.model.maintenance import DAYS, UTC, OnDeadline, parse_window, zone_of
from pbxfleet.schema import scalars, shapes
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.table import Items, Reads, Table
from pbxfleet.source.nodes import Node

_DAY = f"({'|'.join((*DAYS, *map(str.lower, DAYS)))})"
_TIME = "([01][0-9]|2[0-4]):[0-5][0-9]"
WINDOW_PATTERN = f"({_DAY}(-{_DAY})?(,{_DAY}(-{_DAY})?)* )?{_TIME}-{_TIME}"
ZONE_PATTERN = "[A-Za-z0-9][A-Za-z0-9+_-]*(/[A-Za-z0-9][A-Za-z0-9+_-]*)*"


def _window(node: Node) -> Sourced[str]:
    found = scalars.text_of(node, 'a window such as "Mon-Fri 02:00-04:00"')
    try:
        parse_window(found.text)
    except ValueError as error:
        raise problem(
            "FMT124", f"{KEY} is no window: {error}", hint='write "Mon-Fri 02:00-04:00"'
        ) from error
    return Sourced(found.text, found.span)


def _zone(node: Node) -> Sourced[str]:
    from re import fullmatch

    wanted = 'a time zone such as "Europe/Berlin"'
    found = scalars.text_of(node, wanted)
    if fullmatch(ZONE_PATTERN, found.text) is None:
        raise problem("FMT124", f"{KEY} must be {wanted}")
    try:
        zone_of(found.text)
    except ValueError as error:
        raise problem(
            "FMT124", f"{KEY} must be {wanted}: {error}", hint=_nearest(found.text)
        ) from error
    return Sourced(found.text, found.span)


def _nearest(name: str) -> str:
    from zoneinfo import available_timezones

    from pbxfleet.core.diagnostics import did_you_mean

    known = sorted(available_timezones())
    return did_you_mean(name, known) if known else "install tzdata, or say UTC"


_Window: TypeAlias = Annotated[Sourced[str], Reads(_window, shapes.text(WINDOW_PATTERN))]
_Zone: TypeAlias = Annotated[Sourced[str], Reads(_zone, shapes.text(ZONE_PATTERN))]
_OnDeadline: TypeAlias = Annotated[
    Sourced[OnDeadline], Reads(scalars.one_of(OnDeadline), shapes.words(OnDeadline))
]
_EXAMPLE = ["Mon-Fri 02:00-04:00", "Sun 00:00-06:00"]


class PolicyMaintenance(Table):
    """What the fleet says of instances that still have calls."""

    on_deadline: _OnDeadline | None = Field(
        None,
        description="What apply --drain does with an instance that still has calls when the time is over: "
        "its change stays pending (abandon), or the calls are cut (force).",
        json_schema_extra={"default": OnDeadline.ABANDON.value},
    )


class HostMaintenanceKeys(Table):
    """When instances of a host may be restarted."""

    maintenance: Annotated[list[_Window], Items(unique=True)] | None = Field(
        None,
        description="Windows in which running instances may be stopped and restarted, in the host's time "
        "zone. A window without days is of every day; one that ends before it begins goes on after midnight.",
        examples=[_EXAMPLE],
    )
    timezone: _Zone | None = Field(
        None,
        description="Time zone of the windows (IANA name).",
        examples=["Europe/Berlin"],
        json_schema_extra={"default": UTC},
    )


class InstanceMaintenanceKeys(Table):
    """When an instance may be restarted."""

    maintenance: Annotated[list[_Window], Items(unique=True)] | None = Field(
        None,
        description="Windows in which it may be stopped and restarted, instead of the host's; an empty list "
        "says at any time.",
        examples=[_EXAMPLE],
    )
