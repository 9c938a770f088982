"""Paths: every directory and every file of a host belongs to one instance only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.paths import STATE, HostPath, host_path
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.pbx.layout import EXECUTABLE, RECORDINGS, RESOURCES, SEED_FILE, SETTINGS_FILE
from pbxfleet.resolve.paths import expand, path_values
from pbxfleet.resolve.problems import Problems, some

DIRECTORY = "working directory"
FAILOVER = "failover file"

# Directories of the system (FHS 3.0) that would come under the PBX's feet; it runs as root.
_BELOW: Mapping[str, str] = {
    "/": "bin boot dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var",
    "/etc/": "init.d systemd systemd/system",
    "/usr/": "bin lib local local/bin sbin share",
    "/var/": "lib lock log run spool tmp",
}
SYSTEM = frozenset(("/", *(top + name for top, names in _BELOW.items() for name in names.split())))

OWN_NAMES = frozenset((EXECUTABLE, RESOURCES, SETTINGS_FILE, SEED_FILE, RECORDINGS))

_HINTS = {
    "DIR102": "use {instance} in the host's directory, or give one of them a directory of its own",
    "DIR103": "put the directories side by side: the outer one's backup and removal take the inner",
    "DIR104": "use {instance} in both templates, or give them different names",
    "DIR105": "put it outside every working directory: copying one to the peer would overwrite it",
    "DIR106": "put it where no other instance has its files",
}


class Thing(NamedTuple):
    """A directory or file of an instance, or of the host itself."""

    path: HostPath
    what: str
    owner: str
    span: Span
    place: Span


class Clash(NamedTuple):
    """Two things that cannot both be where they are."""

    code: str
    thing: Thing
    other: Thing


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """DIR102 equal and DIR103 nested directories, DIR104 files of one name, DIR105 a failover file
    in a directory, DIR106 files in another's directory, DIR107 directories of the system.
    """
    yield from _system(host)
    things = [t for instance in host.instances for t in _things(host, instance)]
    things += _of_host(host)
    groups: dict[tuple[object, ...], list[Clash]] = {}
    for clash in (*_equal(things), *_inside(things), *_named_like_ours(things)):
        thing, other = clash.thing, clash.other
        cause = (clash.code, thing.place, other.place, thing.what, other.what)
        groups.setdefault(cause, []).append(clash)
    yield from (_diagnostic(group) for group in groups.values())


def _things(host: ResolvedHost, instance: ResolvedInstance) -> Iterator[Thing]:
    paths, file = instance.paths, host.file
    listed = (
        (paths.directory, DIRECTORY, instance.directory_origin),
        (paths.pid_file, "PID file", file.pid_file.origin),
        (paths.lock_file, "lock file", file.lock_file.origin),
        (paths.unit, "unit or init script", file.services.origin),
        (_failover_file(host, instance), FAILOVER, _origin(file.failover_file)),
        (paths.backup_list, "backup list", file.backup_list.origin),
        (paths.backup_exclude, "backup exclude list", file.backup_exclude.origin),
        (paths.mirror_exclude, "mirror exclude list", _origin(file.mirror_exclude)),
    )
    for path, what, place in listed:
        if path is not None and place is not None:
            yield Thing(path, what, instance.name, instance.span, place)


def _failover_file(host: ResolvedHost, instance: ResolvedInstance) -> HostPath | None:
    """Where it would lie: a bad place is noticed before the first pair is declared."""
    template = host.file.failover_file
    if template is None:
        return None
    values = path_values(instance.name, instance.addresses[0].value, instance.number)
    return host_path(expand(template.value, values))


def _origin(template: Sourced[str] | None) -> Span | None:
    return None if template is None else template.origin


def _of_host(host: ResolvedHost) -> tuple[Thing, ...]:
    listed, span = host.file.host_backup_list, host.file.span
    return (
        Thing(listed.value, "backup list", f"host {host.name}", span, listed.origin),
        Thing(STATE, DIRECTORY, "pbxfleet itself", span, span),
    )


def _equal(things: list[Thing]) -> Iterator[Clash]:
    first: dict[HostPath, Thing] = {}
    for thing in things:
        other = first.setdefault(thing.path, thing)
        if other is not thing:
            both = thing.what == other.what == DIRECTORY
            yield Clash("DIR102" if both else "DIR104", thing, other)


def _inside(things: list[Thing]) -> Iterator[Clash]:
    at = {thing.path: thing for thing in reversed(things)}
    for thing in things:
        above = HostPath(thing.path.rpartition("/")[0])
        while above:
            outer = at.get(above)
            if outer is not None and (code := _nesting(thing, outer)):
                yield Clash(code, thing, outer)
            above = HostPath(above.rpartition("/")[0])


def _nesting(thing: Thing, outer: Thing) -> str:
    """The code for `thing` lying below `outer`; empty if that is as it should be."""
    if thing.what == FAILOVER and outer.what == DIRECTORY:
        return "DIR105"
    if thing.what == outer.what == DIRECTORY:
        return "DIR103"
    if outer.what == DIRECTORY and thing.owner == outer.owner:
        return ""
    return "DIR106"


def _named_like_ours(things: list[Thing]) -> Iterator[Clash]:
    """Files in a working directory with the name of a file that the instance has there anyway."""
    directories = {thing.path: thing for thing in things if thing.what == DIRECTORY}
    for thing in things:
        folder, _, name = thing.path.rpartition("/")
        directory = directories.get(HostPath(folder))
        if directory is not None and thing.what != DIRECTORY and name in OWN_NAMES:
            yield Clash("DIR104", thing, directory._replace(path=thing.path, what=name))


def _diagnostic(group: list[Clash]) -> Diagnostic:
    code, thing, other = group[0]
    message = f"the {thing.what} of {thing.owner}, {thing.path}, {_relation(group[0])}"
    if thing.place == other.place and thing.what == other.what:
        owners = dict.fromkeys(t.owner for clash in group for t in (clash.other, clash.thing))
        message = f"the {thing.what} {thing.path} is that of {some(owners)}"
    elif len(group) > 1:
        message += f" ({len(group) - 1} more like this)"
    if other.place == thing.place:
        related = [(one.span, f"instance {one.owner}") for one in (other, thing)]
        return Diagnostic(code, message, thing.place, related=tuple(related), hint=_HINTS[code])
    here, there = (other, thing) if _is_nearer(other, thing) else (thing, other)
    related = [(there.place, f"{there.what} of {there.owner}")]
    return Diagnostic(code, message, here.place, related=tuple(related), hint=_HINTS[code])


def _is_nearer(one: Thing, other: Thing) -> bool:
    """Whether `one` is said in its instance's own file, and `other` only in a template of the host."""
    return one.place.file == one.span.file and other.place.file != other.span.file


def _relation(clash: Clash) -> str:
    other = clash.other
    whose = f"{other.what} of {other.owner}"
    if clash.code in ("DIR102", "DIR104"):
        return f"is also the {whose}"
    if other.what != DIRECTORY:
        return f"lies below a file: the {whose}, {other.path}"
    return f"lies inside the {whose}, {other.path}"


def _system(host: ResolvedHost) -> Iterator[Diagnostic]:
    problems = Problems()
    for instance in host.instances:
        directory = instance.paths.directory
        if directory in SYSTEM:
            diagnostic = Diagnostic(
                "DIR107",
                f"{directory} is a directory of the system, not of one instance",
                instance.directory_origin,
                hint="choose a directory that holds nothing else, as /usr/local/pbx-{instance}",
            )
            problems.share(diagnostic, instance.name, instance.span)
    yield from problems.diagnostics()
