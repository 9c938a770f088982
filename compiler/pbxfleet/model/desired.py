"""Desired state: what people wrote, typed, one record a file, before layers are joined.

Every value carries its place. In a layer, None or a missing key means "this layer is silent".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.backup import NO_WISH, BackupWish, HostBackup
from pbxfleet.model.guards import ARCHIVES, GENERATIONS, NO_HOST_GUARDS, HostGuards, Removed
from pbxfleet.model.maintenance import NO_MAINTENANCE, Maintenance, OnDeadline
from pbxfleet.model.net import Address, Bind, PortRange
from pbxfleet.model.plans import Judging
from pbxfleet.model.policy import Removals
from pbxfleet.model.probing import NO_API, NO_PROBES, ApiWish, ProbesWish
from pbxfleet.model.reserved import Price, Reserved, Tombstones
from pbxfleet.model.schedule import NO_SCHEDULE, ScheduleWish
from pbxfleet.model.sinks import NO_SINKS, Sinks

if TYPE_CHECKING:
    from pbxfleet.model.network import HostNetwork, Network, SourceWish
    from pbxfleet.model.plans import ForeignListener, Partner, StockService
    from pbxfleet.model.services import ComposeWish, WindowsWish

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value, the place where it is written, and the places it overrode (nearest layer first)."""

    value: T
    origin: Span = field(compare=False)
    overrode: tuple[Span, ...] = field(default=(), compare=False)


class Role(StrEnum):
    """A listener of the PBX, or another setting whose element name the fleet may map."""

    HTTP = "http"
    HTTPS = "https"
    SIP_UDP = "sip_udp"
    SIP_TCP = "sip_tcp"
    SIP_TLS = "sip_tls"
    TFTP = "tftp"
    SNMP = "snmp"
    LDAP = "ldap"
    RTP_BIND = "rtp_bind"
    RTP_START = "rtp_start"
    RTP_END = "rtp_end"
    AFFINITY = "affinity"


LISTENER_ROLES = (
    Role.HTTP,
    Role.HTTPS,
    Role.SIP_UDP,
    Role.SIP_TCP,
    Role.SIP_TLS,
    Role.TFTP,
    Role.SNMP,
    Role.LDAP,
)


class Auto(StrEnum):
    """A value that the ledger hands out: `auto`, or for addresses one family."""

    ANY = "auto"
    IPV4 = "auto-ipv4"
    IPV6 = "auto-ipv6"


class Off(StrEnum):
    """The listener is closed, the instance is not pinned to a core, or has no block of ports."""

    OFF = "off"


class Ownership(StrEnum):
    """`owned` is kept as declared; `seeded` is written once, then the application's."""

    OWNED = "owned"
    SEEDED = "seeded"


class ServiceBackend(StrEnum):
    """How a host runs instances."""

    SYSTEMD = "systemd"
    SYSV = "sysv"
    COMPOSE = "compose"
    WINDOWS = "windows"
    DIRECT = "direct"


class AffinityBy(StrEnum):
    """Who pins the process.

    Its starter (`unit`), the PBX's own mask setting (`pbx`), or the kernel's set of cores for the
    service (`cpuset`), which the process cannot leave.
    """

    UNIT = "unit"
    PBX = "pbx"
    CPUSET = "cpuset"


class Downgrades(StrEnum):
    """Whether apply may put an older release on data that a newer one has written."""

    REFUSE = "refuse"
    ALLOW = "allow"


class FailoverRole(StrEnum):
    """Half of a failover pair."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class WebScheme(StrEnum):
    """Which of the peer's web listeners is asked whether the peer lives."""

    HTTP = "http"
    HTTPS = "https"


AddressWish: TypeAlias = Address | Auto
ListenWish: TypeAlias = int | Off | tuple[Bind, ...]
CpuWish: TypeAlias = int | Auto | Off
RtpWish: TypeAlias = PortRange | Auto
PortsWish: TypeAlias = PortRange | Auto | Off


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Name of a secret in the host's secret store; never its value."""

    name: str


