"""The files of a fleet as models: fleet.toml, hosts, instances, the ledger."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import (
    AddressRange,
    AffinityBy,
    Downgrades,
    ServiceBackend,
    Sourced,
)
from pbxfleet.model.net import Address, PortRange
from pbxfleet.model.policy import Removals
from pbxfleet.model.reserved import Tombstones
from pbxfleet.pbx.port_block import LEAST_BLOCK
from pbxfleet.schema import defaults, names, network, scalars, shapes
from pbxfleet.schema.backup import HostBackupModel
from pbxfleet.schema.guards import HostGuardKeys, PolicyGuards
from pbxfleet.schema.judging import FleetJudging
from pbxfleet.schema.layers import DefaultsModel, Element, LayerModel, Text, Truth
from pbxfleet.schema.maintenance import (
    HostMaintenanceKeys,
    InstanceMaintenanceKeys,
    PolicyMaintenance,
)
from pbxfleet.schema.network_host import NetworkModel
from pbxfleet.schema.plans import FleetNeighbours, HostNeighbours, InstancePlans, PolicyPlans
from pbxfleet.schema.reservations import (
    PriceModel,
    ReservedAddresses,
    ReservedCores,
    ReservedPorts,
)
from pbxfleet.schema.schedule import WatchKeys
from pbxfleet.schema.services import ComposeModel, WindowsModel
from pbxfleet.schema.table import OPEN_TABLE, Items, Reads, Table

# Digits of no file, as an example.
_DIGEST = "0" * 64


def _number(low: int, high: int, unit: str) -> Reads:
    return Reads(scalars.whole(low, high), shapes.number(low, high, unit))


_Format: TypeAlias = Annotated[Sourced[int], Reads(names.format_number, shapes.FORMAT)]
_OneAddress: TypeAlias = Annotated[Sourced[Address], Reads(network.address, shapes.ADDRESS)]
_Range: TypeAlias = Annotated[
    Sourced[AddressRange], Reads(network.address_range, shapes.ADDRESS_RANGE)
]
_Cores: TypeAlias = Annotated[Sourced[tuple[int, ...]], Reads(network.cores, shapes.CORES)]
_Ports: TypeAlias = Annotated[Sourced[PortRange], Reads(network.port_range, shapes.PORT_RANGE)]
_RtpBlock: TypeAlias = Annotated[
    Sourced[int], Reads(network.rtp_block, shapes.number(2, 65534, "ports", multipleOf=2))
]
_Template: TypeAlias = Annotated[Sourced[str], Reads(names.path_template(), shapes.PATH)]
_TemplateOfInstance: TypeAlias = Annotated[
    Sourced[str],
    Reads(names.path_template(required="instance"), shapes.PATH_OF_INSTANCE),
]
_Name: TypeAlias = Annotated[Sourced[str], Reads(names.fleet_name, shapes.NAME)]
_HostPath: TypeAlias = Annotated[Sourced[HostPath], Reads(names.plain_host_path, shapes.HOST_PATH)]
_RepositoryFile: TypeAlias = Annotated[
    Sourced[str], Reads(names.repository_path, shapes.REPOSITORY_FILE)
]
_Source: TypeAlias = Annotated[Sourced[str], Reads(names.artefact_source, shapes.SOURCE)]
_Sha256: TypeAlias = Annotated[Sourced[str], Reads(names.sha256, shapes.DIGEST)]
_Services: TypeAlias = Annotated[
    Sourced[ServiceBackend],
    Reads(scalars.one_of(ServiceBackend), shapes.words(ServiceBackend)),
]
_Affinity: TypeAlias = Annotated[
    Sourced[AffinityBy],
    Reads(scalars.one_of(AffinityBy), shapes.words(AffinityBy)),
]


_Downgrades: TypeAlias = Annotated[
    Sourced[Downgrades],
    Reads(scalars.one_of(Downgrades), shapes.words(Downgrades)),
]
_Removals: TypeAlias = Annotated[
    Sourced[Removals],
    Reads(scalars.one_of(Removals), shapes.words(Removals)),
]
_Tombstones: TypeAlias = Annotated[
    Sourced[Tombstones],
    Reads(scalars.one_of(Tombstones), shapes.words(Tombstones)),
]
_Version: TypeAlias = Annotated[
    Sourced[str],
    Reads(names.version, shapes.VERSION),
]


_ARTEFACTS = defaults.ARTEFACTS  # in a model with a field of that name the module is out of reach


class FileModel(Table):
    """Keys that every file may have."""

    schema_link: Text | None = Field(
        None,
        alias="$schema",
        description="Address of this schema, for editors; not used otherwise.",
        examples=["../../schemas/instance.schema.json"],
    )


class PinModel(Table):
    """A file of a release, pinned by its digest."""

    source: _Source = Field(
        description='Where it comes from: an https address, or "file:" and a path relative to '
        "desired/.",
        examples=["file:../artefacts/pbxctrl"],
    )
    sha256: _Sha256 = Field(description="Its SHA-256 digest.", examples=[_DIGEST])


class ReleaseModel(Table):
    """A release: executable and resource bundle, which always switch together."""

    pbxctrl: PinModel = Field(
        description="The executable.",
        examples=[{"source": "file:../artefacts/pbxctrl", "sha256": _DIGEST}],
    )
    dat: PinModel = Field(
        description="The resource bundle pbxctrl.dat.",
        examples=[{"source": "file:../artefacts/pbxctrl.dat", "sha256": _DIGEST}],
    )
    reference: _RepositoryFile = Field(
        description="pbx.xml of an installed instance, relative to desired/.",
        examples=["reference/pbx-70.xml"],
    )
    reference_address: (
        Annotated[list[_OneAddress], Items(single=True, wanted="an address or a list of addresses")]
        | None
    ) = Field(
        None,
        description="Addresses of that instance; its binds on them become the instance's own.",
        examples=["198.51.100.10"],
    )
    version: _Version | None = Field(
        None,
        description="Version of the release, where its name is none: it tells an upgrade from a "
        "downgrade.",
        examples=["70.3.beta"],
    )
    settings: _RepositoryFile | None = Field(
        None,
        description="List of all settings that the release knows, one name a line, relative to "
        "desired/; with it any other setting is refused. pbxfleet learn --names writes it.",
        examples=["reference/settings-70.5.txt"],
    )


class CatalogueModel(Table):
    """Element names of roles for which the vendor documents none; taken from the reference file."""

    sip_udp: Element | None = Field(None, description="Ports of SIP over UDP.")
    sip_tcp: Element | None = Field(None, description="Ports of SIP over TCP.")
    sip_tls: Element | None = Field(None, description="Ports of SIP over TLS.")
    tftp: Element | None = Field(None, description="Port of TFTP.")
    snmp: Element | None = Field(None, description="Port of SNMP.")
    ldap: Element | None = Field(None, description="Port of LDAP.")
    rtp_bind: Element | None = Field(None, description="Address that media is bound to.")
    rtp_start: Element | None = Field(None, description="First port of media.")
    rtp_end: Element | None = Field(None, description="Last port of media.")
    affinity: Element | None = Field(None, description="Mask of cores.")


class PolicyModel(PolicyPlans, PolicyGuards, PolicyMaintenance):
    """Guards of apply."""

    deletion_budget: Annotated[Sourced[int], _number(0, 100_000, "instances")] | None = Field(
        None,
        description="Number of instances that one apply may remove.",
        examples=[1],
        json_schema_extra={"default": 1},
    )
    restart_budget: Annotated[Sourced[int], _number(0, 100_000, "instances")] | None = Field(
        None,
        description="Number of running instances that one apply may restart.",
        examples=[10],
    )
    removals: _Removals | None = Field(
        None,
        description="What a removal of an instance needs besides the budget: nothing more (budget), or an "
        "entry of [[acknowledge]] that names the instance (acknowledge).",
        json_schema_extra={"default": "budget"},
    )
    downgrades: _Downgrades | None = Field(
        None,
        description="Whether apply may put an older release in the place of a newer one, whose data "
        "the older one may not understand.",
        json_schema_extra={"default": "refuse"},
    )
    tombstones: _Tombstones | None = Field(
        None,
        description="What becomes of addresses, ports and cores of an instance that is gone: kept out of "
        "the pool until pbxfleet move --release gives them back, or handed out again at once.",
        json_schema_extra={"default": "keep"},
    )


class FleetModel(FileModel, FleetNeighbours, FleetJudging, WatchKeys):
    """desired/fleet.toml: what all hosts and instances have in common."""

    format: _Format = Field(description="Number of the file format.", examples=[1])
    name: _Name = Field(description="Name of the fleet.", examples=["example-voice"])
    defaults: DefaultsModel | None = Field(None, description="Values under every instance.")
    releases: Annotated[dict[str, ReleaseModel], OPEN_TABLE] | None = Field(
        None, description="Releases by the names that instances use."
    )
    catalogue: CatalogueModel | None = Field(None, description="Element names by role.")
    artefacts: _RepositoryFile | None = Field(
        None,
        description="Folder of release files by their digests, relative to desired/.",
        json_schema_extra={"default": _ARTEFACTS},
    )
    policy: PolicyModel | None = Field(None, description="What one apply may do at most.")


class HostModel(FileModel, HostNeighbours, HostGuardKeys, HostMaintenanceKeys, WatchKeys):
    """desired/hosts/NAME.toml: one server."""

    address: _OneAddress | None = Field(
        None, description="The host's standard address.", examples=["203.0.113.2"]
    )
    reserve_address: Truth | None = Field(
        None,
        description="Whether no instance may bind the standard address.",
        json_schema_extra={"default": defaults.RESERVE_ADDRESS},
    )
    addresses: Annotated[list[_Range], Items()] | None = Field(
        None,
        description="Addresses and ranges that the hosting company assigned.",
        examples=[["203.0.113.10-203.0.113.41"]],
    )
    reserved: Annotated[list[ReservedAddresses], Items()] | None = Field(
        None,
        description="Addresses among them that no instance may have; with a reason, if it is a table.",
        examples=[["203.0.113.11", {"addresses": "203.0.113.12", "reason": "monitoring"}]],
    )
    reserved_cpus: Annotated[list[ReservedCores], Items()] | None = Field(
        None,
        description="Cores that no instance may have; with a reason, if it is a table.",
        examples=[[{"cpus": "14-15", "reason": "recordings are converted here"}]],
    )
    reserved_ports: Annotated[list[ReservedPorts], Items()] | None = Field(
        None,
        description="Ports that no instance may have on any address; with a reason, if it is a table.",
        examples=[[{"ports": "8080-8089", "reason": "reverse proxy"}]],
    )
    price: PriceModel | None = Field(
        None,
        description="What the host costs per month; capacity tells the share of an instance.",
        examples=[{"amount": "49.90", "currency": "EUR"}],
    )
    cpus: _Cores | None = Field(None, description="Cores of the host.", examples=["0-15"])
    system_cpus: _Cores | None = Field(
        None, description="Cores that are left to the system.", examples=["0-1"]
    )
    rtp: _Ports | None = Field(
        None, description="UDP ports for media of all instances.", examples=["49152-64511"]
    )
    rtp_block: _RtpBlock | None = Field(
        None,
        description='Number of ports that an instance with rtp = "auto" gets.',
        json_schema_extra={"default": defaults.RTP_BLOCK},
    )
    ports: _Ports | None = Field(
        None,
        description="Ports that instances on a shared address take blocks of.",
        examples=["8000-8999"],
    )
    port_block: Annotated[Sourced[int], _number(LEAST_BLOCK, 1000, "ports")] | None = Field(
        None,
        description='Number of ports that an instance with ports = "auto" gets.',
        json_schema_extra={"default": defaults.PORT_BLOCK},
    )
    services: _Services | None = Field(
        None, description="How instances are run.", json_schema_extra={"default": defaults.SERVICES}
    )
    directory: _Template | None = Field(
        None,
        description="Working directory of an instance; {instance}, {address} and {number} stand "
        "for its own.",
        json_schema_extra={"default": defaults.DIRECTORY},
    )
    pid_file: _Template | None = Field(
        None,
        description="PID file of an instance.",
        json_schema_extra={"default": defaults.PID_FILE},
    )
    lock_file: _Template | None = Field(
        None,
        description="Lock file of an init script.",
        json_schema_extra={"default": defaults.LOCK_FILE},
    )
    failover_file: _TemplateOfInstance | None = Field(
        None,
        description="Failover file of an instance, outside its directory.",
        examples=["/etc/pbx/failover-{instance}.conf"],
    )
    failover_template: _RepositoryFile | None = Field(
        None,
        description="Template of the failover file, relative to desired/.",
        examples=["templates/failover.conf.j2"],
    )
    mirror_exclude: _Template | None = Field(
        None,
        description="File that lists what not to copy from an instance's directory to its peer's.",
        json_schema_extra={"default": defaults.MIRROR_EXCLUDE},
    )
    backup_list: _Template | None = Field(
        None,
        description="File that lists what to back up of an instance.",
        json_schema_extra={"default": defaults.BACKUP_LIST},
    )
    backup_exclude: _Template | None = Field(
        None,
        description="File that lists what not to back up of an instance.",
        json_schema_extra={"default": defaults.BACKUP_EXCLUDE},
    )
    host_backup_list: _HostPath | None = Field(
        None,
        description="File that lists what to back up of the whole host.",
        json_schema_extra={"default": defaults.HOST_BACKUP_LIST},
    )
    affinity: _Affinity | None = Field(
        None,
        description='Who pins a process: its starter ("unit"), the PBX itself ("pbx"), or the '
        'kernel, for good ("cpuset"; with systemd and compose).',
        json_schema_extra={"default": defaults.AFFINITY},
    )
    hardening: Truth | None = Field(
        None,
        description="Whether units and containers take away from an instance what no PBX needs.",
        json_schema_extra={"default": defaults.HARDENING},
    )
    compose: ComposeModel | None = Field(None, description="Instances as containers.")
    windows: WindowsModel | None = Field(None, description="Instances as services of Windows.")
    stop_timeout: Annotated[Sourced[int], _number(1, 3600, "seconds")] | None = Field(
        None,
        description="Seconds that an instance may take to stop.",
        json_schema_extra={"default": defaults.STOP_TIMEOUT_S},
    )
    start_timeout: Annotated[Sourced[int], _number(1, 3600, "seconds")] | None = Field(
        None,
        description="Seconds in which a started instance must hold all its sockets; then it is undone.",
        json_schema_extra={"default": defaults.START_TIMEOUT_S},
    )
    network: NetworkModel | None = Field(
        None, description="Addresses, firewall and what else the host's network needs."
    )
    backup: HostBackupModel | None = Field(
        None, description="Programs that back up the instances of this host."
    )
    defaults: DefaultsModel | None = Field(
        None, description="Values under every instance of this host."
    )


class InstanceModel(FileModel, InstancePlans, LayerModel, InstanceMaintenanceKeys):
    """desired/instances/NAME.toml: one PBX."""

    host: Text = Field(description="Name of the host that it runs on.", examples=["fra1"])
    directory: _Template | None = Field(
        None,
        description="Its own working directory, where the host's template does not fit.",
        examples=["/usr/local/pbx"],
    )
    number: Annotated[Sourced[int], _number(0, 99_999, "number of an instance")] | None = Field(
        None, description="Its number, for {number} in paths.", examples=[1]
    )
