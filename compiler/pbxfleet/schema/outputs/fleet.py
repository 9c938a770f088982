"""What can be computed of a fleet without looking at a host: addresses, capacity."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from pbxfleet.schema.outputs.base import Count, PortNumber, Record, unit
from pbxfleet.schema.outputs.diagnostics import FindingsDocument

_MONEY = "^[0-9]+(\\.[0-9]+)?$"
_Things: TypeAlias = Annotated[Count, Field(json_schema_extra=unit("things of the kind"))]
_Instances: TypeAlias = Annotated[Count, Field(json_schema_extra=unit("instances"))]
_Tenants: TypeAlias = Annotated[Count, Field(json_schema_extra=unit("tenants"))]


class PortsModel(Record):
    """Ports of one address, the first and the last included."""

    address: str = Field(description="The address.", examples=["203.0.113.10"])
    protocol: Literal["tcp", "udp", "any"] = Field(
        description="Protocol; any where the transport of a bind is not known.", examples=["udp"]
    )
    first: PortNumber = Field(description="First port.", examples=[49152])
    last: PortNumber = Field(description="Last port.", examples=[51199])


class InstanceAddressesModel(Record):
    """One instance as others see it."""

    name: str = Field(description="Name of the instance.", examples=["acme"])
    outgoing_tcp: list[str] = Field(
        description="Addresses that its TCP connections leave from.", examples=[["203.0.113.2"]]
    )
    source_address: bool = Field(
        description="Whether these are chosen for it; otherwise they are the host's standard ones."
    )
    unknown: list[Literal["ipv4", "ipv6"]] = Field(
        description="Families that it has and of which the outgoing address is not declared.",
        examples=[["ipv6"]],
    )
    spf: list[str] = Field(
        description="Terms for the SPF records of its domains.", examples=[["ip4:203.0.113.2"]]
    )
    domains: list[str] = Field(
        description="Domains of its tenants.", examples=[["pbx.acme.example"]]
    )
    partners: list[str] = Field(
        description="All addresses that anything of it comes from.",
        examples=[["203.0.113.2", "203.0.113.10"]],
    )
    listens: list[PortsModel] = Field(description="What others must be able to reach.")


class HostAddressesModel(Record):
    """The instances of one host as others see them."""

    host: str = Field(description="Name of the host.", examples=["fra1"])
    standard: list[str] = Field(
        description="Its standard addresses, as declared.", examples=[["203.0.113.2"]]
    )
    instances: list[InstanceAddressesModel] = Field(description="Its instances, by name.")


class AddressesDocument(FindingsDocument):
    """What addresses prints; of a fleet with errors there are no hosts."""

    hosts: list[HostAddressesModel] = Field(description="The hosts, by name.")


class SupplyModel(Record):
    """What a host has of one kind, and who has it."""

    kind: str = Field(description="The kind.", examples=["IPv4 addresses", "cores"])
    total: _Things = Field(description="All of them.", examples=[16])
    used: _Things = Field(description="Those that instances have.", examples=[8])
    reserved: _Things = Field(description="Those that the host's file keeps back.", examples=[1])
    gone: _Things = Field(description="Those held by instances that are gone.", examples=[0])
    free: _Things = Field(
        description="What can be handed out; blocks that do not fit are left out.", examples=[7]
    )


class ReservationModel(Record):
    """Something that is kept back."""

    what: str = Field(description="What it is, in words.", examples=["core 0"])
    reason: str = Field(description="Why; may be empty.", examples=["left to the system"])


class CostsModel(Record):
    """A price per month and its shares; amounts are text, so that nothing is lost."""

    price: str = Field(description="Price of the host.", pattern=_MONEY, examples=["240.00"])
    currency: str = Field(description="Its currency.", examples=["EUR"])
    per_instance: str | None = Field(
        description="Share of one instance; null without any.", pattern=_MONEY, examples=["30.00"]
    )
    per_tenant: str | None = Field(
        description="Share of one declared tenant; null without any.",
        pattern=_MONEY,
        examples=["1.00"],
    )


class HostCapacityModel(Record):
    """What one host has to give, what it gave, and what that costs."""

    host: str = Field(description="Name of the host.", examples=["fra1"])
    supplies: list[SupplyModel] = Field(description="What it has, by kind.")
    reservations: list[ReservationModel] = Field(description="What is kept back.")
    instances: _Instances = Field(description="Instances that it has.", examples=[8])
    room: _Instances | None = Field(
        description="Further instances of the usual kind; null if nothing limits them.",
        examples=[7],
    )
    limits: list[str] = Field(description="Kinds that limit the room.", examples=[["cores"]])
    tenants: _Tenants = Field(description="Tenants that are declared.", examples=[240])
    instances_with_tenants: _Instances = Field(
        description="Instances that declare some.", examples=[8]
    )
    room_tenants: _Tenants | None = Field(
        description="Tenants that the room takes at their mean; null where that cannot be told.",
        examples=[210],
    )
    costs: CostsModel | None = Field(description="What it costs; null without a declared price.")


class CapacityDocument(FindingsDocument):
    """What capacity prints; of a fleet with errors there are no hosts."""

    hosts: list[HostCapacityModel] = Field(description="The hosts, by name.")
