"""Resolved hosts and instances for tests that start behind `resolve`: everything has a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import TypeVar

from pbxfleet.core.digest import digest_of
from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.backup import NO_WISH, BackupPart, BackupWish, HostBackup, InstanceBackup
from pbxfleet.model.desired import (
    AffinityBy,
    ArtefactPin,
    FailoverRole,
    HostFile,
    Layer,
    Ownership,
    ReleaseFile,
    SecretRef,
    ServiceBackend,
    Sourced,
)
from pbxfleet.model.net import Bind, Family, PortRange, Protocol
from pbxfleet.model.resolved import (
    Failover,
    InstancePaths,
    Listener,
    Reference,
    ResolvedHost,
    ResolvedInstance,
    ResolvedSetting,
)
from pbxfleet.model.services import ComposeProgram, ComposeWish, ContainerNetwork
from pbxfleet.resolve.backup import instance_backup
from pbxfleet.resolve.problems import Problems
from pbxfleet.schema.services import lower_windows

T = TypeVar("T")

REFERENCE = (
    b'<?xml version="1.0"?>\n<config>\n  <sys_name>First</sys_name>\n'
    b"  <ip_http_port>198.51.100.10:80</ip_http_port>\n"
    b'  <pw_pass encrypted="true">5e884898</pw_pass>\n  <email_global>cloud</email_global>\n'
    b"</config>\n"
)
HOST_FILE = "desired/hosts/fra1.toml"


def at(line: int, file: str = HOST_FILE) -> Span:
    """The first characters of a line."""
    return Span(file, line, 1, line, 9)


def sourced(value: T, line: int = 1, file: str = HOST_FILE) -> Sourced[T]:
    """A value that is written on that line."""
    return Sourced(value, at(line, file))


def reference(content: bytes = REFERENCE) -> dict[str, Reference]:
    """The one release's reference file; its settings are not read, nothing here looks at them."""
    return {"70.5": Reference("desired/reference/pbx-70.xml", content, {})}


def release(pbxctrl: str = "1" * 64, dat: str = "2" * 64) -> ReleaseFile:
    """Release 70.5 with these digests in hex."""
    file = "desired/fleet.toml"
    return ReleaseFile(
        name="70.5",
        span=at(8, file),
        pbxctrl=_pin("pbxctrl", pbxctrl, 9),
        dat=_pin("pbxctrl.dat", dat, 10),
        reference=sourced("reference/pbx-70.xml", 11, file),
        reference_address=(sourced(ip_address("198.51.100.10"), 12, file),),
    )


def _pin(name: str, sha256: str, line: int) -> ArtefactPin:
    file = "desired/fleet.toml"
    return ArtefactPin(
        sourced(f"file:../artefacts/{name}", line, file), sourced(sha256, line, file)
    )


@dataclass(frozen=True)
class Wish:
    """One instance in short; paths follow from the host's directory pattern."""

    name: str
    address: str = "203.0.113.10"
    cpu: int | None = None
    directory: str | None = None
    number: int | None = None
    recordings: bool = True
    tenants: tuple[str, ...] = ()
    peer: str = ""
    settings: Mapping[str, str | SecretRef | None] = field(default_factory=dict)
    release: ReleaseFile = field(default_factory=release)
    backup: BackupWish = NO_WISH


@dataclass(frozen=True)
class Places:
    """Patterns of a host's paths; `{name}` is the instance."""

    directory: str = "/usr/local/pbx-{name}"
    pid_file: str = "/run/pbx-{name}.pid"
    lock_file: str = "/var/lock/subsys/pbxctrl-{name}"
    unit: str | None = None
    failover_file: str = "/etc/pbx/failover-{name}.conf"
    backup_list: str = "/etc/pbx/backup-{name}.list"
    backup_exclude: str = "/etc/pbx/backup-{name}.exclude"
    mirror_exclude: str = "/etc/pbx/mirror-{name}.exclude"


UNITS = {
    ServiceBackend.SYSTEMD: "/etc/systemd/system/pbx-{name}.service",
    ServiceBackend.SYSV: "/etc/init.d/pbx-{name}",
    ServiceBackend.COMPOSE: "/etc/pbx/compose/pbx-{name}/compose.yaml",
    ServiceBackend.WINDOWS: None,
    ServiceBackend.DIRECT: None,
}

WINDOWS_DIRECTORY = "/C:/Program Files/Vodia/PBX-{name}"


def host(
    wishes: Sequence[Wish],
    services: ServiceBackend = ServiceBackend.SYSTEMD,
    *,
    affinity: AffinityBy = AffinityBy.UNIT,
    stop_timeout_s: int = 60,
    template: str | None = None,
    places: Places = Places(),
    hardening: bool = True,
    backup: HostBackup | None = None,
    network: str = "host",
) -> ResolvedHost:
    """A host `fra1` with these instances, in order of their names."""
    places = replace(places, unit=places.unit or UNITS[services])
    file = _host_file(services, affinity, stop_timeout_s, template)
    file = replace(file, hardening=sourced(hardening, 15), backup=backup)
    if services is ServiceBackend.COMPOSE:
        file = replace(file, compose=compose(ContainerNetwork(network)))
    if services is ServiceBackend.WINDOWS:
        file = replace(file, windows=lower_windows(None, at(23)))
        places = replace(places, directory=WINDOWS_DIRECTORY)
    instances = tuple(instance(wish, places) for wish in sorted(wishes, key=lambda w: w.name))
    return ResolvedHost("fra1", file, services, affinity, stop_timeout_s, instances)


