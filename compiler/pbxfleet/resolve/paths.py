"""Paths of an instance, made from the templates of its host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pbxfleet.core.diagnostics import Diagnostic, did_you_mean
from pbxfleet.core.paths import HostPath, host_path
from pbxfleet.model.desired import HostFile, InstanceFile, ServiceBackend, Sourced
from pbxfleet.model.resolved import InstancePaths
from pbxfleet.resolve.problems import Problems

PLACEHOLDERS = ("instance", "address", "number")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

# Where a unit file or init script lies: systemd.unit(5) for units of the administrator; the LSB for
# init scripts. The direct backend starts processes itself and has no file.
_UNITS: Mapping[ServiceBackend, str | None] = {
    ServiceBackend.SYSTEMD: "/etc/systemd/system/{service}.service",
    ServiceBackend.SYSV: "/etc/init.d/{service}",
    ServiceBackend.DIRECT: None,
}


class TemplateError(ValueError):
    """A template cannot be expanded; the text says why, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class PathMaker:
    """Expands the templates of one instance and reports the ones that fail (DIR101)."""

    values: Mapping[str, str]
    instance: InstanceFile
    problems: Problems

    def path(self, template: Sourced[str]) -> HostPath | None:
        """The path that the template stands for, None if it was reported."""
        try:
            return host_path(expand(template.value, self.values))
        except ValueError as error:
            hint = error.hint if isinstance(error, TemplateError) else "write an absolute path"
            message = f'"{template.value}" does not make a path: {error}'
            diagnostic = Diagnostic("DIR101", message, template.origin, hint=hint)
            self.problems.share(diagnostic, self.instance.name, self.instance.span)
            return None


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
    )
    return tuple(template for template in made if template is not None)


def directory_template(host: HostFile, instance: InstanceFile) -> Sourced[str]:
    """The template of the working directory: the instance's own, else the host's."""
    return host.directory if instance.directory is None else instance.directory


def needs_number(host: HostFile, instance: InstanceFile) -> bool:
    """Whether a path of the instance holds its number."""
    return any("{number}" in template.value for template in templates(host, instance))


def expand(template: str, values: Mapping[str, str]) -> str:
    """The template with each {name} replaced; TemplateError for an unknown name or a lone brace."""
    for name in _PLACEHOLDER.findall(template):
        if name not in PLACEHOLDERS:
            raise TemplateError(f"{{{name}}} is not known here", did_you_mean(name, PLACEHOLDERS))
        if name not in values:
            raise TemplateError(f"the instance has no {name}")
    if set(_PLACEHOLDER.sub("", template)) & set("{}"):
        raise TemplateError("a brace is not part of {instance}, {address} or {number}")
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], template)


def instance_paths(host: HostFile, make: PathMaker) -> InstancePaths | None:
    """Where everything of the instance lies, None if a template was reported.

    The failover file has a path as soon as the host has a template for it, so that a bad template
    is noticed before the first pair is declared.
    """
    directory = make.path(directory_template(host, make.instance))
    pid_file = make.path(host.pid_file)
    lock_file = make.path(host.lock_file)
    backup_list = make.path(host.backup_list)
    backup_exclude = make.path(host.backup_exclude)
    failover_file = None if host.failover_file is None else make.path(host.failover_file)
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
    )
