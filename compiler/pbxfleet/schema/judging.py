"""What a fleet says about diagnostics: other severities, and which of them it accepts for a while."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from pbxfleet.core.diagnostics import Severity
from pbxfleet.model.desired import (
    Sourced,
)
from pbxfleet.model.ignoring import LISTENER, PATH, SETTING, IgnoredClass
from pbxfleet.model.plans import AcknowledgedHere, IgnoredHere, Suppression
from pbxfleet.schema import scalars, shapes
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.table import OPEN_TABLE, Items, Reads, Table
from pbxfleet.source.nodes import Kind, Node

_CODE = "[A-Z]{3}[0-9]{3}"
_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_WHERE = "[a-z0-9-]+(/[a-z0-9-]+)?"
_A_DAY = 'a day such as "2027-01-31"'


def _code_key(text: str) -> str:
    if re.fullmatch(_CODE, text) is None:
        raise problem("FMT108", f'"{text}" is not the code of a diagnostic, such as ADV102')
    return text


def _code(node: Node) -> Sourced[str]:
    found = scalars.text_of(node, "the code of a diagnostic, such as ADV102")
    return Sourced(_code_key(found.text), found.span)


def _where(node: Node) -> Sourced[str]:
    found = scalars.text_of(node, 'a host, or "host/instance"')
    if re.fullmatch(_WHERE, found.text) is None:
        raise problem("FMT106", f'{KEY} must be a host, or "host/instance", not "{found.text}"')
    return Sourced(found.text, found.span)


def day(node: Node) -> Sourced[str]:
    """A day as YYYY-MM-DD, which sorts as text; TOML's own dates count. Problems: FMT106."""
    from datetime import date  # the calendar only; nothing here asks what day it is

    found = scalars.scalar(node, _A_DAY)
    wanted = found.kind in (Kind.PLAIN, Kind.QUOTED, Kind.DATE)
    if not wanted or re.fullmatch(_DAY, found.text) is None:
        raise problem("FMT106", f'{KEY} must be {_A_DAY}, not "{found.text}"')
    try:
        date.fromisoformat(found.text)
    except ValueError:
        raise problem("FMT106", f"{KEY} names a day that no calendar has: {found.text}") from None
    return Sourced(found.text, found.span)


Code: TypeAlias = Annotated[
    str, AfterValidator(_code_key), WithJsonSchema(shapes.strict_text(_CODE))
]
SeverityWord: TypeAlias = Annotated[
    Sourced[Severity],
    Reads(scalars.one_of(Severity), shapes.words(Severity)),
]
Day: TypeAlias = Annotated[Sourced[str], Reads(day, shapes.strict_text(_DAY))]
_Class: TypeAlias = Annotated[
    Sourced[IgnoredClass], Reads(scalars.one_of(IgnoredClass), shapes.words(IgnoredClass))
]
_Text: TypeAlias = Annotated[Sourced[str], Reads(scalars.text, shapes.TEXT)]


class SuppressModel(Table):
    """A diagnostic that is known and accepted for a while."""

    code: Annotated[Sourced[str], Reads(_code, shapes.strict_text(_CODE))] = Field(
        description="Code of the diagnostic.", examples=["ADV102"]
    )
    where: Annotated[Sourced[str], Reads(_where, shapes.text(_WHERE))] | None = Field(
        None,
        description='Host, or "host/instance", that it is about; everywhere if not said.',
        examples=["fra1/acme"],
    )
    reason: _Text = Field(
        description="Why it is accepted.", examples=["phones have the port since 2019"]
    )
    until: Day = Field(
        description="Last day on which it is accepted, YYYY-MM-DD.", examples=["2027-01-31"]
    )


class AcknowledgeModel(Table):
    """A change that the policy would refuse, and that is meant."""

    code: Annotated[Sourced[str], Reads(_code, shapes.strict_text(_CODE))] = Field(
        description="Code of the rule: POL101, POL102, PLN140 or PLN142.", examples=["POL102"]
    )
    what: Annotated[Sourced[str], Reads(_where, shapes.text(_WHERE))] = Field(
        description='"host/instance" that it is about; for POL101 the host.',
        examples=["fra1/acme"],
    )
    reason: _Text = Field(description="Why it is meant.", examples=["the contract ended in March"])
    expires: Day = Field(
        description="Last day on which it holds, YYYY-MM-DD.", examples=["2027-01-31"]
    )


class IgnoreModel(Table):
    """A difference on a host that is neither shown as drift nor overwritten by apply, for a while."""

    where: Annotated[Sourced[str], Reads(_where, shapes.text(_WHERE))] | None = Field(
        None,
        description='Host, or "host/instance", that it is about; everywhere if not said.',
        examples=["fra1/acme"],
    )
    setting: _Text | None = Field(
        None,
        description="Names of settings; * stands for any characters. One of setting, path and listener.",
        examples=["log_event_*"],
    )
    path: _Text | None = Field(
        None,
        description="Paths on the host, of files and of what looks like an instance; * stands for any "
        "characters.",
        examples=["/usr/local/pbx-old*"],
    )
    listener: _Text | None = Field(
        None,
        description="Sockets of other programs on addresses of instances; * stands for any characters.",
        examples=["tcp 203.0.113.10:8443"],
    )
    class_: _Class | None = Field(
        None,
        alias="class",
        description="Only differences of this class; for paths.",
        examples=["mode"],
    )
    reason: _Text = Field(description="Why it may stay.", examples=["the vendor looks into it"])
    expires: Day = Field(
        description="Last day on which it holds, YYYY-MM-DD.", examples=["2027-01-31"]
    )


class FleetJudging(Table):
    """What the fleet says about diagnostics."""

    severity: Annotated[dict[Code, SeverityWord], OPEN_TABLE] | None = Field(
        None, description="Severities that differ from the usual.", examples=[{"ADV103": "error"}]
    )
    suppress: Annotated[list[SuppressModel], Items()] | None = Field(
        None, description="Diagnostics that are accepted, each with a reason and a last day."
    )
    acknowledge: Annotated[list[AcknowledgeModel], Items()] | None = Field(
        None,
        description="Changes that the policy would refuse and that are meant, each with a reason and a "
        "last day.",
    )
    ignore: Annotated[list[IgnoreModel], Items()] | None = Field(
        None,
        description="Differences on hosts that are neither shown as drift nor overwritten by apply, each "
        "with a reason and a last day.",
    )


def lower_ignored(model: IgnoreModel) -> IgnoredHere:
    """A rule as it is written; of several subjects the first one counts, and IGN101 says so."""
    said = {SETTING: model.setting, PATH: model.path, LISTENER: model.listener}
    given = {what: text for what, text in said.items() if text is not None}
    what, pattern = next(iter(given.items()), ("", Sourced("", model.expires.origin)))
    kind = "" if model.class_ is None else model.class_.value
    clear = len(given) == 1 and (not kind or what == PATH)
    return IgnoredHere(
        what if clear else "", pattern, kind, model.where, model.reason.value, model.expires
    )


def lower_acknowledgement(model: AcknowledgeModel) -> AcknowledgedHere:
    """An acknowledgement as it is written."""
    return AcknowledgedHere(model.code, model.what, model.reason.value, model.expires)


def lower_suppression(model: SuppressModel) -> Suppression:
    """A suppression as it is written."""
    return Suppression(model.code, model.where, model.reason.value, model.until)