def compose(network: ContainerNetwork) -> ComposeWish:
    """What a host says about its containers."""
    return ComposeWish(
        span=at(16),
        program=sourced(ComposeProgram.DOCKER, 17),
        image=sourced(f"registry.example.com/debian@sha256:{'5' * 64}", 18),
        network=sourced(network, 19),
        network_name=sourced("pbx", 20),
        parent=sourced("eth0", 21),
        subnets=(sourced(ip_network("203.0.113.0/24")), sourced(ip_network("2001:db8:1::/64"))),
        gateways=(sourced(ip_address("203.0.113.1")), sourced(ip_address("2001:db8:1::1"))),
        open_files=sourced(65536, 22),
    )


def instance(wish: Wish, places: Places) -> ResolvedInstance:
    """The instance, with one TCP listener per address and a media range."""
    file = f"desired/instances/{wish.name}.toml"
    address = ip_address(wish.address)
    settings = {"ip_http_port": f"{wish.address}:80", **wish.settings}
    return ResolvedInstance(
        name=wish.name,
        number=wish.number,
        span=at(1, file),
        release=wish.release,
        release_origin=at(4, "desired/fleet.toml"),
        addresses=(sourced(address, 2, file),),
        cpu=None if wish.cpu is None else sourced(wish.cpu, 3, file),
        listeners=(
            Listener("http", (Protocol.TCP,), _bind(wish.address, 80), at(5, file)),
            Listener("sip_udp", (Protocol.UDP,), _bind(wish.address, 5060), at(5, file)),
        ),
        rtp=sourced(PortRange(49152, 50175), 6, file),
        rtp_bind=sourced(address, 2, file),
        paths=_paths(wish, places),
        directory_origin=at(7),
        settings=tuple(
            _setting(name, value, 10 + number, file)
            for number, (name, value) in enumerate(settings.items())
        ),
        failover=_failover(wish.peer, file) if wish.peer else None,
        tenants=tuple(sourced(tenant, 9, file) for tenant in wish.tenants),
        backup=_backup(wish, file),
    )


def _backup(wish: Wish, file: str) -> InstanceBackup:
    kept = {BackupPart.RECORDINGS: sourced(wish.recordings, 8, file), **wish.backup.kept}
    whole = replace(wish.backup, kept=kept)
    return instance_backup(whole, wish.name, at(1, file), Problems())


def _bind(address: str, port: int) -> Bind:
    literal = ip_address(address)
    return Bind(Family.IPV4 if literal.version == 4 else Family.IPV6, literal, port)


def _paths(wish: Wish, places: Places) -> InstancePaths:
    def path(pattern: str) -> HostPath:
        return HostPath(pattern.replace("{name}", wish.name))

    return InstancePaths(
        directory=HostPath(wish.directory) if wish.directory else path(places.directory),
        pid_file=path(places.pid_file),
        lock_file=path(places.lock_file),
        service_name=f"pbx-{wish.name}",
        unit=None if places.unit is None else path(places.unit),
        failover_file=path(places.failover_file) if wish.peer else None,
        backup_list=path(places.backup_list),
        backup_exclude=path(places.backup_exclude),
        mirror_exclude=path(places.mirror_exclude) if wish.peer else None,
    )


def _setting(name: str, value: str | SecretRef | None, line: int, file: str) -> ResolvedSetting:
    impact = "restart" if name == "ip_http_port" else "live"
    return ResolvedSetting(name, value, Ownership.OWNED, impact, f"settings.{name}", at(line, file))


def _failover(peer: str, file: str) -> Failover:
    return Failover(
        FailoverRole.PRIMARY,
        peer,
        "fra2",
        "203.0.113.99",
        "http://203.0.113.99:80",
        at(8, file),
        validation_url=sourced("https://example.net/", 8, file),
        interval_s=sourced(30, 8, file),
        failures=sourced(4, 8, file),
        action_url=sourced("https://dns.example.net/switch", 8, file),
    )


def _host_file(
    services: ServiceBackend, affinity: AffinityBy, stop_timeout_s: int, template: str | None
) -> HostFile:
    return HostFile(
        name="fra1",
        span=at(1),
        address=sourced(ip_address("203.0.113.2"), 1),
        reserve_address=sourced(True, 2),
        addresses=(),
        reserved=(),
        cpus=sourced((0, 1, 2, 3), 4),
        system_cpus=sourced((0,), 5),
        rtp=sourced(PortRange(49152, 64511), 6),
        rtp_block=sourced(1024, 6),
        services=sourced(services, 7),
        directory=sourced("/usr/local/pbx-{instance}", 8),
        pid_file=sourced("/run/pbx-{instance}.pid", 9),
        lock_file=sourced("/var/lock/subsys/pbxctrl-{instance}", 10),
        failover_file=None
        if template is None
        else sourced("/etc/pbx/failover-{instance}.conf", 11),
        failover_template=None if template is None else sourced(template, 12),
        backup_list=sourced("/etc/pbx/backup-{instance}.list", 13),
        backup_exclude=sourced("/etc/pbx/backup-{instance}.exclude", 14),
        host_backup_list=sourced(HostPath("/etc/pbx/backup.list"), 15),
        affinity=sourced(affinity, 16),
        stop_timeout_s=sourced(stop_timeout_s, 17),
        defaults=Layer(),
    )


INPUTS = {"desired/fleet.toml": digest_of(b"")}
