"""What people declare about backups: programs of a host, parts of an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span

if TYPE_CHECKING:
    from pbxfleet.model.desired import Sourced


class BackupProgram(StrEnum):
    """A program that copies files to another place and back."""

    RESTIC = "restic"
    BORG = "borg"
    RSYNC = "rsync"
    TAR = "tar"


class Consistency(StrEnum):
    """How an instance is copied: while it runs, or stopped for as long as the copy takes."""

    LIVE = "live"
    STOP = "stop"


class BackupPart(StrEnum):
    """A part of an instance's directory that a backup may do without."""

    RECORDINGS = "recordings"
    CDR = "cdr"
    PROMPTS = "prompts"
    LOGS = "logs"
    SNAPSHOTS = "snapshots"
    RELEASE_FILES = "release_files"


@dataclass(frozen=True, slots=True)
class BackupWish:
    """What one layer says about the backup of an instance.

    `kept` tells which parts are backed up; `names` are names or patterns of a part, relative to the
    directory; `extra` are paths outside of it.
    """

    kept: Mapping[BackupPart, Sourced[bool]] = field(default_factory=dict)
    names: Mapping[BackupPart, tuple[Sourced[str], ...]] = field(default_factory=dict)
    extra: tuple[Sourced[HostPath], ...] | None = None


NO_WISH = BackupWish()


@dataclass(frozen=True, slots=True)
class InstanceBackup:
    """What a backup of an instance leaves out and adds, with nothing open.

    `left_out` are names or patterns relative to the directory: `*` and `?` stand for characters other
    than a slash; their places are those of the words that leave them out.
    """

    left_out: tuple[Sourced[str], ...] = ()
    extra: tuple[Sourced[HostPath], ...] = ()


WHOLE = InstanceBackup()
"""Nothing is left out, nothing added."""


@dataclass(frozen=True, slots=True)
class BackupTarget:
    """One program and the place that it keeps backups in.

    `keep` are numbers of backups by `last`, `daily`, `weekly`, `monthly`, `yearly`; nothing is ever
    removed where it is empty, and `keep_at` has the places of these numbers. `encrypted` says that
    the place itself encrypts what it stores.
    """

    program: BackupProgram
    place: Sourced[str]
    password_file: Sourced[HostPath] | None = None
    environment_file: Sourced[HostPath] | None = None
    keep: Mapping[str, int] = field(default_factory=dict)
    encrypted: bool = False
    keep_at: Mapping[str, Span] = field(default_factory=dict, compare=False)

    @property
    def local(self) -> HostPath | None:
        """The folder of this host that the place is, None if it is elsewhere."""
        text = self.place.value
        for prefix in ("local:", "file://"):
            text = text.removeprefix(prefix)
        return HostPath(text.rstrip("/") or "/") if text.startswith("/") else None


@dataclass(frozen=True, slots=True)
class HostBackup:
    """[backup] of a host: where scripts and lists lie, and the programs in order of their names."""

    directory: Sourced[HostPath]
    consistency: Sourced[Consistency]
    targets: tuple[BackupTarget, ...]
