"""Builds compiled targets in memory, with the contents that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pbxfleet.core.digest import Digest, digest_of, digest_of_data
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath, join
from pbxfleet.model.ignoring import NOTHING_IGNORED, Ignored, Ignoring
from pbxfleet.model.manifest import encode, fields_digest
from pbxfleet.model.policy import Rules
from pbxfleet.model.target import (
    PROBES,
    SEEDED,
    ExpectedListener,
    Field,
    Impact,
    InstanceTarget,
    Kind,
    ReleaseTarget,
    Resource,
    Target,
)
from pbxfleet.pbx.pbx_xml import edit

OWNER = "root:root"
UNITS = {
    "systemd": "/etc/systemd/system/pbx-{}.service",
    "sysv": "/etc/init.d/pbx-{}",
    "compose": "/etc/pbx/compose/pbx-{}/compose.yaml",
}

# What the first instance of a release looked like: line ends, quotes, comments and order of its own.
REFERENCE = (
    b"<?xml version='1.0' encoding=\"utf-8\"?>\r\n<!-- kept -->\r\n<config>\r\n"
    b"  <ip_http_port>198.51.100.10:80</ip_http_port>\r\n"
    b"  <sip_udp_ports>198.51.100.10:5060</sip_udp_ports>\r\n"
    b'  <licence  kind = "demo">&#65;BC</licence><!-- theirs -->\r\n'
    b"  <old_switch>on</old_switch>\r\n"
    b'  <pw_pass encrypted="true">98a8</pw_pass>\r\n'
    b"  <timezone/>\r\n</config>\r\n"
)


class Seeded(NamedTuple):
    """A value that is written once and then the application's."""

    value: str


class SecretName(NamedTuple):
    """A setting whose value is a secret with this name."""

    name: str


Wanted = str | Seeded | SecretName | None  # None removes the element


@dataclass(frozen=True)
class Wish:
    """One instance as a test wants it; `release` is the text of both its release files."""

    name: str
    address: str = "192.0.2.10"
    http: int = 80
    release: str = "1"
    cpu: int | None = None
    directory: str = ""
    rtp: tuple[int, int] | None = None
    failover: str | None = "peer"
    backup: str = "*"
    settings: Mapping[str, Wanted] = field(default_factory=dict)
    more_listeners: tuple[ExpectedListener, ...] = ()

    @property
    def folder(self) -> HostPath:
        """The instance's directory."""
        return HostPath(self.directory or f"/srv/pbx-{self.name}")

    @property
    def pbx_xml(self) -> HostPath:
        """Its pbx.xml."""
        return join(self.folder, "pbx.xml")

    @property
    def pbxctrl(self) -> HostPath:
        """Its executable."""
        return join(self.folder, "pbxctrl")


