"""What a host has where its file says nothing."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import AffinityBy, ServiceBackend

ARTEFACTS = "../artefacts"
RESERVE_ADDRESS = False
RTP_BLOCK = 1024
PORT_BLOCK = 10
SERVICES = ServiceBackend.SYSTEMD
DIRECTORY = "/usr/local/pbx-{instance}"
PID_FILE = "/run/pbx-{instance}.pid"
LOCK_FILE = "/var/lock/subsys/pbxctrl-{instance}"
BACKUP_LIST = "/etc/pbx/backup-{instance}.list"
BACKUP_EXCLUDE = "/etc/pbx/backup-{instance}.exclude"
MIRROR_EXCLUDE = "/etc/pbx/mirror-{instance}.exclude"
HOST_BACKUP_LIST = HostPath("/etc/pbx/backup.list")
AFFINITY = AffinityBy.UNIT
HARDENING = True
STOP_TIMEOUT_S = 30
START_TIMEOUT_S = 60


class Places(NamedTuple):
    """Where the files of instances lie if the host's file does not say; templates."""

    directory: str
    pid_file: str
    lock_file: str
    backup_list: str
    backup_exclude: str
    mirror_exclude: str
    host_backup_list: HostPath


LINUX = Places(
    DIRECTORY,
    PID_FILE,
    LOCK_FILE,
    BACKUP_LIST,
    BACKUP_EXCLUDE,
    MIRROR_EXCLUDE,
    HOST_BACKUP_LIST,
)
# The vendor's directory is C:\Program Files\Vodia\PBX (https://github.com/VasilisVikos/vodia_windows_installer).
_DATA = "/C:/ProgramData/pbxfleet"
WINDOWS = Places(
    "/C:/Program Files/Vodia/PBX-{instance}",
    _DATA + "/{instance}.pid",
    _DATA + "/{instance}.lock",
    _DATA + "/backup-{instance}.list",
    _DATA + "/backup-{instance}.exclude",
    _DATA + "/mirror-{instance}.exclude",
    HostPath(_DATA + "/backup.list"),
)


def places(services: ServiceBackend) -> Places:
    """The default places on a host with these services."""
    return WINDOWS if services is ServiceBackend.WINDOWS else LINUX
