"""[backup] of hosts and of instances: programs, places, what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.backup import (
    BackupPart,
    BackupProgram,
    BackupTarget,
    BackupWish,
    Consistency,
    HostBackup,
)
from pbxfleet.model.desired import Sourced
from pbxfleet.schema import names, scalars, shapes
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.table import Items, Reads, Table
from pbxfleet.source.nodes import Node

DIRECTORY = HostPath("/etc/pbx/backup")
KEEP_MOST = 10_000
PERIODS = ("last", "daily", "weekly", "monthly", "yearly")

# user:password@ in an address; a user alone is how ssh is told whom to log in as.
_CREDENTIALS = re.compile(r"//[^/@:\s]*:[^/@\s]+@")
_NAME_IN_DIRECTORY = re.compile(r"[^/\\\[\]{}!]+(/[^/\\\[\]{}!]+)*")


def place(node: Node) -> Sourced[str]:
    """A repository or target, as its program takes it. Problems: BKP105 (a password in it)."""
    found = scalars.text_of(node, "a folder or an address")
    if _CREDENTIALS.search(found.text):
        raise problem(
            "BKP105",
            f"{KEY} holds a password",
            hint="put it into environment_file on the host, in the words of the program",
        )
    return Sourced(found.text, found.span)


def name_in_directory(node: Node) -> Sourced[str]:
    """A name or pattern below a directory: `*` and `?` stand for anything but a slash.

    Problems: FMT115.
    """
    found = scalars.text_of(node, "a name or pattern in the directory")
    parts = found.text.split("/")
    plain = _NAME_IN_DIRECTORY.fullmatch(found.text)
    if plain is None or "**" in found.text or {".", ".."} & set(parts):
        raise problem(
            "FMT115",
            f"{KEY} is not a name or pattern in the directory",
            hint='names as "cdr" or "cdr/*.csv": only * and ? have a meaning, and ** has none',
        )
    return Sourced(found.text, found.span)


# What the reader takes: no sign but * and ? has a meaning, and no component is . or ..
_NAME_SHAPE = shapes.text(r"[^/\\\[\]{}!\s]([^\\\[\]{}!]*[^/\\\[\]{}!\s])?")

_Truth: TypeAlias = Annotated[Sourced[bool], Reads(scalars.truth, shapes.TRUTH)]
_HostPath: TypeAlias = Annotated[Sourced[HostPath], Reads(names.plain_host_path, shapes.HOST_PATH)]
_Place: TypeAlias = Annotated[Sourced[str], Reads(place, shapes.TEXT)]
_Name: TypeAlias = Annotated[Sourced[str], Reads(name_in_directory, _NAME_SHAPE)]
_Names: TypeAlias = Annotated[list[_Name], Items(single=True, wanted="a name or a list of names")]
_Number: TypeAlias = Annotated[
    Sourced[int],
    Reads(scalars.whole(1, KEEP_MOST), shapes.number(1, KEEP_MOST, "backups")),
]
_Consistency: TypeAlias = Annotated[
    Sourced[Consistency], Reads(scalars.one_of(Consistency), shapes.words(Consistency))
]


class BackupNamesModel(Table):
    """How parts are called in the directory, where the vendor does not say."""

    cdr: _Names | None = Field(None, description="Call records.", examples=["cdr"])
    logs: _Names | None = Field(
        None,
        description="Log files.",
        examples=[["*.log", "log/*"]],
    )
    snapshots: _Names | None = Field(
        None, description="Snapshots that the PBX makes itself.", examples=["snapshots"]
    )


class BackupModel(Table):
    """What a backup of the instance holds."""

    recordings: _Truth | None = Field(
        None,
        description="Whether recordings are backed up.",
        examples=[True],
    )
    cdr: _Truth | None = Field(
        None,
        description="Whether call records are backed up; false needs names.cdr.",
        examples=[True],
    )
    prompts: _Truth | None = Field(
        None,
        description="Whether prompts and music (audio_*) are backed up.",
        examples=[True],
    )
    logs: _Truth | None = Field(
        None,
        description="Whether log files are backed up.",
        examples=[False],
    )
    snapshots: _Truth | None = Field(
        None,
        description="Whether the PBX's own snapshots are backed up; leaving them out needs "
        "names.snapshots.",
        examples=[True],
    )
    release_files: _Truth | None = Field(
        None,
        description="Whether pbxctrl and pbxctrl.dat are backed up; without them, a restored "
        "instance needs an apply before it can start.",
        examples=[True],
    )
    names: BackupNamesModel | None = Field(
        None, description="How parts are called in the directory.", examples=[{"cdr": "cdr"}]
    )
    extra: Annotated[list[_HostPath], Items()] | None = Field(
        None,
        description="Files and directories outside the instance's directory that belong to it.",
        examples=[["/etc/pbx/environment-acme"]],
    )


class KeepModel(Table):
    """How many backups of each instance are kept; with nothing here, all are."""

    last: _Number | None = Field(None, description="The newest ones.", examples=[3])
    daily: _Number | None = Field(
        None, description="The last of each of so many days.", examples=[7]
    )
    weekly: _Number | None = Field(None, description="The last of so many weeks.", examples=[4])
    monthly: _Number | None = Field(None, description="The last of so many months.", examples=[12])
    yearly: _Number | None = Field(None, description="The last of so many years.", examples=[2])


class KeepLastModel(Table):
    """How many archives of each instance are kept; with nothing here, all are."""

    last: _Number | None = Field(None, description="The newest ones.", examples=[7])


class RepositoryModel(Table):
    """A repository, which the program encrypts itself."""

    repository: _Place = Field(
        description="The repository, as the program takes it.",
        examples=["sftp:backup@backup.example.com:/srv/pbx"],
    )
    password_file: _HostPath = Field(
        description="File on the host with the repository's password; its content is never here.",
        examples=["/etc/pbx/backup.password"],
    )
    environment_file: _HostPath | None = Field(
        None,
        description="File on the host with further variables, such as credentials, as NAME=value.",
        examples=["/etc/pbx/backup.environment"],
    )
    keep: KeepModel | None = Field(None, description="How many backups are kept.")


class RsyncModel(Table):
    """A mirror: one copy of each instance, which the next backup replaces."""

    target: _Place = Field(
        description="Folder, HOST:FOLDER or rsync:// address.",
        examples=["backup@backup.example.com:/srv/pbx"],
    )
    environment_file: _HostPath | None = Field(
        None,
        description="File on the host with further variables, such as RSYNC_RSH, as NAME=value.",
        examples=["/etc/pbx/backup.environment"],
    )
    encrypted: _Truth | None = Field(
        None,
        description="Says that the target encrypts what it stores.",
        examples=[True],
        json_schema_extra={"default": False},
    )


class TarModel(Table):
    """Archives in a folder of the host, best one that is mounted from elsewhere."""

    target: _Place = Field(description="Folder for the archives.", examples=["/mnt/backup"])
    encrypted: _Truth | None = Field(
        None,
        description="Says that the target encrypts what it stores.",
        examples=[True],
        json_schema_extra={"default": False},
    )
    keep: KeepLastModel | None = Field(None, description="How many archives are kept.")


class HostBackupModel(Table):
    """Programs that back up all instances of the host; each gets a script and lists."""

    directory: _HostPath | None = Field(
        None,
        description="Directory of the scripts and lists.",
        json_schema_extra={"default": DIRECTORY},
    )
    consistency: _Consistency | None = Field(
        None,
        description='"live" copies running instances; "stop" stops one after the other for its copy.',
        json_schema_extra={"default": str(Consistency.LIVE)},
    )
    restic: RepositoryModel | None = Field(None, description="Back up with restic.")
    borg: RepositoryModel | None = Field(None, description="Back up with Borg.")
    rsync: RsyncModel | None = Field(None, description="Mirror with rsync.")
    tar: TarModel | None = Field(None, description="Back up with GNU tar.")


def lower_wish(model: BackupModel | None) -> BackupWish:
    """What a layer says about the backup of instances."""
    if model is None:
        return BackupWish()
    kept = ((part, getattr(model, part.value)) for part in BackupPart)
    named = (
        (BackupPart(key), getattr(model.names, key, None)) for key in BackupNamesModel.model_fields
    )
    return BackupWish(
        kept={part: value for part, value in kept if value is not None},
        names={part: tuple(values) for part, values in named if values is not None},
        extra=None if model.extra is None else tuple(model.extra),
    )


def lower_host(model: HostBackupModel | None, start: Span) -> HostBackup | None:
    """[backup] of a host; what it does not say points at `start`."""
    if model is None:
        return None
    targets = []
    for program in sorted(BackupProgram):
        table = getattr(model, program.value)
        if table is not None:
            targets.append(_target(program, table))
    return HostBackup(
        directory=model.directory or Sourced(DIRECTORY, start),
        consistency=model.consistency or Sourced(Consistency.LIVE, start),
        targets=tuple(targets),
    )


def _target(program: BackupProgram, model: RepositoryModel | RsyncModel | TarModel) -> BackupTarget:
    if isinstance(model, RepositoryModel):
        return BackupTarget(
            program,
            model.repository,
            model.password_file,
            model.environment_file,
            _keep(model.keep),
            encrypted=True,
            keep_at=_keep_at(model.keep),
        )
    encrypted = model.encrypted is not None and model.encrypted.value
    if isinstance(model, RsyncModel):
        return BackupTarget(
            program, model.target, None, model.environment_file, encrypted=encrypted
        )
    return BackupTarget(
        program,
        model.target,
        keep=_keep(model.keep),
        encrypted=encrypted,
        keep_at=_keep_at(model.keep),
    )


def _keep(model: KeepModel | KeepLastModel | None) -> Mapping[str, int]:
    return {period: number.value for period, number in _written(model)}


def _keep_at(model: KeepModel | KeepLastModel | None) -> Mapping[str, Span]:
    return {period: number.origin for period, number in _written(model)}


def _written(model: KeepModel | KeepLastModel | None) -> Iterator[tuple[str, Sourced[int]]]:
    for period in PERIODS:
        number = getattr(model, period, None)
        if number is not None:
            yield period, number
