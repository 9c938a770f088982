"""Where lists and scripts of backups lie on the host."""

from __future__ import annotations

from pbxfleet.core.paths import HostPath, join
from pbxfleet.model.backup import BackupProgram, HostBackup
from pbxfleet.model.resolved import ResolvedHost


def host_exclude_path(host: ResolvedHost) -> HostPath:
    """Beside the host's list, with the ending `.exclude` instead of its own."""
    listed = host.file.host_backup_list.value
    return HostPath(listed.removesuffix(".list") + ".exclude")


def host_label(host: ResolvedHost) -> str:
    """What backups of the host's own files are called: no instance can have this name."""
    return f"_{host.name}"


def script_path(backup: HostBackup, program: BackupProgram) -> HostPath:
    """The script that backs up and restores with a program."""
    return join(backup.directory.value, f"pbx-backup-{program}")


def list_path(backup: HostBackup, label: str) -> HostPath:
    """The paths of an instance or of the host itself, one a line as they are, for every program."""
    return join(backup.directory.value, f"{label}.list")


def exclude_path(backup: HostBackup, label: str, program: BackupProgram) -> HostPath:
    """What is left out of them, in the program's own language."""
    return join(backup.directory.value, f"{label}.{program}")
