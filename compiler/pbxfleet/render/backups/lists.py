"""The lists that every host has: `tar -c --anchored --no-wildcards-match-slash -X EXCLUDE -T LIST`.

In this order: GNU tar ignores an -X behind -T and ends with 2. One absolute path a line, sorted. Both
files speak tar's dialect: -T unquotes names, -X takes shell patterns, so that what is special there is
escaped with a backslash.
"""

from __future__ import annotations

from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.render.backups import contents
from pbxfleet.render.backups.contents import Contents
from pbxfleet.render.backups.dialects import sorted_lines, tar_pattern


def instance_list(instance: ResolvedInstance) -> bytes:
    """What belongs to one instance: its directory and its files outside of it."""
    return _names(contents.of_instance(instance))


def instance_excludes(instance: ResolvedInstance) -> bytes:
    """What a backup of the instance leaves out."""
    return sorted_lines(map(tar_pattern, contents.of_instance(instance).left_out))


def host_list(host: ResolvedHost) -> bytes:
    """What belongs to all instances, the lists themselves, and the applied state of the host."""
    return _names(contents.of_all(host))


def host_excludes(host: ResolvedHost) -> bytes:
    """What a backup of all instances leaves out."""
    return sorted_lines(map(tar_pattern, contents.of_all(host).left_out))


def _names(listed: Contents) -> bytes:
    return sorted_lines(path.replace("\\", "\\\\") for path in listed.paths)
