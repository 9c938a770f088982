"""Where a compiled target may write: a manifest that names another place is not used at all.

A manifest comes with a pull request, and apply runs as root. What compile makes lies in the
directories of instances, under the names that services have, and in a few known places; whatever else
a manifest names was not made by compile, or shall be allowed by the host itself (`PLACES_FILE`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pbxfleet.core.paths import join
from pbxfleet.core.places import is_directory_of_ours, is_ours, is_place_for_a_pid_file
from pbxfleet.model.target import InstanceTarget, Kind, Resource, Target
from pbxfleet.model.timers import TIMERS
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES, SETTINGS_FILE
from pbxfleet.plan.activation import ACTIVATIONS

UNITS = {
    "systemd": "/etc/systemd/system/{}.service",
    "sysv": "/etc/init.d/{}",
    "compose": "/etc/pbx/compose/{}/compose.yaml",
}
KINDS = ("service", "timer")
DROP_IN = "/etc/systemd/system/{}.service.d/50-pbxfleet-source.conf"
HOST_PLACES = (
    "/etc/systemd/system/multi-user.target.d/50-pbxfleet.conf",
    "/etc/systemd/system/timers.target.d/50-pbxfleet.conf",
    *(f"/etc/systemd/system/{timer[:-6]}.{kind}" for timer in TIMERS for kind in KINDS),
    "/etc/cron.d/pbxfleet",
)
PROGRAMS = ("", "docker compose", "docker-compose", "podman compose", "podman-compose")
SERVICES = ("systemd", "sysv", "compose", "windows", "direct")
NAME_MAX = 63
NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")  # as the fleet format has it


def problems(target: Target, places: Collection[str] = ()) -> Iterator[str]:
    """Everything in a target that compile does not make, in order; nothing is looked at on a host.

    `places` are folders that the host itself allows besides.
    """
    if target.services not in SERVICES or target.program not in PROGRAMS:
        yield f"{target.services} with {target.program!r} is no way to run services"
    own: dict[str, InstanceTarget] = {}
    for instance in target.instances.values():
        yield from _instance_problems(instance)
        first = own.setdefault(instance.directory, instance)
        if first is not instance:
            yield f"{first.name} and {instance.name} share the directory {instance.directory}"
    if not is_ours(target.guards.archives, places) and target.guards.removed_directory == "archive":
        yield f"{target.guards.archives} is not a place for archives"
    for path, suffix in ((target.sinks.metrics, ".prom"), (target.sinks.report, ".json")):
        if path and not path.endswith(suffix):
            yield f"{path} is no place for what is told of a run"
    allowed = tuple(places)
    for resource in target.resources.values():
        problem = _resource_problem(target, resource, own, allowed)
        if problem:
            yield problem


def _instance_problems(instance: InstanceTarget) -> Iterator[str]:
    if not is_name(instance.name):
        yield f"{instance.name!r} cannot be the name of an instance"
    if instance.service != f"pbx-{instance.name}":
        yield f"{instance.name}: {instance.service!r} is not the name of its service"
    if not is_directory_of_ours(instance.directory):
        yield f"{instance.name}: {instance.directory} is a directory of the system"
    if instance.executable != join(instance.directory, EXECUTABLE):
        yield f"{instance.name}: {instance.executable} is not its executable"
    if not is_place_for_a_pid_file(instance.pid_file, instance.directory):
        yield f"{instance.name}: {instance.pid_file} is no place for a PID file"


def _resource_problem(
    target: Target, resource: Resource, own: dict[str, InstanceTarget], places: Collection[str]
) -> str:
    kind, path = resource.kind, resource.path
    instance = target.instances.get(resource.instance)
    if kind is Kind.SERVICE:
        known = instance is not None and resource.id == f"{Kind.SERVICE}:{instance.service}"
        return "" if known else f"{resource.id} is the service of no instance"
    if mode := _mode_problem(resource):
        return mode
    if kind is not Kind.FILE:
        return (
            ""
            if instance is not None and _is_in_place(resource, instance)
            else _elsewhere(resource)
        )
    if resource.source != f"root{path}":
        return f"{resource.id} is made from {resource.source!r}"
    if path in (_own_places(target, instance) if instance is not None else HOST_PLACES):
        return ""
    holder = _holder(path, own)
    if holder is not None:
        names = (EXECUTABLE, RESOURCES, SETTINGS_FILE)
        fits = holder is instance and path not in [join(holder.directory, n) for n in names]
        return "" if fits else _elsewhere(resource)
    if not resource.instance and _is_activation(path):
        return ""
    return "" if is_ours(path, places) else _elsewhere(resource)


def _mode_problem(resource: Resource) -> str:
    mode = resource.mode
    if mode is not None and mode & 0o7002:
        return f"{resource.id}: mode {mode:04o} would let others write it, or change who it runs as"
    if resource.kind is Kind.SETTINGS and (mode is None or mode & 0o077):
        return f"{resource.id}: it holds passwords, which its mode would show to others"
    return ""


def _own_places(target: Target, instance: InstanceTarget) -> tuple[str, ...]:
    """Files of the service manager that are an instance's own."""
    service = instance.service
    return UNITS.get(target.services, "").format(service), DROP_IN.format(service)


def _elsewhere(resource: Resource) -> str:
    whose = resource.instance or "the host"
    return f"{resource.id} is not a place for a {resource.kind} of {whose}"


def _is_in_place(resource: Resource, instance: InstanceTarget) -> bool:
    directory = instance.directory
    if resource.kind is Kind.DIRECTORY:
        return resource.path == directory
    names = (SETTINGS_FILE,) if resource.kind is Kind.SETTINGS else (EXECUTABLE, RESOURCES)
    if resource.kind is Kind.SETTINGS and resource.source != f"root{resource.path}":
        return False
    return resource.path in [join(directory, name) for name in names]


def _holder(path: str, own: dict[str, InstanceTarget]) -> InstanceTarget | None:
    """The instance in whose directory the path lies."""
    above = path.rpartition("/")[0]
    while above:
        if above in own:
            return own[above]
        above = above.rpartition("/")[0]
    return None


def _is_activation(path: str) -> bool:
    """Whether it is one of the files of the network that compile makes, under its very name."""
    for row in ACTIVATIONS:
        if path.startswith(row.folder) and path.endswith(row.ending):
            inner = path[len(row.folder) : len(path) - len(row.ending)]
            return inner.isprintable() and not set(inner) & set("/ ")
    return False


def is_name(name: str) -> bool:
    """Whether an instance may be called so: what stands in unit files, paths and commands."""
    inner = name[:1] != "-" and name[-1:] != "-"
    return 0 < len(name) <= NAME_MAX and inner and not set(name) - NAME_LETTERS
