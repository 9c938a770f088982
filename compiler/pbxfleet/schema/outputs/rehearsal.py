"""What is if a host is lost."""

from __future__ import annotations

from pydantic import Field

from pbxfleet.schema.outputs.base import Count, Record, unit
from pbxfleet.schema.outputs.diagnostics import FindingsDocument
from pbxfleet.schema.shapes import CORE_NUMBER


class SeatModel(Record):
    """What an instance has on a host."""

    instance: str = Field(description="Name of the instance.", examples=["acme"])
    host: str = Field(description="Host that has it then.", examples=["ber1"])
    addresses: list[str] = Field(description="Its addresses there.", examples=[["192.0.2.10"]])
    cpu: int | None = Field(
        ge=0,
        description="Its core there; null without one.",
        examples=[3],
        json_schema_extra=unit(CORE_NUMBER),
    )
    rtp: str | None = Field(
        description="Ports of its media there; null where they are not known.",
        examples=["49152-51199"],
    )
    release: str = Field(description="Release that it runs there.", examples=["70.5"])
    ports: dict[str, str] = Field(
        description="Ports of its listeners there, by role.",
        examples=[{"http": "80", "https": "443"}],
    )


class TakeoverModel(SeatModel):
    """A lost primary whose peer takes over; the place is the peer's."""

    peer: str = Field(description="Instance that takes over.", examples=["acme-dr"])


class StandbyLostModel(Record):
    """A lost secondary: its primary runs on, without a standby."""

    instance: str = Field(description="Name of the instance.", examples=["acme-dr"])
    primary: str = Field(description="Its primary.", examples=["acme"])
    host: str = Field(description="Host of the primary.", examples=["fra1"])


class StartModel(SeatModel):
    """An instance that starts on another host."""

    changes: list[str] = Field(
        description="What is not as before, in words.",
        examples=[["address 203.0.113.12 -> 192.0.2.13"]],
    )


class RefusedModel(Record):
    """Why a host cannot take an instance, whatever room it has."""

    host: str = Field(description="The host.", examples=["ber1"])
    why: str = Field(description="Why, in words.", examples=["it has no IPv6 address"])


class NoPlaceModel(Record):
    """An instance that starts nowhere."""

    instance: str = Field(description="Name of the instance.", examples=["birch"])
    refused: list[RefusedModel] = Field(
        description="Hosts that cannot take it for another reason than lack of room."
    )


class LackModel(Record):
    """What must be added to a host for everything to start, by one of the ways to do it."""

    host: str = Field(description="The host.", examples=["ber1"])
    what: str = Field(description="What it lacks.", examples=["free IPv4 address"])
    missing: Count = Field(
        description="How many more are needed.",
        examples=[3],
        json_schema_extra=unit("things of the kind"),
    )
    free: Count = Field(
        description="How many are free.",
        examples=[0],
        json_schema_extra=unit("things of the kind"),
    )


class HostRehearsalModel(Record):
    """What happens if this host is lost; everything in order of instance names."""

    host: str = Field(description="The lost host.", examples=["fra1"])
    survives: bool = Field(description="Whether every instance runs somewhere else afterwards.")
    proven: bool = Field(
        description="Whether no better answer exists; false where the search was ended."
    )
    instances: Count = Field(
        description="Instances that ran on it.", examples=[8], json_schema_extra=unit("instances")
    )
    taken_over: list[TakeoverModel] = Field(description="Primaries whose peers take over.")
    standby_lost: list[StandbyLostModel] = Field(description="Secondaries that are lost.")
    starts: list[StartModel] = Field(description="Instances that start on other hosts.")
    no_place: list[NoPlaceModel] = Field(description="Instances that start nowhere.")
    missing: list[LackModel] = Field(description="The least that has to be added for all of them.")


class RehearseDocument(FindingsDocument):
    """What rehearse prints; of a fleet with errors there are no hosts."""

    hosts: list[HostRehearsalModel] = Field(description="The hosts whose loss was rehearsed.")
    written: list[str] = Field(
        description="Patches that were written, with --out.", examples=[["recovery/fra1.patch"]]
    )
