"""What is planned for an instance, and what else there is beside the instances of a host."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import (
    EPHEMERAL_PORTS,
    RTP_PORTS_PER_CALL,
    Address,
    Bind,
    PortRange,
    Protocol,
)
from pbxfleet.model.plans import ForeignListener, StockService
from pbxfleet.schema import names, network, scalars, shapes
from pbxfleet.schema.table import OPEN_TABLE, Items, Reads, Table

_OneAddress: TypeAlias = Annotated[Sourced[Address], Reads(network.address, shapes.ADDRESS)]
_Calls: TypeAlias = Annotated[
    Sourced[int],
    Reads(scalars.whole(1, 100_000), shapes.number(1, 100_000, "calls")),
]
_PerCall: TypeAlias = Annotated[
    Sourced[int], Reads(scalars.whole(1, 100), shapes.number(1, 100, "ports"))
]
_Truth: TypeAlias = Annotated[Sourced[bool], Reads(scalars.truth, shapes.TRUTH)]
_Dns: TypeAlias = Annotated[Sourced[str], Reads(names.dns_name("a DNS name"), shapes.TENANT)]
_Ports: TypeAlias = Annotated[
    Sourced[PortRange],
    Reads(network.port_range, shapes.PORT_RANGE),
]
_Stock: TypeAlias = Annotated[
    Sourced[StockService],
    Reads(scalars.one_of(StockService), shapes.words(StockService)),
]
_Text: TypeAlias = Annotated[Sourced[str], Reads(scalars.text, shapes.TEXT)]
_Protocol: TypeAlias = Annotated[
    Sourced[Protocol],
    Reads(scalars.one_of(Protocol), shapes.words(Protocol)),
]
_Bind: TypeAlias = Annotated[
    Sourced[Bind],
    Reads(
        network.foreign_bind,
        shapes.either(shapes.PORT, shapes.BINDS),
    ),
]


class ForeignListenerModel(Table):
    """A socket of the host that another program holds."""

    protocol: _Protocol = Field(description="Its transport.", examples=["tcp"])
    bind: _Bind = Field(
        description="What it is bound to: a port (all addresses), or a bind as the PBX writes them.",
        examples=["0.0.0.0:22", 22],
    )
    by: _Text = Field(description="The program that holds it.", examples=["sshd"])
    reason: _Text | None = Field(None, description="Why it is there.", examples=["administration"])


class LayerPlans(Table):
    """What is planned for an instance; every layer may say it."""

    calls: _Calls | None = Field(
        None, description="Number of concurrent calls that are planned.", examples=[400]
    )
    acme: _Truth | None = Field(
        None,
        description="Whether the PBX shall get its certificates by HTTP challenge (ACME).",
        json_schema_extra={"default": False},
    )
    partners: (
        Annotated[dict[str, Annotated[list[_OneAddress], Items(single=True)]], OPEN_TABLE] | None
    ) = Field(
        None,
        description="Who admits HTTP requests and mails of the instance from certain addresses only: "
        "names, and these addresses.",
        examples=[{"crm": ["203.0.113.2"]}],
    )


class InstancePlans(Table):
    """What is planned for one instance alone."""

    management_dns: _Dns | None = Field(
        None,
        description="DNS name under which administrators reach it.",
        examples=["acme-admin.example.com"],
    )


class PolicyPlans(Table):
    """What the fleet counts with."""

    rtp_ports_per_call: _PerCall | None = Field(
        None,
        description="RTP ports that a planned call needs: the vendor gives no number; two legs with "
        "RTP and RTCP take four.",
        examples=[4],
        json_schema_extra={"default": RTP_PORTS_PER_CALL},
    )


class FleetNeighbours(Table):
    """What there is beside all hosts."""

    managed_from: Annotated[list[_OneAddress], Items(single=True)] | None = Field(
        None,
        description="Addresses from which pbxfleet and administrators reach the instances.",
        examples=["198.51.100.7"],
    )


class HostNeighbours(Table):
    """What there is on a host beside its instances."""

    foreign_listeners: Annotated[list[ForeignListenerModel], Items()] | None = Field(
        None, description="Sockets that other programs of the host hold."
    )
    ephemeral_ports: _Ports | None = Field(
        None,
        description="Ports that the kernel gives to sockets without one of their own "
        "(net.ipv4.ip_local_port_range).",
        examples=["32768-49151"],
        json_schema_extra={"default": str(EPHEMERAL_PORTS)},
    )
    stock_service: _Stock | None = Field(
        None,
        description='What became of the service "pbx" of the vendor\'s installer: "disabled", or '
        '"none" was ever there.',
        examples=["disabled"],
    )


def lower_foreign(model: ForeignListenerModel) -> ForeignListener:
    """A foreign listener as it is written; its place is that of its bind."""
    reason = "" if model.reason is None else model.reason.value
    return ForeignListener(model.protocol.value, model.bind, model.by.value, reason)
