"""Resolved state: nothing open; every port, address, core and path is final and has an origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.backup import WHOLE, InstanceBackup
from pbxfleet.model.desired import (
    AffinityBy,
    Downgrades,
    FailoverRole,
    HostFile,
    Ownership,
    ReleaseFile,
    SecretRef,
    ServiceBackend,
    Sourced,
)
from pbxfleet.model.guards import NO_GUARDS, Guards
from pbxfleet.model.maintenance import NO_MAINTENANCE, Maintenance
from pbxfleet.model.net import Address, Bind, PortRange, Protocol
from pbxfleet.model.network import Network
from pbxfleet.model.plans import IgnoredHere, Partner
from pbxfleet.model.policy import NO_RULES, Rules
from pbxfleet.model.schedule import NO_SCHEDULE, ScheduleWish
from pbxfleet.model.sinks import NO_SINKS, Sinks
from pbxfleet.model.target import PROBES, Login, Probes


@dataclass(frozen=True, slots=True)
class Listener:
    """Sockets that an instance will bind for one role or one unmapped bind setting.

    `protocols` has both members where the transport of the setting is not known (the safe reading).
    `role` is the role's word (`http`), or the element name for a setting that no role is mapped to.
    `as_reference` tells that the reference file has this bind too, on its own address; also where
    that is not known because no element is mapped to the role. `names_address` tells that its
    address is written out, so that it does not follow the instance's when that changes.
    """

    role: str
    protocols: tuple[Protocol, ...]
    bind: Bind
    origin: Span = field(compare=False)
    as_reference: bool = field(default=False, compare=False)
    names_address: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ResolvedSetting:
    """One pbx.xml element as it shall be; value None removes it.

    `impact` is what a change of it costs: `none`, `live` or `restart`.
    `label` says in the user's words what it is (`listen.http`, `settings.sys_name`, `rtp`).
    """

    name: str
    value: str | SecretRef | None
    ownership: Ownership
    impact: str
    label: str
    origin: Span = field(compare=False)
    overrode: tuple[Span, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class InstancePaths:
    """Where the things of one instance lie on its host; `unit` is the unit file or init script."""

    directory: HostPath
    pid_file: HostPath
    lock_file: HostPath
    service_name: str
    unit: HostPath | None
    failover_file: HostPath | None
    backup_list: HostPath
    backup_exclude: HostPath
    mirror_exclude: HostPath | None = None


@dataclass(frozen=True, slots=True)
class Failover:
    """Half of a failover pair, with what the operator's template may say about the other half.

    `origin` is where the peer is named, `role_origin` where the role is, `url_origin` where
    `peer_url` is, if it was declared and not derived. That is "" for a primary whose peer has no web
    server: a primary polls nobody. The other values are None where nothing says them; `interval_s` is
    in seconds, `failures` a number of polls.
    """

    role: FailoverRole
    peer: str
    peer_host: str
    peer_address: str
    peer_url: str
    origin: Span = field(compare=False)
    role_origin: Span | None = field(default=None, compare=False)
    url_origin: Span | None = field(default=None, compare=False)
    validation_url: Sourced[str] | None = None
    interval_s: Sourced[int] | None = None
    failures: Sourced[int] | None = None
    action_url: Sourced[str] | None = None


class Resource(StrEnum):
    """A kind of thing that a host has to give."""

    ADDRESS = "addresses"
    CORE = "cores"
    NUMBER = "numbers"
    PORTS = "ports"
    RTP = "rtp"


class Thing(NamedTuple):
    """One thing of a host: an address, a core, a number, a block of ports; `text` names it."""

    resource: Resource
    text: str

    @property
    def words(self) -> str:
        """As a message says it: `203.0.113.10`, `core 3`, `RTP ports 49152-50175`."""
        return f"{_WORDS[self.resource]}{self.text}"


_WORDS = {
    Resource.ADDRESS: "",
    Resource.CORE: "core ",
    Resource.NUMBER: "number ",
    Resource.PORTS: "ports ",
    Resource.RTP: "RTP ports ",
}


class Remembered(NamedTuple):
    """A thing that the ledger gave an instance: the wish it stands for, and the ledger's line."""

    thing: Thing
    wish: Span
    line: Span


