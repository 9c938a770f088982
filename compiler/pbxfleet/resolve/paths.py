"""Paths of an instance, made from the templates of its host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.paths import HostPath, host_path
from pbxfleet.model.desired import HostFile, InstanceFile, ServiceBackend, Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import InstancePaths
from pbxfleet.resolve.problems import Problems

# What Linux file systems take (limits.h; PATH_MAX counts the final zero byte).
NAME_MAX = 255
PATH_MAX = 4095

# Where a unit file or init script lies: systemd.unit(5) for units of the administrator; the LSB for
# init scripts. A compose file has a folder of its own, as that gives a project its name when a person
# runs the compose program there. Services of
# Windows are made by one script for the host. The direct backend starts processes itself and has no file.
_UNITS: Mapping[ServiceBackend, str | None] = {
    ServiceBackend.SYSTEMD: "/etc/systemd/system/{service}.service",
    ServiceBackend.SYSV: "/etc/init.d/{service}",
    ServiceBackend.COMPOSE: "/etc/pbx/compose/{service}/compose.yaml",
    ServiceBackend.WINDOWS: None,
    ServiceBackend.DIRECT: None,
}


@dataclass(frozen=True, slots=True)
class PathMaker:
    """Expands the templates of one instance and reports paths that no file system takes (DIR101)."""

    values: Mapping[str, str]
    instance: InstanceFile
    problems: Problems

    def path(self, template: Sourced[str]) -> HostPath | None:
        """The path that the template stands for, None if it was reported."""
        path = host_path(expand(template.value, self.values))
        longest = max(len(name.encode()) for name in path.split("/"))
        if longest > NAME_MAX or len(path.encode()) > PATH_MAX:
            diagnostic = Diagnostic(
                "DIR101",
                f'"{template.value}" makes a path that no file system takes',
                template.origin,
                hint=f"names have at most {NAME_MAX} bytes, paths {PATH_MAX}",
            )
            self.problems.share(diagnostic, self.instance.name, self.instance.span)
            return None
        return path


def service_name(instance: str) -> str:
    """Name of the service that runs an instance, unique on its host as instance names are."""
    return f"pbx-{instance}"


def templates(host: HostFile, instance: InstanceFile) -> tuple[Sourced[str], ...]:
    """The templates that make the paths of an instance."""
    made = (
        directory_template(host, instance),
        host.pid_file,
        host.lock_file,
        host.failover_file,
        host.backup_list,
        host.backup_exclude,
        host.mirror_exclude,
    )
    return tuple(template for template in made if template is not None)


def directory_template(host: HostFile, instance: InstanceFile) -> Sourced[str]:
    """The template of the working directory: the instance's own, else the host's."""
    return host.directory if instance.directory is None else instance.directory


def needs_number(host: HostFile, instance: InstanceFile) -> bool:
    """Whether a path of the instance holds its number."""
    return any("{number}" in template.value for template in templates(host, instance))


def path_values(instance: str, address: Address, number: int | None) -> dict[str, str]:
    """What the placeholders of path templates stand for."""
    values = {"instance": instance, "address": str(address)}
    return values if number is None else {**values, "number": str(number)}


def expand(template: str, values: Mapping[str, str]) -> str:
    """The template with each placeholder replaced by its value."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def instance_paths(host: HostFile, make: PathMaker, *, paired: bool) -> InstancePaths | None:
    """Where everything of the instance lies, None if a path was reported.

    Only half of a failover pair (`paired`) has a failover file and a list for its mirroring.
    """
    directory = make.path(directory_template(host, make.instance))
    pid_file = make.path(host.pid_file)
    lock_file = make.path(host.lock_file)
    backup_list = make.path(host.backup_list)
    backup_exclude = make.path(host.backup_exclude)
    failover_file = mirror_exclude = None
    if paired and host.failover_file is not None:
        failover_file = make.path(host.failover_file)
    if paired and host.mirror_exclude is not None:
        mirror_exclude = make.path(host.mirror_exclude)
    if not (directory and pid_file and lock_file and backup_list and backup_exclude):
        return None
    service = service_name(make.instance.name)
    unit = _UNITS[host.services.value]
    return InstancePaths(
        directory=directory,
        pid_file=pid_file,
        lock_file=lock_file,
        service_name=service,
        unit=None if unit is None else host_path(unit.format(service=service)),
        failover_file=failover_file,
        backup_list=backup_list,
        backup_exclude=backup_exclude,
        mirror_exclude=mirror_exclude,
    )
