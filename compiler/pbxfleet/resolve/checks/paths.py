"""Paths: every directory and every file of a host belongs to one instance only."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.paths import STATE, HostPath, host_path
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.pbx.layout import EXECUTABLE, RECORDINGS, RESOURCES, SEED_FILE, SETTINGS_FILE
from pbxfleet.resolve.checks.claims import Claim, Conflict, Kind, Line, accuse, by_cause, owners
from pbxfleet.resolve.checks.outside import log_file
from pbxfleet.resolve.paths import expand, path_values
from pbxfleet.resolve.problems import Problems, some

DIRECTORY = "working directory"
LOG_FILE = "log file"
FAILOVER = "failover file"
PID_FILE = "PID file"

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


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """DIR102 equal and DIR103 nested directories, DIR104 files of one name, DIR105 a failover file
    in a directory, DIR106 files in another's directory, DIR107 directories of the system.
    """
    yield from _system(host)
    claims = path_claims(host)
    clashes = (*_equal(claims), *_inside(claims), *_named_like_ours(claims))
    for group in by_cause(clashes, _cause):
        yield _diagnostic(group)


def path_claims(host: ResolvedHost) -> list[Claim]:
    """Every directory and file of the instances, of the host's backup, and of pbxfleet itself."""
    listed = host.file.host_backup_list
    of_host = Line(listed.origin, "backup list")
    return [
        *(claim for instance in host.instances for claim in _of_instance(host, instance)),
        Claim(Kind.PATH, listed.value, "backup list", f"host {host.name}", None, (of_host,)),
        Claim(Kind.PATH, STATE, DIRECTORY, "pbxfleet itself", None, ()),
    ]


def _of_instance(host: ResolvedHost, instance: ResolvedInstance) -> Iterator[Claim]:
    paths, file = instance.paths, host.file
    own = instance.directory_template or file.directory
    log = log_file(instance)
    listed: list[tuple[HostPath | None, str, Sourced[str] | None]] = [
        (paths.directory, DIRECTORY, own),
        (paths.pid_file, PID_FILE, file.pid_file),
        (paths.lock_file, "lock file", file.lock_file),
        (paths.unit, "unit or init script", Sourced(file.services.value, file.services.origin)),
        (_failover_file(host, instance), FAILOVER, file.failover_file),
        (paths.backup_list, "backup list", file.backup_list),
        (paths.backup_exclude, "backup exclude list", file.backup_exclude),
        (paths.mirror_exclude, "mirror exclude list", file.mirror_exclude),
        (None if log is None else HostPath(log.value), LOG_FILE, log),
    ]
    for path, what, template in listed:
        if path is not None and template is not None:
            lines = tuple(_lines(instance, what, template))
            yield Claim(Kind.PATH, path, what, instance.name, instance.span, lines)


def _lines(instance: ResolvedInstance, what: str, template: Sourced[str]) -> Iterator[Line]:
    """The template, and what of the instance goes into it beside its name."""
    yield Line(template.origin, what)
    if "{address}" in template.value:
        address = instance.addresses[0]
        yield Line(address.origin, f"address {address.value}", given=True)
    if "{number}" in template.value and instance.number_origin is not None:
        yield Line(instance.number_origin, f"number {instance.number}", given=True)


def _failover_file(host: ResolvedHost, instance: ResolvedInstance) -> HostPath | None:
    """Where it would lie: a bad place is noticed before the first pair is declared."""
    template = host.file.failover_file
    if template is None:
        return None
    values = path_values(instance.name, instance.addresses[0].value, instance.number)
    return host_path(expand(template.value, values))


def _equal(claims: list[Claim]) -> Iterator[Conflict]:
    first: dict[Hashable, Claim] = {}
    for claim in claims:
        other = first.setdefault(claim.key, claim)
        if other is not claim:
            both = claim.what == other.what == DIRECTORY
            yield Conflict(other, claim, "DIR102" if both else "DIR104")


def _inside(claims: list[Claim]) -> Iterator[Conflict]:
    at = {claim.key: claim for claim in reversed(claims)}
    for claim in claims:
        above = _path(claim).rpartition("/")[0]
        while above:
            outer = at.get(HostPath(above))
            if outer is not None and (code := _nesting(claim, outer)):
                yield Conflict(outer, claim, code)
            above = above.rpartition("/")[0]


def _path(claim: Claim) -> str:
    assert isinstance(claim.key, str)
    return claim.key


def _nesting(claim: Claim, outer: Claim) -> str:
    """The code for `claim` lying below `outer`; empty if that is as it should be."""
    if claim.what == FAILOVER and outer.what == DIRECTORY:
        return "DIR105"
    if claim.what == outer.what == DIRECTORY:
        return "DIR103"
    if outer.what == DIRECTORY and claim.owner == outer.owner:
        return ""
    return "DIR106"


def _named_like_ours(claims: list[Claim]) -> Iterator[Conflict]:
    """Files in a working directory with the name of a file that the instance has there anyway."""
    directories = {claim.key: claim for claim in claims if claim.what == DIRECTORY}
    for claim in claims:
        folder, _, name = _path(claim).rpartition("/")
        directory = directories.get(folder)
        if directory is not None and claim.what != DIRECTORY and name in OWN_NAMES:
            yield Conflict(directory._replace(key=claim.key, what=name), claim, "DIR104")


def _cause(clash: Conflict) -> Hashable:
    one, other = clash.later, clash.earlier
    return (clash.about, _template(one), _template(other), one.what, other.what)


def _template(claim: Claim) -> Span | None:
    return claim.lines[0].span if claim.lines else None


def _diagnostic(group: list[Conflict]) -> Diagnostic:
    clash = group[0]
    claim, other = clash.later, clash.earlier
    message = f"the {claim.what} of {claim.owner}, {claim.key}, {_relation(clash)}"
    if _template(claim) == _template(other) and claim.what == other.what:
        message = f"the {claim.what} {claim.key} is that of {some(owners(group))}"
    elif len(group) > 1:
        message += f" ({len(group) - 1} more like this)"
    return accuse(clash.about, message, clash, _HINTS[clash.about])


def _relation(clash: Conflict) -> str:
    other = clash.earlier
    whose = f"{other.what} of {other.owner}"
    if clash.about in ("DIR102", "DIR104"):
        return f"is also the {whose}"
    if other.what != DIRECTORY:
        return f"lies below a file: the {whose}, {other.key}"
    return f"lies inside the {whose}, {other.key}"


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
