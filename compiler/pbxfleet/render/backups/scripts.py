"""One shell script for each program of a host: back up, list, check, restore."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.model.backup import BackupTarget, Consistency, HostBackup
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.pbx import layout
from pbxfleet.render.backups import contents, dialects
from pbxfleet.render.backups.places import exclude_path, host_label, list_path, script_path
from pbxfleet.render.own_templates import render
from pbxfleet.render.services.base import FileText, service_values

SCRIPT_MODE = (
    0o700  # only the superuser can restore, and addresses of repositories concern nobody else
)
LIST_MODE = 0o644
DEFAULT_COMPOSE = "docker compose"  # without [compose] there is no container to stop either


class ScriptInstance(NamedTuple):
    """What a script knows of one instance; `unit` is "" where there is no file that defines it."""

    name: str
    directory: str
    service: str
    pid_file: str
    unit: str
    core: int | None
    stop_timeout_s: int


class ScriptValues(NamedTuple):
    """Everything that a script's template knows, raw; the template quotes.

    `keep` holds numbers by period; `compose` is the program for containers, `engine` the one under it;
    `instances` are in order of their names.
    """

    path: str
    host: str
    label: str
    program: str
    place: str
    local: str | None
    password_file: str | None
    environment_file: str | None
    keep: Mapping[str, int]
    stops: bool
    services: str
    compose: str
    engine: str
    settings_file: str
    lists: str
    instances: tuple[ScriptInstance, ...]


def host_files(host: ResolvedHost) -> Iterator[tuple[HostPath, FileText]]:
    """The scripts of the host, and the lists of its own files; nothing without [backup]."""
    backup = host.file.backup
    if backup is None:
        return
    label, listed = host_label(host), contents.of_host(host)
    if backup.targets:
        yield list_path(backup, label), FileText(dialects.paths(listed), LIST_MODE)
    for target in backup.targets:
        path = exclude_path(backup, label, target.program)
        yield path, FileText(dialects.excludes(target.program, listed), LIST_MODE)
        text = _script(host, backup, target).encode()
        yield script_path(backup, target.program), FileText(text, SCRIPT_MODE)


def instance_files(
    host: ResolvedHost, instance: ResolvedInstance
) -> Iterator[tuple[HostPath, FileText]]:
    """What each program of the host is told about one instance."""
    backup = host.file.backup
    if backup is None or not backup.targets:
        return
    listed = contents.of_instance(instance)
    yield list_path(backup, instance.name), FileText(dialects.paths(listed), LIST_MODE)
    for target in backup.targets:
        path = exclude_path(backup, instance.name, target.program)
        yield path, FileText(dialects.excludes(target.program, listed), LIST_MODE)


def _script(host: ResolvedHost, backup: HostBackup, target: BackupTarget) -> str:
    password, environment = target.password_file, target.environment_file
    compose = host.file.compose.program.value if host.file.compose else DEFAULT_COMPOSE
    values = ScriptValues(
        path=script_path(backup, target.program),
        host=host.name,
        label=host_label(host),
        program=target.program.value,
        place=target.place.value,
        local=target.local,
        password_file=None if password is None else password.value,
        environment_file=None if environment is None else environment.value,
        keep=target.keep,
        stops=backup.consistency.value is Consistency.STOP,
        services=host.services.value,
        compose=compose,
        engine=compose.replace("-", " ").split()[0],
        settings_file=layout.SETTINGS_FILE,
        lists=backup.directory.value,
        instances=tuple(_instance(host, instance) for instance in host.instances),
    )
    return render("backup.sh.j2", values, {"word": shlex.quote})


def _instance(host: ResolvedHost, instance: ResolvedInstance) -> ScriptInstance:
    values = service_values(host, instance)
    return ScriptInstance(
        name=values.name,
        directory=values.directory,
        service=values.service,
        pid_file=values.pid_file,
        unit=instance.paths.unit or "",
        core=values.cpu,
        stop_timeout_s=values.stop_timeout_s,
    )