@dataclass(frozen=True, slots=True)
class SettingWish:
    """Declared value of one pbx.xml element; None says that the element is to be removed (`unset`).

    `raw` admits a name that neither the catalogue nor the reference file knows. `named_at` is the
    place of the element's name; what is wished does not depend on it.
    """

    value: str | SecretRef | None
    ownership: Ownership = Ownership.OWNED
    raw: bool = False
    named_at: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FailoverWish:
    """Half of a pair: a role, the name of the other half, and what the operator's template needs.

    The product's own values for `interval_s` and `failures` are not documented, so that they have
    no default. `peer_url` replaces the address that is derived from the peer's listeners.
    """

    role: Sourced[FailoverRole] | None = None
    peer: Sourced[str] | None = None
    peer_scheme: Sourced[WebScheme] | None = None
    peer_url: Sourced[str] | None = None
    validation_url: Sourced[str] | None = None
    interval_s: Sourced[int] | None = None
    failures: Sourced[int] | None = None
    action_url: Sourced[str] | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer (fleet defaults, host defaults, the instance) says.

    `calls` is the number of concurrent calls that are planned, `acme` whether certificates are wanted
    by HTTP challenge, `partners` whom the instance calls over HTTP or mail, by name.
    """

    release: Sourced[str] | None = None
    address: tuple[Sourced[AddressWish], ...] | None = None
    cpu: Sourced[CpuWish] | None = None
    listen: Mapping[Role, Sourced[ListenWish]] = field(default_factory=dict)
    rtp: Sourced[RtpWish] | None = None
    failover: FailoverWish = FailoverWish()
    backup: BackupWish = NO_WISH
    settings: Mapping[str, Sourced[SettingWish]] = field(default_factory=dict)
    tenants: tuple[Sourced[str], ...] | None = None
    ports: Sourced[PortsWish] | None = None
    admin_allow: tuple[Sourced[Network], ...] | None = None
    source_address: tuple[Sourced[SourceWish], ...] | None = None
    calls: Sourced[int] | None = None
    acme: Sourced[bool] | None = None
    partners: Mapping[str, Sourced[Partner]] = field(default_factory=dict)
    api: ApiWish = NO_API
    probes: ProbesWish = NO_PROBES


@dataclass(frozen=True, slots=True)
class InstanceFile:
    """`desired/instances/<name>.toml|yaml`. `span` is the place of the file's first key.

    `management_dns` is what administrators call it; `maintenance` are its own windows, None for the host's.
    """

    name: str
    span: Span = field(compare=False)
    host: Sourced[str]
    directory: Sourced[str] | None
    number: Sourced[int] | None
    layer: Layer
    management_dns: Sourced[str] | None = None
    maintenance: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Addresses `first` to `last`, both included, of one family."""

    first: Address
    last: Address

    def __contains__(self, address: Address) -> bool:
        return address.version == self.first.version and int(self.first) <= int(address) <= int(
            self.last
        )

    @property
    def size(self) -> int:
        """Number of addresses."""
        return int(self.last) - int(self.first) + 1


@dataclass(frozen=True, slots=True)
class HostFile:
    """`desired/hosts/<name>.toml|yaml`; paths are templates of {instance}, {address}, {number}.

    `cpus` and `system_cpus` are sorted core numbers; timeouts are in seconds; what is None was not said.
    """

    name: str
    span: Span = field(compare=False)
    address: Sourced[Address] | None
    reserve_address: Sourced[bool]
    addresses: tuple[Sourced[AddressRange], ...]
    reserved: tuple[Reserved[AddressRange], ...]
    cpus: Sourced[tuple[int, ...]] | None
    system_cpus: Sourced[tuple[int, ...]] | None
    rtp: Sourced[PortRange] | None
    rtp_block: Sourced[int]
    services: Sourced[ServiceBackend]
    directory: Sourced[str]
    pid_file: Sourced[str]
    lock_file: Sourced[str]
    failover_file: Sourced[str] | None
    failover_template: Sourced[str] | None
    backup_list: Sourced[str]
    backup_exclude: Sourced[str]
    host_backup_list: Sourced[HostPath]
    affinity: Sourced[AffinityBy]
    stop_timeout_s: Sourced[int]
    defaults: Layer
    start_timeout_s: Sourced[int] | None = None
    hardening: Sourced[bool] | None = None
    ports: Sourced[PortRange] | None = None
    port_block: Sourced[int] | None = None
    network: HostNetwork | None = None
    mirror_exclude: Sourced[str] | None = None
    backup: HostBackup | None = None
    compose: ComposeWish | None = None
    foreign_listeners: tuple[ForeignListener, ...] = ()
    ephemeral_ports: Sourced[PortRange] | None = None
    stock_service: Sourced[StockService] | None = None
    reserved_cpus: tuple[Reserved[tuple[int, ...]], ...] = ()
    reserved_ports: tuple[Reserved[PortRange], ...] = ()
    price: Price | None = None
    windows: WindowsWish | None = None
    guards: HostGuards = NO_HOST_GUARDS
    sinks: Sinks = NO_SINKS
    schedule: ScheduleWish = NO_SCHEDULE
    maintenance: Maintenance = NO_MAINTENANCE


