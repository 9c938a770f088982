"""Observed state: what was read from the host just now. Absence is a value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath


class What(StrEnum):
    """What lies at a path. `other` is a device, socket or FIFO."""

    ABSENT = "absent"
    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    OTHER = "other"


class Seen(NamedTuple):
    """What lies at a path; links are not followed. `digest` only for regular files that were read.

    `mode` is permission bits; `owner` is `user:group` by name, or by number where there is no name.
    """

    what: What
    mode: int
    owner: str
    size_bytes: int
    digest: Digest | None


ABSENT = Seen(What.ABSENT, 0, "", 0, None)


class ServiceSeen(NamedTuple):
    """What the service manager says of one instance.

    `pid` is its main process, None if not running.
    `installed` tells whether the manager knows the unit or script at all.
    """

    installed: bool
    enabled: bool
    running: bool
    pid: int | None


class SocketSeen(NamedTuple):
    """A socket that receives: a listening TCP socket, or a UDP socket that is not connected.

    `address` is literal text, `0.0.0.0` or `::` for a wildcard.
    `pid` None if the owner is not known.
    """

    protocol: str
    address: str
    port: int
    pid: int | None


class ProcessSeen(NamedTuple):
    """A process (tree) that executes one instance's `pbxctrl`.

    `pids` holds the main process first, then its descendants; `started_ticks` is field 22 of
    /proc/PID/stat (clock ticks since boot) of the main process; `cpus` are the cores it may run on.
    `replaced` tells that the file it executes is no longer the file on disk.
    """

    pids: tuple[int, ...]
    started_ticks: int
    cpus: tuple[int, ...]
    replaced: bool
    sockets: tuple[SocketSeen, ...]


class RuntimeSeen(NamedTuple):
    """Everything that runs in the name of one instance; a second tree is a fault to be reported.

    `unreadable` explains what could not be looked at (another user's process), "" if nothing.
    """

    trees: tuple[ProcessSeen, ...]
    unreadable: str


def process_key(runtime: RuntimeSeen | None, boot: str) -> str:
    """A text that no other process has, before or after; "" unless exactly one tree runs."""
    if runtime is None or len(runtime.trees) != 1 or runtime.unreadable:
        return ""
    tree = runtime.trees[0]
    return f"{tree.pids[0]} {tree.started_ticks} {boot}"


class StartSeen(NamedTuple):
    """The running process of an instance, and what was changed on disk after its start.

    `process` is its identity. `changed` has, by id, the files that a start reads (pbx.xml is one of
    them) and of which content or attributes were changed after that moment; when, in UTC (ISO 8601).
    """

    process: str
    changed: Mapping[str, str]


class HostFacts(NamedTuple):
    """What a machine has: its node name, addresses (literal text) and online cores.

    `boot` is another text after every start of the kernel, "" if it does not tell.
    """

    node: str
    addresses: tuple[str, ...]
    cpus: tuple[int, ...]
    boot: str = ""


class SettingsSeen(NamedTuple):
    """What a live pbx.xml says about the declared elements.

    `values` has every declared name, None where there is no such element; `opaque` are names whose
    element is encrypted, so that its value cannot be compared. `problem` says why the file could not
    be understood, "" if it could; then `values` is empty. `refused` says why what is declared cannot
    be written into it (a declared element that is there twice), "" if it can. `live` are names that the
    running process can be given over REST, and whose `values` are what it says; `why_not_live` tells why
    others cannot, where that was asked for. `stale` are names that came into the file, as declared,
    after the process was started, and that it has otherwise; of those that are `unsure` it does not tell.
    """

    values: Mapping[str, str | None]
    opaque: frozenset[str]
    problem: str
    refused: str = ""
    live: frozenset[str] = frozenset()
    why_not_live: str = ""
    stale: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


class TreeSize(NamedTuple):
    """What lies in a directory: names at any depth, bytes of its files, and whether it is a mount point."""

    entries: int
    size_bytes: int
    is_mount: bool


class Leaving(NamedTuple):
    """The directory of an instance that is no longer declared.

    `size` is None where that could not be told, for the reason `problem`. `aside` is the place where
    it could be moved, `archive` the file it could be packed into: both are free. `free_bytes` is the
    room there.
    """

    what: What
    size: TreeSize | None
    problem: str
    aside: HostPath
    archive: HostPath
    free_bytes: int


class Stray(NamedTuple):
    """Something that looks like an instance and is not declared: reported, never touched."""

    path: str
    why: str


class Observed(NamedTuple):
    """Everything that was read from a host for one plan.

    `seen` is by resource id, for every resource of the target but services, and every file that was
    applied and is no longer declared. `settings` has only those pbx.xml files whose content had to be
    looked into; `same_as_applied` are ids of settings whose bytes are those that apply left behind.
    `services` and `runtime` are by instance name; `runtime` is empty where `runs_services` is False.
    `leaving` has the instances that were applied, and are no longer declared and not yet removed.
    `starts` has the declared instances of which exactly one process tree runs.
    """

    seen: Mapping[str, Seen]
    settings: Mapping[str, SettingsSeen]
    same_as_applied: frozenset[str]
    services: Mapping[str, ServiceSeen]
    runtime: Mapping[str, RuntimeSeen]
    foreign: tuple[SocketSeen, ...]
    strays: tuple[Stray, ...]
    facts: HostFacts | None
    runs_services: bool
    owners_matter: bool
    leaving: Mapping[str, Leaving] = MappingProxyType({})
    starts: Mapping[str, StartSeen] = MappingProxyType({})
