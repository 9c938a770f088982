"""What belongs to an instance or to the host itself, and what of it is left out, in no program's language."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.paths import STATE, HostPath, is_inside
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.render import network
from pbxfleet.render.backups.places import host_exclude_path
from pbxfleet.render.network import nftables


class LeftOut(NamedTuple):
    """Files that a backup does without: `below` a path, a `pattern` of names with `*` and `?`.

    Neither sign stands for a slash. Without a pattern it is the path itself.
    """

    below: HostPath
    pattern: str


class Contents(NamedTuple):
    """Paths in sorted order, each with everything below it, and what of that is left out."""

    paths: tuple[HostPath, ...]
    left_out: tuple[LeftOut, ...]


def of_instance(instance: ResolvedInstance) -> Contents:
    """The directory of an instance and its files outside of it."""
    paths = instance.paths
    wanted = {paths.directory, paths.backup_list, paths.backup_exclude}
    outside = (paths.failover_file, paths.mirror_exclude, paths.unit)
    wanted |= {path for path in outside if path is not None}
    wanted |= {file.path for file in nftables.instance_files(instance)}
    wanted |= {extra.value for extra in instance.backup.extra}
    return Contents(_outermost(wanted), _left_out(instance))


def of_host(host: ResolvedHost) -> Contents:
    """What belongs to no instance: the lists themselves, files of its network, and its applied state."""
    wanted = {STATE, host.file.host_backup_list.value, host_exclude_path(host)}
    if host.file.backup is not None:
        wanted.add(host.file.backup.directory.value)
    wanted |= set(network.network_paths(host))
    return Contents(_outermost(wanted), ())


def of_all(host: ResolvedHost) -> Contents:
    """Everything of the host and of all its instances."""
    parts = [of_host(host), *map(of_instance, host.instances)]
    paths = {path for part in parts for path in part.paths}
    left_out = {one for part in parts for one in part.left_out}
    return Contents(tuple(sorted(paths)), tuple(sorted(left_out)))


def _left_out(instance: ResolvedInstance) -> tuple[LeftOut, ...]:
    paths = instance.paths
    found = {LeftOut(paths.directory, name.value) for name in instance.backup.left_out}
    for path in (paths.pid_file, paths.lock_file):
        if is_inside(path, paths.directory):
            found.add(LeftOut(path, ""))
    return tuple(sorted(found))


def _outermost(paths: set[HostPath]) -> tuple[HostPath, ...]:
    """The paths without those that lie below another one: programs would take these twice."""
    kept: list[HostPath] = []
    for path in sorted(paths, key=lambda p: p.split("/")):
        if not kept or not is_inside(path, kept[-1]):
            kept.append(path)
    return tuple(sorted(kept))