@dataclass(frozen=True, slots=True)
class ArtefactPin:
    """A release file: where it comes from and its digest (hex).

    `source` is a `file:` path relative to desired/, or an https address.
    """

    source: Sourced[str]
    sha256: Sourced[str]


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """A release: executable and resource bundle, which always switch together.

    Beside them the reference pbx.xml of an instance of this release. `version` is what orders it
    among the others where its name does not; `settings` is the file of all settings that it knows.
    """

    name: str
    span: Span = field(compare=False)
    pbxctrl: ArtefactPin
    dat: ArtefactPin
    reference: Sourced[str]
    reference_address: tuple[Sourced[Address], ...]
    version: Sourced[str] | None = None
    settings: Sourced[str] | None = None

    @property
    def version_text(self) -> str:
        """What the release is ordered by."""
        return self.name if self.version is None else self.version.value


@dataclass(frozen=True, slots=True)
class Policy:
    """Guards. `deletion_budget` is the number of instances one apply may remove.

    `rtp_ports_per_call` are the RTP ports that a planned call needs; None if nothing is said.
    `generations` is how many runs each host keeps to go back to. `empty_hosts` are the names of hosts
    of which it is right that they have no instance.
    `restart_budget` is the number of running instances that one apply may restart; None for any.
    """

    deletion_budget: int = 1
    downgrades: Downgrades = Downgrades.REFUSE
    rtp_ports_per_call: Sourced[int] | None = None
    tombstones: Tombstones = Tombstones.KEEP
    removed_directory: Removed = Removed.KEEP
    removed_archives: HostPath = ARCHIVES
    generations: int = GENERATIONS
    empty_hosts: tuple[Sourced[str], ...] = ()
    restart_budget: int | None = None
    removals: Removals = Removals.BUDGET
    on_deadline: OnDeadline = OnDeadline.ABANDON


@dataclass(frozen=True, slots=True)
class FleetFile:
    """`desired/fleet.toml|yaml`. `managed_from` are the addresses that pbxfleet itself works from."""

    name: Sourced[str]
    span: Span = field(compare=False)
    defaults: Layer
    releases: Mapping[str, ReleaseFile]
    catalogue: Mapping[Role, Sourced[str]]
    policy: Policy
    artefacts: str = "../artefacts"
    judging: Judging = field(default_factory=Judging)
    managed_from: tuple[Sourced[Address], ...] = ()
    sinks: Sinks = NO_SINKS
    schedule: ScheduleWish = NO_SCHEDULE


class Gaps(NamedTuple):
    """What is declared but has errors of its own, so that nobody knows what it says.

    Names of hosts, instances and releases are not "unknown" then. `fleet`: what holds for all of
    them (defaults, releases, catalogue) is not known either; `ledger`: what was allocated is not.
    """

    hosts: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    releases: frozenset[str] = frozenset()
    fleet: bool = False
    ledger: bool = False

    @property
    def claims(self) -> bool:
        """Whether addresses, ports and cores may be in use that nobody knows of."""
        return bool(self.instances) or self.ledger


NO_GAPS = Gaps()


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything that `desired/` says; keys are names, in sorted order.

    With `gaps` it is only the sound part: good for finding further problems, never for compiling.
    """

    fleet: FleetFile
    hosts: Mapping[str, HostFile]
    instances: Mapping[str, InstanceFile]
    gaps: Gaps = NO_GAPS
