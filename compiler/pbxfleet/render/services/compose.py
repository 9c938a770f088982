"""Containers: one compose file an instance, so that one is started and upgraded without the others."""

from __future__ import annotations

import json
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.paths import HostPath, is_inside, parent
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.model.services import ComposeWish, ContainerNetwork
from pbxfleet.render.own_templates import render
from pbxfleet.render.services.base import FileText, ServiceValues, service_values
from pbxfleet.render.services.hardening import CAPABILITIES, declared_files

# What the image's own programs need of it: the host's in their place would be other ones.
_SHARED_BY_ALL = ("/", "/etc", "/usr", "/usr/local", "/usr/share", "/var", "/var/lib", "/run")
_NEVER_SHARED = (
    "/bin", "/boot", "/dev", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sbin", "/sys",
    "/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/libx32", "/usr/sbin",
)  # fmt: skip
# Of a container that is not hardened, besides what every engine gives: the media thread's priority.
EXTRA = ("CAP_IPC_LOCK", "CAP_SYS_NICE", "CAP_SYS_RESOURCE")


class ComposeValues(NamedTuple):
    """What the template of a compose file knows; texts are raw, the template quotes them.

    `core` is None where nobody but the PBX pins it. `files` and `folders` are mounted besides the
    directory. `create` is the command line that makes the network, "" with the host's own.
    """

    pbx: ServiceValues
    program: str
    image: str
    unit: str
    network: str
    ipv4: str
    ipv6: str
    core: int | None
    open_files: int
    capabilities: tuple[str, ...]
    hardened: bool
    files: tuple[str, ...]
    folders: tuple[HostPath, ...]
    create: str


def used_compose(host: ResolvedHost) -> ComposeWish | None:
    """What the host says about containers, if its instances are containers."""
    return host.file.compose if host.services is ServiceBackend.COMPOSE else None


def has_own_networks(host: ResolvedHost) -> bool:
    """Whether instances have addresses beside the host's, which the host itself does not have."""
    wish = used_compose(host)
    return wish is not None and wish.network.value is not ContainerNetwork.HOST


def service_file(host: ResolvedHost, instance: ResolvedInstance) -> FileText | None:
    """The compose file, 0644; None where the host's file lacks what validate asks for (SVC103)."""
    wish = used_compose(host)
    if wish is None or wish.image is None or instance.paths.unit is None:
        return None
    text = render("compose.yaml.j2", _values(host, instance, wish), {"quoted": quoted})
    return FileText(text.encode(), 0o644)


def problems(instance: ResolvedInstance) -> tuple[Diagnostic, ...]:
    """DIR122 for a file in a folder that would hide what the image has, or a part of the kernel."""
    return tuple(
        Diagnostic(
            "DIR122",
            f'"{setting.name}" makes the PBX write {path}: {parent(path)} cannot be shared with it',
            setting.origin,
            hint=f"name a file of the working directory, or of a folder of its own in {parent(path)}",
        )
        for setting, path in declared_files(instance)
        if not is_inside(path, instance.paths.directory) and _of_the_image(parent(path))
    )


def _of_the_image(folder: HostPath) -> bool:
    """Whether programs and libraries of the image, or the kernel's files, lie there."""
    return folder in _SHARED_BY_ALL or any(is_inside(folder, one) for one in _NEVER_SHARED)


def _mounted_folders(instance: ResolvedInstance) -> tuple[HostPath, ...]:
    """Folders of log and CDR files, without those that lie in another one or in the directory."""
    found = {parent(path) for _, path in declared_files(instance)}
    outside = sorted(f for f in found if not is_inside(f, instance.paths.directory))
    return tuple(
        folder
        for folder in outside
        if not any(is_inside(folder, other) for other in outside if other != folder)
    )


def quoted(text: str) -> str:
    """`text` in double quotes as YAML and JSON have them; compose replaces `$NAME`, but not `$$`."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)


def _values(host: ResolvedHost, instance: ResolvedInstance, wish: ComposeWish) -> ComposeValues:
    assert wish.image is not None, "the caller has looked"
    values = service_values(host, instance)
    own = wish.network.value is not ContainerNetwork.HOST
    addresses = {a.value.version: str(a.value) for a in instance.addresses}
    failover = instance.paths.failover_file
    folders = _mounted_folders(instance)
    return ComposeValues(
        pbx=values,
        program=wish.program.value,
        image=wish.image.value,
        unit=instance.paths.unit or "",
        network=wish.network_name.value if own else "",
        ipv4=addresses.get(4, ""),
        ipv6=addresses.get(6, ""),
        core=values.cpu if values.cpuset is None else values.cpuset,
        open_files=wish.open_files.value,
        capabilities=tuple(c.name for c in CAPABILITIES) if host.hardened else EXTRA,
        hardened=host.hardened,
        folders=folders,
        files=(failover,) if failover is not None and instance.failover is not None else (),
        create=network_command(wish) if own else "",
    )


def network_command(wish: ComposeWish) -> str:
    """The command line that makes the network of the containers, once for a host."""
    engine = wish.program.value.replace("-", " ").split()[0]
    words = [engine, "network", "create", "--driver", wish.network.value]
    if wish.parent is not None:
        words += ["--opt", f"parent={wish.parent.value}"]
    if any(subnet.value.version == 6 for subnet in wish.subnets):
        words.append("--ipv6")
    for subnet in wish.subnets:
        words += ["--subnet", str(subnet.value)]
        words += [
            f"--gateway={gateway.value}"
            for gateway in wish.gateways
            if gateway.value in subnet.value
        ]
    return " ".join([*words, wish.network_name.value])
