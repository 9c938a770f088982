"""Windows: one script for the host that makes each instance a service of its own name and directory.

There is no host half for Windows. The script looks, says what it would do (`-Plan`), does it, and does
nothing when it is run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.drives import in_tree, to_windows
from pbxfleet.core.paths import HostPath, join
from pbxfleet.model.desired import AffinityBy, Ownership
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.model.services import StartType, WindowsWish
from pbxfleet.pbx import layout
from pbxfleet.render.own_templates import render
from pbxfleet.render.services.base import (
    FileText,
    executable_path,
    no_problems,
    no_service_file,
)

# What ends a string in single quotes: PowerShell takes the typographic ones for it too
# (about_Quoting_Rules, CodeGeneration.EscapeSingleQuotedStringContent).
QUOTES = "'\u2018\u2019\u201a\u201b"
RESET_AFTER_S = 86400
RESTARTS = 3  # the last one stands for all later ones


class Pinned(NamedTuple):
    """A file of the release, by its digest in hex."""

    path: str
    sha256: str


class Setting(NamedTuple):
    """A declared element of pbx.xml; `value` is None where it is a secret, or must not be there."""

    name: str
    value: str | None
    secret: bool


class Socket(NamedTuple):
    """A socket that the instance must hold."""

    protocol: str
    address: str
    port: int


class ServiceDefinition(NamedTuple):
    """One service as Windows knows it; paths are those of Windows, `mask` is 0 where nobody pins."""

    name: str
    service: str
    display: str
    directory: str
    command: str
    mask: int
    start: str
    failure_actions: str
    seed: str
    files: tuple[Pinned, ...]
    copies: tuple[tuple[str, str], ...]
    settings: tuple[Setting, ...]
    sockets: tuple[Socket, ...]


class ScriptValues(NamedTuple):
    """What the template of the script knows; texts are raw, the template quotes them."""

    host: str
    up: str
    reset_after_s: int
    stop_timeout_s: int
    start_timeout_s: int
    instances: tuple[ServiceDefinition, ...]


service_file = no_service_file  # one script is about all instances
problems = no_problems  # validate has looked at the paths (SVC107, SVC108)


def host_script(host: ResolvedHost) -> Iterator[tuple[HostPath, FileText]]:
    """The script of the host at its place, UTF-8 with the mark that Windows PowerShell needs."""
    wish = host.file.windows
    if wish is None:
        return
    start = host.file.start_timeout_s
    path = wish.script.value
    values = ScriptValues(
        host=host.name,
        up="\\".join([".."] * (in_tree(path).count("/") - 1)),
        reset_after_s=RESET_AFTER_S,
        stop_timeout_s=host.stop_timeout_s,
        start_timeout_s=60 if start is None else start.value,
        instances=tuple(definition(host, instance, wish) for instance in host.instances),
    )
    text = render("windows.ps1.j2", values, {"quoted": quoted})
    yield path, FileText(text.encode("utf-8-sig"), 0o644)


def quoted(text: str) -> str:
    """`text` as a string of PowerShell in which nothing is replaced."""
    return "'" + "".join(c * 2 if c in QUOTES else c for c in text) + "'"


def definition(
    host: ResolvedHost, instance: ResolvedInstance, wish: WindowsWish
) -> ServiceDefinition:
    """The service of one instance."""
    directory = instance.paths.directory
    program = executable_path(host, instance)
    pinned = host.affinity is AffinityBy.UNIT and instance.cpu is not None
    release = instance.release
    return ServiceDefinition(
        name=instance.name,
        service=instance.paths.service_name,
        display=f"Vodia PBX {instance.name}",
        directory=to_windows(directory),
        # The program is its own service; only the directory tells instances apart
        # (https://github.com/VasilisVikos/vodia_windows_installer).
        command=f'"{to_windows(program)}" {layout.DIR} "{to_windows(directory)}"',
        mask=1 << instance.cpu.value if pinned and instance.cpu is not None else 0,
        start=sc_start(wish.start.value),
        failure_actions="/".join(["restart", str(wish.restart_after_s.value * 1000)] * RESTARTS),
        seed=_in_tree(join(directory, layout.SETTINGS_FILE)),
        files=(
            Pinned(to_windows(program), release.pbxctrl.sha256.value),
            Pinned(to_windows(join(directory, layout.RESOURCES)), release.dat.sha256.value),
        ),
        copies=_copies(instance),
        settings=tuple(_settings(instance)),
        sockets=tuple(_sockets(instance)),
    )


def sc_start(start: StartType) -> str:
    """The word of sc.exe for a start type."""
    return "delayed-auto" if start is StartType.DELAYED else "auto"


def _in_tree(path: HostPath) -> str:
    """A path below the folder `root` of the rendered tree, as Windows writes it."""
    return in_tree(path)[1:].replace("/", "\\")


def _copies(instance: ResolvedInstance) -> tuple[tuple[str, str], ...]:
    """Files that are ours as a whole: where they lie in the tree, and on the host."""
    failover = instance.paths.failover_file
    if failover is None or instance.failover is None:
        return ()
    return ((_in_tree(failover), to_windows(failover)),)


def _settings(instance: ResolvedInstance) -> Iterator[Setting]:
    for setting in instance.settings:
        if setting.ownership is Ownership.OWNED:
            secret = setting.value is not None and not isinstance(setting.value, str)
            value = setting.value if isinstance(setting.value, str) else None
            yield Setting(setting.name, value, secret)


def _sockets(instance: ResolvedInstance) -> Iterator[Socket]:
    """Sockets on addresses of the instance whose protocol is known."""
    found = {
        Socket(protocol.value, str(listener.bind.address), listener.bind.port)
        for listener in instance.listeners
        for protocol in listener.protocols
        if len(listener.protocols) == 1 and listener.bind.address is not None
    }
    yield from sorted(found)
