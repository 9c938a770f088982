"""What a backup must, may and must not hold: lists, excludes and documents are made from these rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.model.backup import BackupPart
from pbxfleet.pbx.layout import EXECUTABLE, RECORDINGS, RESOURCES, SEED_FILE, SETTINGS_FILE

_FAILOVER = "https://doc.vodia.com/docs/failover"
_SETTINGS = "https://doc.vodia.com/docs/admin-settings"
_INSTALLER = "https://github.com/VasilisVikos/vodia_windows_installer"
_IMAGE = "https://github.com/Nex9/vodia.docker"
_INSTANCES = "https://web.vodia.com/blog/multiple-instances-single-server"
_MANUAL = "https://mwitty.com/content.php?id=5651374"
_API = "https://doc.vodia.com/openapi/vodia-rest-api.yaml"

MUST, MAY, MUST_NOT = "must", "may", "must not"
CONFIRMED, INFERRED, UNKNOWN = "confirmed", "inferred", "unknown"


class BackupRow(NamedTuple):
    """Something that an instance consists of, and whether a backup holds it.

    `names` are names or patterns in the directory; empty for what lies outside of it, or where nobody
    has written down how it is called. `part` is the key that decides (None: nothing does), `kept` what
    holds where nobody says anything, `status` how sure the rule is, `source` where it comes from.
    """

    what: str
    names: tuple[str, ...]
    rule: str
    part: BackupPart | None
    kept: bool
    status: str
    source: str


ROWS = (
    BackupRow("the directory: all information lies in it", (), MUST, None, True, CONFIRMED, _FAILOVER),
    BackupRow("settings of the system", (SETTINGS_FILE,), MUST, None, True, CONFIRMED, _SETTINGS),
    BackupRow("failover file, outside the directory", (), MUST, None, True, INFERRED, _INSTANCES),
    BackupRow("unit or init script, outside the directory", (), MUST, None, True, INFERRED, _INSTANCES),
    BackupRow(
        "other files outside the directory, such as an environment file: name them in `backup.extra`",
        (), MUST, None, False, INFERRED, _FAILOVER,
    ),
    BackupRow(
        "executable and resources; the release has them too, but a restore should not need a server",
        (EXECUTABLE, RESOURCES), MAY, BackupPart.RELEASE_FILES, True, INFERRED, _INSTALLER,
    ),
    BackupRow(
        "prompts and music, which may have been changed",
        ("audio_*",), MAY, BackupPart.PROMPTS, True, INFERRED, _IMAGE,
    ),
    BackupRow(
        "recordings; the directory itself is kept, without it nothing is recorded after a restore",
        (f"{RECORDINGS}/*",), MAY, BackupPart.RECORDINGS, False, INFERRED, _MANUAL,
    ),
    BackupRow("call records", (), MAY, BackupPart.CDR, True, UNKNOWN, _FAILOVER),
    BackupRow("log files", ("*.log",), MAY, BackupPart.LOGS, False, INFERRED, _API),
    BackupRow(
        "snapshots that the PBX makes itself: a backup of backups",
        (), MAY, BackupPart.SNAPSHOTS, False, UNKNOWN, _API,
    ),
    BackupRow(
        "seed of the first start; holds a digest of the password, and was used up by that start",
        (SEED_FILE,), MUST_NOT, None, False, INFERRED, _INSTALLER,
    ),
    BackupRow(
        "PID and lock files: they are about processes that no longer run after a restore",
        (), MUST_NOT, None, False, INFERRED, _INSTANCES,
    ),
)  # fmt: skip

MUST_NAMES = tuple(name for row in ROWS if row.rule == MUST for name in row.names)
"""Names in the directory without which a backup is none."""


def row_of(part: BackupPart) -> BackupRow:
    """The row that the key decides about."""
    return next(row for row in ROWS if row.part is part)


def never_kept() -> Iterator[str]:
    """Names in the directory that no backup holds, whatever is declared."""
    return (name for row in ROWS if row.rule == MUST_NOT for name in row.names)