class MemoryContents:
    """Contents of a target; `asked` counts the questions by kind."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.artefacts: dict[str, bytes] = {}
        self.settings: dict[str, tuple[Field, ...]] = {}
        self.ignoring = NOTHING_IGNORED
        self.asked = {"rendered": 0, "artefact": 0, "fields": 0}

    def rendered(self, source: str, digest: Digest) -> bytes:
        self.asked["rendered"] += 1
        content = self.files.get(source)
        if content is None or digest_of(content) != digest:
            raise Refused(f"{source} is not what the manifest says", code="PLN105")
        return content

    def artefact(self, source: str, digest: Digest) -> str:
        self.asked["artefact"] += 1
        content = self.artefacts.get(source)
        if content is None or digest_of(content) != digest:
            raise Refused(f"release file {source} is not here", code="PLN106")
        return source

    def fields(self, instance: str) -> tuple[Field, ...]:
        self.asked["fields"] += 1
        return self.ignoring.fields(instance, self.settings[instance])


class Fleet(NamedTuple):
    """A target with its contents, and the wishes it was made from."""

    target: Target
    contents: MemoryContents
    wishes: tuple[Wish, ...]


def fleet(
    *wishes: Wish,
    services: str = "direct",
    budget: int = 1,
    host_files: Sequence[str] = ("list",),
    downgrades: str = "allow",
) -> Fleet:
    """The compiled target of a host `fra1` with these instances.

    Every instance has a directory, two release files, pbx.xml, a unit or script, a service, a file
    that costs a restart (failover) and one that costs nothing (backup). `host_files` are the host's.
    The releases 1 and 2 are always declared.
    """
    contents = MemoryContents()
    resources: dict[str, Resource] = {}
    instances: dict[str, InstanceTarget] = {}
    for wish in sorted(wishes, key=lambda w: w.name):
        instances[wish.name] = _instance(wish)
        for resource in _resources(wish, services, contents):
            resources[resource.id] = resource
    for name in host_files:
        listed = " ".join(sorted(w.name for w in wishes))
        path = HostPath(f"/etc/pbx/host-{name}")
        resource = _file("", path, listed.encode(), 0o644, Impact.NONE, contents)
        resources[resource.id] = resource
    target = Target(
        host="fra1",
        fleet="example",
        services=services,
        affinity="unit",
        stop_timeout_s=20,
        deletion_budget=budget,
        addresses=tuple(dict.fromkeys(w.address for w in wishes)),
        instances=instances,
        resources=resources,
        inputs={},
        digest=Digest(""),
        releases={
            name: _declared(name) for name in sorted({"1", "2", *(w.release for w in wishes)})
        },
        downgrades=downgrades,
    )
    return Fleet(target._replace(digest=digest_of(encode(target))), contents, wishes)


def ignoring(known: Fleet, *rules: Ignored) -> Fleet:
    """The fleet with rules of [[ignore]], all of which hold."""
    known.contents.ignoring = Ignoring(rules)
    return known._replace(target=known.target._replace(rules=Rules(ignored=rules)))


def fields_of(wish: Wish) -> tuple[Field, ...]:
    """The declared elements: two binds, a name, something removed, something seeded, a secret."""
    wanted: dict[str, Wanted] = {
        "ip_http_port": bind(wish.address, wish.http),
        "sip_udp_ports": bind(wish.address, 5060),
        "sys_name": wish.name.title(),
        "old_switch": None,
        "log_length": Seeded("200"),
        "pw_pass": SecretName(f"{wish.name}/admin"),
        **wish.settings,
    }
    return tuple(
        Field(
            name,
            *_value(value),
            Impact.RESTART,
            name,
            f"desired/instances/{wish.name}.toml:{line}:1",
            (),
        )
        for line, (name, value) in enumerate(wanted.items(), 1)
    )


def _value(wanted: Wanted) -> tuple[str | None, str | None, str]:
    match wanted:
        case Seeded(value):
            return value, None, SEEDED
        case SecretName(name):
            return None, name, "owned"
        case _:
            return wanted, None, "owned"


def bind(address: str, port: int) -> str:
    """A bind as pbx.xml has it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def compiled(fields: Sequence[Field]) -> bytes:
    """The pbx.xml that is written where there is none."""
    edits = {f.name: f.value for f in fields if f.secret is None}
    plain = REFERENCE.replace(b' encrypted="true"', b"")
    return edit(plain if "pw_pass" in edits else REFERENCE, edits)


def _instance(wish: Wish) -> InstanceTarget:
    listeners = (
        ExpectedListener("tcp", wish.address, wish.http),
        ExpectedListener("udp", wish.address, 5060),
        *wish.more_listeners,
    )
    return InstanceTarget(
        name=wish.name,
        directory=wish.folder,
        service=f"pbx-{wish.name}",
        executable=wish.pbxctrl,
        executable_digest=digest_of(release_file(wish.release, "pbxctrl")),
        pid_file=HostPath(f"/run/pbx-{wish.name}.pid"),
        cpu=wish.cpu,
        listeners=listeners,
        addresses=(wish.address,),
        rtp_address=wish.address if wish.rtp else None,
        rtp=wish.rtp,
        peer=None,
        origin=f"desired/instances/{wish.name}.toml:1:1",
        release=wish.release,
        probes=PROBES._replace(stable_s=0),
    )


