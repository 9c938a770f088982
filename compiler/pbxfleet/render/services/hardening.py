"""What a unit or a container takes away from an instance, as rows with reasons.

The PBX runs as root, as its vendor's installers set it up; that it runs as another user was never
tested. So it stays root, and loses what no documented part of it needs. What is not known of it decides
against a restriction: `LEFT_OUT` says which ones, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.paths import HostPath, is_inside, parent
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance, ResolvedSetting
from pbxfleet.pbx.file_targets import LOG_NAME, file_targets

HOMES = ("/home", "/root", "/run/user")
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - recognised, not used


class Capability(NamedTuple):
    """A capability that an instance keeps, and what for."""

    name: str
    why: str


CAPABILITIES = (
    Capability("CAP_CHOWN", "files that it replaces keep their owner"),
    Capability("CAP_DAC_OVERRIDE", "root's own right: its directory may hold files of other users"),
    Capability("CAP_FOWNER", "modes of such files"),
    Capability("CAP_FSETID", "modes of such files"),
    Capability("CAP_IPC_LOCK", "audio that must not wait for swapped memory"),
    Capability("CAP_KILL", "ending a process of its own that runs as somebody else"),
    Capability("CAP_NET_BIND_SERVICE", "ports below 1024: HTTP, HTTPS, TFTP, SNMP, LDAP"),
    Capability("CAP_NET_RAW", "reachability tests by ping"),
    Capability("CAP_SETGID", "giving up root by itself, should it want to"),
    Capability("CAP_SETUID", "giving up root by itself, should it want to"),
    Capability("CAP_SYS_NICE", "the high priority of its media thread, and its own affinity mask"),
    Capability("CAP_SYS_RESOURCE", "more open files than the limit says"),
)


class Directive(NamedTuple):
    """A line of a hardened unit, and what it takes away."""

    name: str
    value: str
    why: str


DIRECTIVES = (
    Directive(
        "NoNewPrivileges", "yes", "no program that it starts gains rights by its file's mode"
    ),
    Directive("CapabilityBoundingSet", " ".join(c.name for c in CAPABILITIES), "see below"),
    Directive("ProtectSystem", "full", "/usr, /boot and /etc are read-only but for ReadWritePaths"),
    Directive("ProtectHome", "yes", "no home directories, unless one of its files lies there"),
    Directive("PrivateTmp", "yes", "a /tmp of its own, unless one of its files lies there"),
    Directive("ProtectKernelTunables", "yes", "/proc/sys and /sys are read-only"),
    Directive("ProtectKernelModules", "yes", "no modules are loaded"),
    Directive("ProtectKernelLogs", "yes", "the kernel's log is closed"),
    Directive("ProtectControlGroups", "yes", "cgroups are read-only: it cannot leave its own"),
    Directive("ProtectHostname", "yes", "the host's name is not changed"),
    Directive("LockPersonality", "yes", "no other kernel interface than the one it started with"),
    Directive("RestrictNamespaces", "yes", "no containers of its own"),
    Directive("RestrictSUIDSGID", "yes", "no files that give their owner's rights away"),
    Directive(
        "RestrictAddressFamilies",
        "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "IPv4 and IPv6, the log socket, and the list of addresses",
    ),
    Directive(
        "SystemCallFilter",
        "~@clock @cpu-emulation @module @mount @raw-io @reboot @swap",
        "neither clock nor mounts, modules, swap, ports of the hardware, or a reboot",
    ),
    Directive("SystemCallErrorNumber", "EPERM", "what is refused is an error, not the end"),
)


class LeftOut(NamedTuple):
    """A restriction that is common elsewhere, and why it is not used here."""

    name: str
    why: str


LEFT_OUT = (
    LeftOut("User", "an unprivileged PBX was never tested"),
    LeftOut("ProtectSystem=strict", "what it writes below /var and /srv is not documented"),
    LeftOut("PrivateDevices", "what a licence is bound to is not known: perhaps hardware"),
    LeftOut("ProtectClock", "it closes all devices as well (systemd.exec)"),
    LeftOut("ProcSubset", "the PBX measures the load of the processor and refuses calls by it"),
    LeftOut("RestrictRealtime", "its media thread runs at a raised priority"),
    LeftOut("MemoryDenyWriteExecute", "it runs scripts, perhaps compiled in memory"),
    LeftOut("SystemCallArchitectures", "32-bit executables of it exist"),
    LeftOut("IPAddressDeny", "phones are anywhere; a firewall knows better"),
)


def directives(host: ResolvedHost, instance: ResolvedInstance) -> Iterator[Directive]:
    """The rows that fit where the instance's files lie."""
    files = (instance.paths.directory, *written_folders(host, instance))
    for row in DIRECTIVES:
        if row.name == "ProtectHome" and _any_below(files, HOMES):
            continue
        if row.name == "PrivateTmp" and _any_below(files, TEMPORARY):
            continue
        yield row


def written_folders(host: ResolvedHost, instance: ResolvedInstance) -> tuple[HostPath, ...]:
    """Folders outside its directory that the instance may write to: of failover, log and CDR files."""
    del host
    failover = instance.paths.failover_file if instance.failover is not None else None
    files = [path for _, path in declared_files(instance)]
    folders = dict.fromkeys(map(parent, files if failover is None else [failover, *files]))
    return tuple(f for f in folders if f != "/" and not is_inside(f, instance.paths.directory))


def declared_files(instance: ResolvedInstance) -> Iterator[tuple[ResolvedSetting, HostPath]]:
    """Files that a setting makes the PBX write, with their whole paths: its log, and CDR targets."""
    for setting in instance.settings:
        if setting.name == LOG_NAME or setting.label.startswith("settings."):
            for path in file_targets(setting.name, setting.value):
                yield setting, path


def _any_below(paths: tuple[HostPath, ...], folders: tuple[str, ...]) -> bool:
    return any(is_inside(path, folder) for path in paths for folder in folders)
