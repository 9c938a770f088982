"""The keys that every layer has: fleet [defaults], host [defaults], instance files."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from pbxfleet.model.desired import (
    AddressWish,
    Auto,
    CpuWish,
    FailoverRole,
    ListenWish,
    Ownership,
    PortsWish,
    RtpWish,
    Sourced,
    WebScheme,
)
from pbxfleet.schema import names, network, scalars, shapes, urls
from pbxfleet.schema.backup import BackupModel
from pbxfleet.schema.network_host import AdminAllow, SourceAddress
from pbxfleet.schema.plans import LayerPlans
from pbxfleet.schema.probing import ApiModel, ProbesModel
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.table import OPEN_TABLE, Items, Reads, Table
from pbxfleet.source.nodes import MappingNode

Text: TypeAlias = Annotated[Sourced[str], Reads(scalars.text, shapes.TEXT)]
Truth: TypeAlias = Annotated[Sourced[bool], Reads(scalars.truth, shapes.TRUTH)]
Listen: TypeAlias = Annotated[
    Sourced[ListenWish],
    Reads(network.listen, shapes.either(shapes.PORT, shapes.OFF, shapes.BINDS)),
]
Element: TypeAlias = Annotated[
    Sourced[str],
    Reads(names.element, shapes.ELEMENT),
]
_Address: TypeAlias = Annotated[
    Sourced[AddressWish],
    Reads(
        network.address_wish,
        shapes.either(shapes.words(Auto), shapes.ADDRESS),
    ),
]
_Cpu: TypeAlias = Annotated[
    Sourced[CpuWish],
    Reads(
        network.cpu,
        shapes.either(
            {"const": "auto"},
            shapes.OFF,
            shapes.number(0, network.MOST_CORES - 1, shapes.CORE_NUMBER),
        ),
    ),
]
_Rtp: TypeAlias = Annotated[
    Sourced[RtpWish], Reads(network.rtp_wish, shapes.either({"const": "auto"}, shapes.PORT_RANGE))
]
_Ports: TypeAlias = Annotated[
    Sourced[PortsWish],
    Reads(network.ports_wish, shapes.either({"const": "auto"}, shapes.OFF, shapes.PORT_RANGE)),
]
_Role: TypeAlias = Annotated[
    Sourced[FailoverRole],
    Reads(scalars.one_of(FailoverRole), shapes.words(FailoverRole)),
]
_Scheme: TypeAlias = Annotated[
    Sourced[WebScheme],
    Reads(scalars.one_of(WebScheme), shapes.words(WebScheme)),
]
_Url: TypeAlias = Annotated[
    Sourced[str], Reads(urls.web_address, shapes.strict_text(urls.SCHEMA_PATTERN))
]


def _count(low: int, high: int, unit: str) -> Reads:
    return Reads(scalars.whole(low, high), shapes.number(low, high, unit))


_Ownership: TypeAlias = Annotated[
    Sourced[Ownership],
    Reads(scalars.one_of(Ownership), shapes.words(Ownership)),
]
_Tenant: TypeAlias = Annotated[
    Sourced[str], Reads(names.dns_name("the name of a tenant"), shapes.TENANT)
]
_Secret: TypeAlias = Annotated[Sourced[str], Reads(names.secret, shapes.SECRET)]
_SettingText: TypeAlias = Annotated[Sourced[str], Reads(names.setting_text, shapes.SETTING)]


class ListenModel(Table):
    """Listeners of an instance: a port on its own addresses, "off", or explicit binds."""

    http: Listen | None = Field(None, description="Web access.", examples=[80])
    https: Listen | None = Field(None, description="Web access with TLS.", examples=[443])
    sip_udp: Listen | None = Field(None, description="SIP over UDP.", examples=[5060])
    sip_tcp: Listen | None = Field(None, description="SIP over TCP.", examples=[5060])
    sip_tls: Listen | None = Field(None, description="SIP over TLS.", examples=[5061])
    tftp: Listen | None = Field(None, description="Provisioning of phones.", examples=["off"])
    snmp: Listen | None = Field(None, description="Monitoring.", examples=["off"])
    ldap: Listen | None = Field(None, description="Address book.", examples=["off"])


class FailoverModel(Table):
    """Half of a failover pair."""

    role: _Role | None = Field(None, description="Which half.", examples=["primary"])
    peer: Text | None = Field(
        None, description="Name of the instance that is the other half.", examples=["acme-dr"]
    )
    peer_scheme: _Scheme | None = Field(
        None,
        description="Which web listener of the other half is polled; HTTP if it has that, else HTTPS.",
        examples=["https"],
    )
    peer_url: _Url | None = Field(
        None,
        description="Address of the other half's web server, instead of the one that follows from "
        "its listeners.",
        examples=["https://acme-dr.example.net"],
    )
    validation_url: _Url | None = Field(
        None,
        description="Address elsewhere that tells whether the rest of the Internet can be reached.",
        examples=["https://example.net/"],
    )
    interval: Annotated[Sourced[int], _count(1, 86_400, "seconds")] | None = Field(
        None, description="Seconds between two polls.", examples=[30]
    )
    failures: Annotated[Sourced[int], _count(1, 10_000, "polls")] | None = Field(
        None, description="Polls that must fail one after the other.", examples=[4]
    )
    action_url: _Url | None = Field(
        None,
        description="Address that is called on the event, for example to change DNS.",
        examples=["https://dns.example.net/switch"],
    )


class SettingModel(Table):
    """A setting with more to say than its value; exactly one of value and secret."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["value"]}, {"required": ["secret"]}]}
    )

    value: _SettingText | None = Field(None, description="The value.", examples=[200])
    secret: _Secret | None = Field(
        None, description="Name of the secret that is the value.", examples=["acme/admin"]
    )
    ownership: _Ownership | None = Field(
        None,
        description='"owned" is kept as declared; "seeded" is written once, then the PBX\'s.',
        examples=["seeded"],
        json_schema_extra={"default": "owned"},
    )
    raw: Truth | None = Field(
        None,
        description="Admit a name that neither the catalogue nor the reference file knows.",
        examples=[True],
        json_schema_extra={"default": False},
    )

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if self.value is None and self.secret is None:
            raise problem("FMT105", f"{KEY} has neither value nor secret", hint="write one of them")
        if self.value is not None and self.secret is not None:
            second = max(self.value.origin, self.secret.origin)
            raise problem("FMT122", f"{KEY} has both value and secret", second, hint="keep one")
        return self


