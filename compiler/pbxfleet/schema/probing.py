"""[api] and [probes]: how pbxfleet asks a running instance, and what must answer after a start."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.model.desired import Sourced
from pbxfleet.model.probing import API_USER, NO_API, NO_PROBES, ApiWish, ProbesWish
from pbxfleet.model.target import PROBES, Need
from pbxfleet.schema import names, scalars, shapes
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.table import Reads, Table
from pbxfleet.source.nodes import Node

MOST_STABLE_S = 600

_path = names.path_template()


def _password_file(node: Node) -> Sourced[str]:
    """A path that no number of the instance goes into: an instance need not have one."""
    found = _path(node)
    if "{number}" in found.value:
        raise problem("FMT115", f"{KEY} cannot contain {{number}}", hint="{instance} is as good")
    return found


_User: TypeAlias = Annotated[Sourced[str], Reads(scalars.text, shapes.TEXT)]
_Path: TypeAlias = Annotated[Sourced[str], Reads(_password_file, shapes.PATH)]
_Need: TypeAlias = Annotated[Sourced[Need], Reads(scalars.one_of(Need), shapes.words(Need))]
_Stable: TypeAlias = Annotated[
    Sourced[int],
    Reads(scalars.whole(0, MOST_STABLE_S), shapes.number(0, MOST_STABLE_S, "seconds")),
]


class ApiModel(Table):
    """Login by which pbxfleet asks a running instance and changes settings without a restart."""

    user: _User | None = Field(
        None,
        description="Name of an administrator of the PBX with API access.",
        examples=["pbxfleet"],
        json_schema_extra={"default": API_USER},
    )
    password_file: _Path | None = Field(
        None,
        description="File on the host with its password and nothing else, readable for its owner "
        "alone; {instance} and {address} stand for the instance's own.",
        examples=["/etc/pbx/api-{instance}"],
    )


class ProbesModel(Table):
    """What a started instance has to answer: "must" reverts it, "may" is a note, "off" is not asked."""

    session: _Need | None = Field(
        None,
        description="The session call, which needs no login, on every web listener.",
        json_schema_extra={"default": PROBES.session},
    )
    sip_options: _Need | None = Field(
        None,
        description="SIP OPTIONS on every SIP listener; any final response is an answer.",
        json_schema_extra={"default": PROBES.sip_options},
    )
    certificate: _Need | None = Field(
        None,
        description="A certificate that is valid today, on every listener with TLS.",
        json_schema_extra={"default": PROBES.certificate},
    )
    stable_s: _Stable | None = Field(
        None,
        description="Time in which the started process must neither end nor be replaced.",
        json_schema_extra={"default": PROBES.stable_s},
    )


def lower_api(model: ApiModel | None) -> ApiWish:
    """The login as one layer says it."""
    return NO_API if model is None else ApiWish(model.user, model.password_file)


def lower_probes(model: ProbesModel | None) -> ProbesWish:
    """The probes as one layer says them."""
    if model is None:
        return NO_PROBES
    return ProbesWish(model.session, model.sip_options, model.certificate, model.stable_s)
