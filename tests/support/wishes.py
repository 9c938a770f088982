"""Builds desired state in memory, with a place of its own for every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count
from typing import Any, TypeVar

from pbxfleet.core.paths import host_path
from pbxfleet.core.span import Span
from pbxfleet.model.backup import BackupPart, BackupWish
from pbxfleet.model.desired import (
    AddressRange,
    AffinityBy,
    ArtefactPin,
    Auto,
    Desired,
    FailoverRole,
    FailoverWish,
    FleetFile,
    HostFile,
    InstanceFile,
    Layer,
    Off,
    Policy,
    ReleaseFile,
    Role,
    ServiceBackend,
    SettingWish,
    Sourced,
    WebScheme,
)
from pbxfleet.model.net import PortRange
from pbxfleet.model.reserved import Reserved, Tombstones
from pbxfleet.model.resolved import Ledger, Reference
from pbxfleet.pbx.binds import parse_binds

T = TypeVar("T")
NO_LEDGER = Ledger({})

ROLES = {
    "sip_udp": "sip_udp_ports",
    "sip_tcp": "sip_tcp_ports",
    "sip_tls": "sip_tls_ports",
    "tftp": "tftp_port",
    "snmp": "snmp_port",
    "ldap": "ldap_port",
    "rtp_bind": "rtp_bind_ip",
    "rtp_start": "rtp_port_start",
    "rtp_end": "rtp_port_end",
    "affinity": "process_affinity",
}

# What an instance on 198.51.100.10 says of itself.
REFERENCE: Mapping[str, str | None] = {
    "ip_http_port": "198.51.100.10:80",
    "ip_https_port": "198.51.100.10:443",
    "sip_udp_ports": "198.51.100.10:5060",
    "sip_tcp_ports": "198.51.100.10:5060",
    "sip_tls_ports": "198.51.100.10:5061",
    "tftp_port": "",
    "snmp_port": "",
    "ldap_port": "",
    "rtp_bind_ip": "198.51.100.10",
    "rtp_port_start": "49152",
    "rtp_port_end": "64511",
    "process_affinity": "",
    "pw_user": "admin",
    "pw_pass": None,
}


@dataclass(slots=True)
class File:
    """A file that is being written: each value goes to a line of its own."""

    name: str
    lines: count[int] = field(default_factory=lambda: count(1))

    def span(self) -> Span:
        """The next line."""
        line = next(self.lines)
        return Span(self.name, line, 1, line, 9)

    def put(self, value: T) -> Sourced[T]:
        """The value on the next line."""
        return Sourced(value, self.span())

    def put_if(self, value: T | None) -> Sourced[T] | None:
        """The value on the next line, nothing for None."""
        return None if value is None else self.put(value)


def ports(text: str) -> PortRange:
    """`first-last`."""
    first, _, last = text.partition("-")
    return PortRange(int(first), int(last))


def cores(text: str) -> tuple[int, ...]:
    """`first-last`."""
    first, _, last = text.partition("-")
    return tuple(range(int(first), int(last or first) + 1))


def addresses(text: str) -> AddressRange:
    """`first-last`, or one address."""
    first, _, last = text.partition("-")
    return AddressRange(ip_address(first), ip_address(last or first))


def layer(file: File, **says: Any) -> Layer:
    """A layer in the words of the fleet format: address, cpu, listen, rtp, failover, settings, ..."""
    address = says.get("address")
    wished = [address] if isinstance(address, str) else address
    failover = says.get("failover", {})
    return Layer(
        release=file.put_if(says.get("release")),
        address=None if wished is None else tuple(file.put(_address(a)) for a in wished),
        cpu=file.put_if(_cpu(says.get("cpu"))),
        listen={Role(k): file.put(_listen(v)) for k, v in says.get("listen", {}).items()},
        rtp=file.put_if(_rtp(says.get("rtp"))),
        failover=_failover(file, failover),
        backup=_backup(file, says.get("recordings")),
        settings={k: file.put(_setting(v)) for k, v in says.get("settings", {}).items()},
        tenants=_tenants(file, says.get("tenants")),
        ports=file.put_if(_block(says.get("ports"))),
    )


def _failover(file: File, says: Mapping[str, Any]) -> FailoverWish:
    scheme = says.get("peer_scheme")
    return FailoverWish(
        file.put_if(FailoverRole(says["role"]) if "role" in says else None),
        file.put_if(says.get("peer")),
        file.put_if(None if scheme is None else WebScheme(scheme)),
        file.put_if(says.get("peer_url")),
        file.put_if(says.get("validation_url")),
        file.put_if(says.get("interval")),
        file.put_if(says.get("failures")),
        file.put_if(says.get("action_url")),
    )


def _backup(file: File, recordings: bool | None) -> BackupWish:
    if recordings is None:
        return BackupWish()
    return BackupWish({BackupPart.RECORDINGS: file.put(recordings)})


def _tenants(file: File, names: list[str] | None) -> tuple[Sourced[str], ...] | None:
    return None if names is None else tuple(file.put(name) for name in names)


def _address(text: str) -> Any:
    return Auto(text) if text.startswith("auto") else ip_address(text)


def _cpu(value: int | str | None) -> Any:
    if value == "auto":
        return Auto.ANY
    return Off.OFF if value == "off" else value


def _listen(value: int | str) -> Any:
    if isinstance(value, int):
        return value
    return Off.OFF if value == "off" else parse_binds(value)


def _rtp(value: str | None) -> Any:
    return None if value is None else Auto.ANY if value == "auto" else ports(value)


def _block(value: str | None) -> Any:
    if value in ("auto", None):
        return None if value is None else Auto.ANY
    return Off.OFF if value == "off" else ports(value)


def _setting(value: Any) -> SettingWish:
    return value if isinstance(value, SettingWish) else SettingWish(value)


def _reserved(file: File, said: str | tuple[str, str], read: Callable[[str], T]) -> Reserved[T]:
    """A reservation; a pair is a value with its reason."""
    what, reason = (said, "") if isinstance(said, str) else said
    return Reserved(file.put(read(what)), reason)


def instance(name: str, host: str = "fra1", **says: Any) -> InstanceFile:
    """`desired/instances/<name>.toml`."""
    file = File(f"desired/instances/{name}.toml")
    span = file.span()
    return InstanceFile(
        name=name,
        span=span,
        host=Sourced(host, span),
        directory=file.put_if(says.pop("directory", None)),
        number=file.put_if(says.pop("number", None)),
        layer=layer(file, **says),
    )


def host(name: str = "fra1", **says: Any) -> HostFile:
    """`desired/hosts/<name>.toml`; every key has a default that is good for sixteen instances."""
    file = File(f"desired/hosts/{name}.toml")
    span = file.span()
    directory = says.get("directory", "/usr/local/pbx-{instance}")
    own = says.get("address", "203.0.113.2")
    cpus, system, rtp = says.get("cpus", "0-15"), says.get("system_cpus"), says.get("rtp")
    return HostFile(
        name=name,
        span=span,
        address=file.put_if(None if own is None else ip_address(own)),
        reserve_address=file.put(says.get("reserve_address", True)),
        addresses=tuple(
            file.put(addresses(a)) for a in says.get("addresses", ["203.0.113.10-203.0.113.41"])
        ),
        reserved=tuple(_reserved(file, r, addresses) for r in says.get("reserved", [])),
        cpus=file.put_if(None if cpus is None else cores(cpus)),
        system_cpus=file.put_if(None if system is None else cores(system)),
        rtp=file.put_if(None if rtp is None else ports(rtp)),
        rtp_block=file.put(says.get("rtp_block", 1024)),
        services=file.put(ServiceBackend(says.get("services", "systemd"))),
        directory=file.put(directory),
        pid_file=file.put(says.get("pid_file", "/run/pbx-{instance}.pid")),
        lock_file=file.put(says.get("lock_file", "/var/lock/subsys/pbxctrl-{instance}")),
        failover_file=file.put_if(says.get("failover_file", "/etc/pbx/failover-{instance}.conf")),
        failover_template=file.put_if(says.get("failover_template", "failover.conf")),
        backup_list=file.put(says.get("backup_list", "/etc/pbx/backup-{instance}.list")),
        backup_exclude=file.put(says.get("backup_exclude", "/etc/pbx/backup-{instance}.exclude")),
        host_backup_list=file.put(host_path(says.get("host_backup_list", "/etc/pbx/backup.list"))),
        affinity=file.put(AffinityBy(says.get("affinity", "unit"))),
        stop_timeout_s=file.put(30),
        mirror_exclude=file.put(says.get("mirror_exclude", "/etc/pbx/mirror-{instance}.exclude")),
        defaults=layer(file, **says.get("defaults", {})),
        ports=file.put_if(ports(says["ports"]) if "ports" in says else None),
        port_block=file.put(says.get("port_block", 10)),
        reserved_cpus=tuple(_reserved(file, r, cores) for r in says.get("reserved_cpus", [])),
        reserved_ports=tuple(_reserved(file, r, ports) for r in says.get("reserved_ports", [])),
    )


def fleet(
    *parts: HostFile | InstanceFile,
    catalogue: Mapping[str, str] = ROLES,
    reference_address: tuple[str, ...] = ("198.51.100.10",),
    tombstones: str = "keep",
    **defaults: Any,
) -> Desired:
    """A fleet of these hosts and instances, with the release `70.5`; a host `fra1` if none is given."""
    file = File("desired/fleet.toml")
    hosts = [part for part in parts if isinstance(part, HostFile)] or [host()]
    instances = [part for part in parts if isinstance(part, InstanceFile)]
    pin = ArtefactPin(file.put("file:../artefacts/pbxctrl"), file.put("0" * 64))
    release = ReleaseFile(
        name="70.5",
        span=file.span(),
        pbxctrl=pin,
        dat=pin,
        reference=file.put("reference/pbx-70.xml"),
        reference_address=tuple(file.put(ip_address(a)) for a in reference_address),
    )
    return Desired(
        fleet=FleetFile(
            name=file.put("example-voice"),
            span=file.span(),
            defaults=layer(file, **{"release": "70.5", **defaults}),
            releases={"70.5": release},
            catalogue={Role(role): file.put(name) for role, name in catalogue.items()},
            policy=Policy(tombstones=Tombstones(tombstones)),
        ),
        hosts={h.name: h for h in sorted(hosts, key=lambda h: h.name)},
        instances={i.name: i for i in sorted(instances, key=lambda i: i.name)},
    )


def reference(**changes: str | None) -> dict[str, Reference]:
    """The reference file of release `70.5`: `REFERENCE` with these elements changed or added."""
    file = File("desired/reference/pbx-70.xml")
    settings = {**REFERENCE, **changes}
    return {"70.5": Reference(file.name, b"", {n: (v, file.span()) for n, v in settings.items()})}