# Tags become parts of the paths of errors, where they must not be taken for keys of the file.
_AS_TEXT, _AS_TABLE = "<text>", "<table>"


def _setting_form(node: Any) -> str:
    return _AS_TABLE if isinstance(node, MappingNode) else _AS_TEXT


Setting: TypeAlias = Annotated[
    Annotated[_SettingText, Tag(_AS_TEXT)] | Annotated[SettingModel, Tag(_AS_TABLE)],
    Discriminator(_setting_form),
]


class LayerModel(LayerPlans):
    """Values that a nearer layer may override."""

    release: Text | None = Field(
        None, description="Name of a release of fleet.toml.", examples=["70.5"]
    )
    address: (
        Annotated[
            list[_Address],
            Items(single=True, wanted="an address or a list of addresses", unique=True),
        ]
        | None
    ) = Field(
        None,
        description="Addresses of the instance; auto is allocated once and remembered.",
        examples=["203.0.113.10", ["auto-ipv4", "auto-ipv6"]],
    )
    cpu: _Cpu | None = Field(
        None,
        description="Core that the instance is pinned to; off does not pin.",
        examples=["auto", 3],
        json_schema_extra={"default": "off"},
    )
    listen: ListenModel | None = Field(None, description="Listeners by role.")
    rtp: _Rtp | None = Field(
        None,
        description="UDP ports for media, both ends included; the host's range if not said.",
        examples=["49152-51199", "auto"],
    )
    ports: _Ports | None = Field(
        None,
        description="Block of ports for its listeners where several instances share an address: "
        'a range, or "auto" for one of the host\'s ports; "off" takes no block.',
        examples=["auto", "8000-8009"],
        json_schema_extra={"default": "off"},
    )
    failover: FailoverModel | None = Field(None, description="Failover pair.")
    backup: BackupModel | None = Field(None, description="Backup.")
    settings: Annotated[dict[names.ElementKey, Setting], OPEN_TABLE] | None = Field(
        None,
        description="Settings by element name of pbx.xml; kept as declared unless said otherwise.",
        examples=[{"sys_name": "ACME"}],
    )
    unset: Annotated[list[Element], Items(unique=True)] | None = Field(
        None, description="Elements to remove from pbx.xml.", examples=[["load_balancer"]]
    )
    tenants: Annotated[list[_Tenant], Items(unique=True)] | None = Field(
        None, description="Domains of the instance.", examples=[["acme.example.com"]]
    )
    admin_allow: AdminAllow | None = Field(
        None,
        description="Networks that the host's firewall lets in to the web ports; all if not said.",
        examples=[["198.51.100.0/24", "2001:db8:ad::/48"]],
    )
    source_address: SourceAddress | None = Field(
        None,
        description="Address that outgoing TCP leaves from: the instance's own or another one of "
        "the host; the host's standard address if not said.",
        examples=["own", "203.0.113.10"],
    )
    api: ApiModel | None = Field(
        None, description="Login for calls on it now, and for changes without a restart."
    )
    probes: ProbesModel | None = Field(None, description="What it must answer after a start.")


class DefaultsModel(LayerModel):
    """A layer under the instances."""
