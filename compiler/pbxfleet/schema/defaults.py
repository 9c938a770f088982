"""What a host has where its file says nothing, and the service backends that are not there yet."""

from __future__ import annotations

from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import AffinityBy, ServiceBackend, Sourced
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.scalars import one_of, quoted_choice, text_of
from pbxfleet.source.nodes import Node

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

# Words of the format that this version cannot carry out.
LATER_BACKENDS = ("windows",)

_read_backend = one_of(ServiceBackend)


def service_backend(node: Node) -> Sourced[ServiceBackend]:
    """A service backend. Problems: FMT108 (unknown), FMT114 (known, but not available yet)."""
    found = text_of(node, quoted_choice(ServiceBackend))
    if found.text in LATER_BACKENDS:
        raise problem(
            "FMT114",
            f'{KEY} "{found.text}" is not available yet',
            hint=f"available are {quoted_choice(ServiceBackend).replace(' or ', ' and ')}",
        )
    return _read_backend(node)
