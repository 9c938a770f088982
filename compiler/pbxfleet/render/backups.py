"""Backup lists: `tar -c -X EXCLUDE -T LIST` saves what an instance, or the whole host, is made of.

In this order: GNU tar ignores an -X behind -T and ends with 2. One absolute path a line, sorted. Both
files speak tar's dialect: -T unquotes names, -X takes shell patterns, so that what is special there is
escaped with a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pbxfleet.core.paths import STATE, HostPath, is_inside
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.pbx import layout

_PATTERN_SIGNS = re.compile(r"[\\*?\[\]]")


def instance_list(instance: ResolvedInstance) -> bytes:
    """What belongs to one instance: its directory and its files outside of it."""
    return _lines(_names(_of_instance(instance)))


def instance_excludes(instance: ResolvedInstance) -> bytes:
    """What a backup of the instance leaves out."""
    return _lines(_excludes(instance))


def host_list(host: ResolvedHost) -> bytes:
    """What belongs to all instances, the lists themselves, and the applied state of the host."""
    paths = {STATE, host.file.host_backup_list.value, host_exclude_path(host)}
    for instance in host.instances:
        paths |= {*_of_instance(instance)}
    return _lines(_names(paths))


def host_excludes(host: ResolvedHost) -> bytes:
    """What a backup of all instances leaves out."""
    return _lines(pattern for instance in host.instances for pattern in _excludes(instance))


def host_exclude_path(host: ResolvedHost) -> HostPath:
    """Beside the host's list, with the ending `.exclude` instead of its own."""
    listed = host.file.host_backup_list.value
    return HostPath(listed.removesuffix(".list") + ".exclude")


def _of_instance(instance: ResolvedInstance) -> set[HostPath]:
    paths = instance.paths
    wanted = {paths.directory, paths.backup_list, paths.backup_exclude}
    outside = (paths.failover_file, paths.mirror_exclude, paths.unit)
    return wanted | {path for path in outside if path is not None}


def _names(paths: Iterable[HostPath]) -> Iterable[str]:
    return (path.replace("\\", "\\\\") for path in paths)


def _excludes(instance: ResolvedInstance) -> Iterable[str]:
    paths = instance.paths
    directory = _pattern(paths.directory)
    for name in layout.backup_excludes(recordings=instance.backup_recordings):
        # The directory itself is kept: without it the PBX records nothing after a restore.
        inside = f"{name}/*" if name == layout.RECORDINGS else name
        yield f"{directory}/{inside}"
    # Where logs lie is not documented; by default there is no log file (OpenAPI of the vendor).
    yield f"{directory}/*.log"
    for path in (paths.pid_file, paths.lock_file):
        if is_inside(path, paths.directory):
            yield _pattern(path)


def _pattern(path: str) -> str:
    return _PATTERN_SIGNS.sub(r"\\\g<0>", path)


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in sorted(set(lines))).encode()