@dataclass(frozen=True, slots=True)
class ResolvedInstance:
    """One PBX process. `addresses` has the IPv4 address first if there is one of each family.

    `admin_allow` are the networks that may reach its web ports, all if there are none.
    `source_addresses` are those that its outgoing TCP shall leave from, at most one of each family.
    `directory_template` is its own one, None if it has that of its host. `remembered` is what it has
    because the ledger says so.
    """

    name: str
    number: int | None
    span: Span = field(compare=False)
    release: ReleaseFile
    release_origin: Span = field(compare=False)
    addresses: tuple[Sourced[Address], ...]
    cpu: Sourced[int] | None
    listeners: tuple[Listener, ...]
    rtp: Sourced[PortRange] | None
    rtp_bind: Sourced[Address] | None
    paths: InstancePaths
    directory_origin: Span = field(compare=False)
    settings: tuple[ResolvedSetting, ...]
    failover: Failover | None
    tenants: tuple[Sourced[str], ...]
    backup: InstanceBackup = WHOLE
    admin_allow: tuple[Sourced[Network], ...] = ()
    source_addresses: tuple[Sourced[Address], ...] = ()
    calls: Sourced[int] | None = None
    acme: Sourced[bool] | None = None
    management_dns: Sourced[str] | None = None
    partners: tuple[Sourced[Partner], ...] = ()
    directory_template: Sourced[str] | None = None
    number_origin: Span | None = field(default=None, compare=False)
    remembered: tuple[Remembered, ...] = field(default=(), compare=False)
    api: Login | None = None
    probes: Probes = PROBES


@dataclass(frozen=True, slots=True)
class ReleaseRules:
    """What every host's target says of releases: all that are declared, and what may be done.

    `artefacts` is the folder of release files by digest, relative to the repository.
    """

    declared: tuple[ReleaseFile, ...] = ()
    downgrades: Downgrades = Downgrades.REFUSE
    artefacts: str = "artefacts"


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """A host and its instances in order of their names. `file` is what the host's file says.

    `rtp_ports_per_call` and `managed_from` are what the fleet says, for the checks of this host.
    """

    name: str
    file: HostFile
    services: ServiceBackend
    affinity: AffinityBy
    stop_timeout_s: int
    instances: tuple[ResolvedInstance, ...]
    releases: ReleaseRules = ReleaseRules()
    rtp_ports_per_call: Sourced[int] | None = None
    managed_from: tuple[Sourced[Address], ...] = ()
    guards: Guards = NO_GUARDS
    rules: Rules = NO_RULES
    sinks: Sinks = NO_SINKS
    schedule: ScheduleWish = NO_SCHEDULE
    maintenance: Maintenance = NO_MAINTENANCE
    ignored: tuple[IgnoredHere, ...] = ()

    @property
    def hardened(self) -> bool:
        """Whether the service manager takes away what no PBX needs; it does if nobody says."""
        return self.file.hardening is None or self.file.hardening.value


@dataclass(frozen=True, slots=True)
class Resolved:
    """The whole fleet; hosts in order of their names."""

    fleet_name: str
    hosts: tuple[ResolvedHost, ...]
    deletion_budget: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one instance holds; None where it holds nothing of a kind.

    `addresses` are literal text, those of IPv4 first, each family in the order of the wishes; `rtp`
    and `ports` are `first-last`. `declared` are the things among them that its own files name, so
    that nothing was handed out; the ledger's file does not tell them apart.
    """

    host: str
    addresses: tuple[str, ...] = ()
    cpu: int | None = None
    rtp: str | None = None
    number: int | None = None
    ports: str | None = None
    declared: frozenset[Thing] = field(default=frozenset(), compare=False, repr=False)

    @property
    def things(self) -> tuple[Thing, ...]:
        """Everything it holds."""
        one = (
            (Resource.CORE, self.cpu),
            (Resource.NUMBER, self.number),
            (Resource.PORTS, self.ports),
            (Resource.RTP, self.rtp),
        )
        addresses = (Thing(Resource.ADDRESS, text) for text in self.addresses)
        return (*addresses, *(Thing(kind, str(value)) for kind, value in one if value is not None))

    @property
    def handed_out(self) -> tuple[Thing, ...]:
        """What `auto` stands for."""
        return tuple(thing for thing in self.things if thing not in self.declared)


@dataclass(frozen=True, slots=True)
class Ledger:
    """`desired/ledger.toml`: what instances hold, by their names.

    `tombstones` hold what instances had that are gone. `spans` has a place for each name, `lines`
    one for each thing of it, where they are known.
    """

    allocations: Mapping[str, Allocation]
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False)
    tombstones: Mapping[str, Allocation] = field(default_factory=dict)
    lines: Mapping[tuple[str, Thing], Span] = field(default_factory=dict, compare=False)

    @property
    def remembers(self) -> bool:
        """Whether there is anything that the files of the instances do not say themselves."""
        return bool(self.tombstones) or any(a.handed_out for a in self.allocations.values())

    def without_spans(self) -> Ledger:
        """What is remembered, wherever it is written."""
        return replace(self, spans={}, lines={})


@dataclass(frozen=True, slots=True)
class KeyTable:
    """All settings that a release knows, by name, with their places in the list `file`."""

    file: str
    names: Mapping[str, Span]


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference pbx.xml of a release: its bytes and, by element name, what it says.

    `settings` maps the name to value and place; values of encrypted elements are None. `known` is the
    exact list of names, None where there is none.
    """

    file: str
    content: bytes
    settings: Mapping[str, tuple[str | None, Span]]
    known: KeyTable | None = None