def release_file(release: str, file: str) -> bytes:
    """The content of `pbxctrl` or `pbxctrl.dat` of a release."""
    return f"{file} {release}".encode()


def _declared(name: str) -> ReleaseTarget:
    pbxctrl, dat = (digest_of(release_file(name, f)) for f in ("pbxctrl", "pbxctrl.dat"))
    return ReleaseTarget(name, pbxctrl, dat)


def _resources(wish: Wish, services: str, contents: MemoryContents) -> list[Resource]:
    fields = fields_of(wish)
    xml = compiled(fields)
    contents.settings[wish.name] = fields
    contents.files[f"root{wish.pbx_xml}"] = xml
    settings = Resource(
        f"settings:{wish.pbx_xml}", Kind.SETTINGS, wish.pbx_xml, wish.name, 0o600, OWNER,
        digest_of(xml), Impact.RESTART, f"root{wish.pbx_xml}", fields_digest(fields), _origin(wish),
    )  # fmt: skip
    directory = Resource(
        f"directory:{wish.folder}", Kind.DIRECTORY, wish.folder, wish.name, 0o755, OWNER,
        digest_of(b""), Impact.NONE, "", None, _origin(wish),
    )  # fmt: skip
    found = [directory, settings]
    for name, mode in (("pbxctrl", 0o755), ("pbxctrl.dat", 0o644)):
        found.append(_artefact(wish, name, mode, contents))
    unit = None
    if services in UNITS:
        path = HostPath(UNITS[services].format(wish.name))
        text = f"start {wish.pbxctrl} on {wish.cpu}\n".encode()
        mode = 0o755 if services == "sysv" else 0o644
        found.append(_file(wish.name, path, text, mode, Impact.RESTART, contents))
        unit = digest_of(text)
    if wish.failover is not None:
        path = HostPath(f"/etc/pbx/failover-{wish.name}.conf")
        text = wish.failover.encode()
        found.append(_file(wish.name, path, text, 0o640, Impact.RESTART, contents))
    path = HostPath(f"/etc/pbx/backup-{wish.name}.list")
    found.append(_file(wish.name, path, wish.backup.encode(), 0o644, Impact.NONE, contents))
    found.append(_service(wish, services, unit))
    return found


def _artefact(wish: Wish, name: str, mode: int, contents: MemoryContents) -> Resource:
    path = join(wish.folder, name)
    content = release_file(wish.release, name)
    source = f"file:../artefacts/{wish.release}/{name}"
    contents.artefacts[source] = content
    return Resource(
        f"artefact:{path}", Kind.ARTEFACT, path, wish.name, mode, OWNER, digest_of(content),
        Impact.RESTART, source, None, _origin(wish),
    )  # fmt: skip


def _service(wish: Wish, services: str, unit: Digest | None) -> Resource:
    path = HostPath(UNITS[services].format(wish.name)) if services in UNITS else wish.folder
    return Resource(
        f"service:pbx-{wish.name}", Kind.SERVICE, path, wish.name, None, OWNER,
        digest_of_data({"enabled": True, "unit": unit}), Impact.RESTART, "", None, _origin(wish),
    )  # fmt: skip


def _file(
    instance: str,
    path: HostPath,
    content: bytes,
    mode: int,
    impact: Impact,
    contents: MemoryContents,
) -> Resource:
    contents.files[f"root{path}"] = content
    return Resource(
        f"file:{path}", Kind.FILE, path, instance, mode, OWNER, digest_of(content), impact,
        f"root{path}", None, (f"desired/instances/{instance}.toml:1:1",) if instance else (),
    )  # fmt: skip


def _origin(wish: Wish) -> tuple[str, ...]:
    return (f"desired/instances/{wish.name}.toml:1:1",)
