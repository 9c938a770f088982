"""Backups: nothing is backed up into itself, nothing shares a place, secrets do not travel in clear."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.paths import HostPath, is_inside, parent
from pbxfleet.core.span import Span
from pbxfleet.model.backup import BackupProgram, BackupTarget, HostBackup
from pbxfleet.model.desired import ServiceBackend, Sourced
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.resolve.problems import Problems

SECRETS = "it holds private keys, voicemail and passwords of phones"


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """BKP101 a backup into itself, BKP102 one place twice, BKP106 a place that is none, BKP107
    (advice) a place without encryption, BKP108 a backup's own file in a directory that is backed up,
    BKP109 paths that belong to another instance, BKP110 programs of Linux on Windows.
    """
    directories = {i.paths.directory: i for i in host.instances}
    problems = Problems()
    for instance in host.instances:
        _extra(instance, directories, problems)
    yield from problems.diagnostics()
    backup = host.file.backup
    if backup is None:
        return
    if host.services is ServiceBackend.WINDOWS:
        yield from _on_windows(backup)
        return
    yield from _places(backup)
    covered = dict(directories)
    for instance in host.instances:
        covered |= {extra.value: instance for extra in instance.backup.extra}
    for target in backup.targets:
        yield from _into_itself(target, covered)
    yield from _own_files(backup, directories)


def _on_windows(backup: HostBackup) -> Iterator[Diagnostic]:
    for target in backup.targets[:1]:
        yield Diagnostic(
            "BKP110",
            "[backup] has scripts for Linux only, and this host runs Windows",
            target.place.origin,
            hint="remove the table, and back up the directories with a program of that machine",
        )


def _owner(path: str, directories: dict[HostPath, ResolvedInstance]) -> HostPath | None:
    """The directory that `path` lies in or is; in steps of its depth, not of the number of instances."""
    above = HostPath(path)
    while above != "/":
        if above in directories:
            return above
        above = parent(above)
    return None


def _extra(
    instance: ResolvedInstance, directories: dict[HostPath, ResolvedInstance], problems: Problems
) -> None:
    for extra in instance.backup.extra:
        inside = _owner(extra.value, directories)
        if inside is not None:
            whose = directories[inside]
            own = whose is instance
            message = f"{extra.value} lies in the directory of {whose.name}, {inside}"
            hint = "it is in that backup anyway: remove it here"
            if not own:
                hint = "a restore would overwrite what belongs to the other: remove it here"
        elif any(is_inside(directory, extra.value) for directory in directories):
            message = f"{extra.value} holds directories of instances"
            hint = "name only what belongs to this instance alone"
        else:
            continue
        problems.share(
            Diagnostic("BKP109", message, extra.origin, hint=hint), instance.name, instance.span
        )


def _places(backup: HostBackup) -> Iterator[Diagnostic]:
    taken: dict[str, BackupTarget] = {}
    for target in backup.targets:
        place = target.place
        first = taken.setdefault(target.local or place.value.rstrip("/"), target)
        if first is not target:
            yield Diagnostic(
                "BKP102",
                f"{target.program} and {first.program} would keep their backups in one place",
                place.origin,
                related=((first.place.origin, f"that of {first.program}"),),
                hint="give each a place of its own",
            )
        yield from _usable(target)
        if not target.encrypted:
            yield Diagnostic(
                "BKP107",
                f"{target.program} does not encrypt what it stores at {place.value}",
                place.origin,
                Severity.ADVICE,
                hint=f"{SECRETS}: use restic or borg, or say encrypted = true if the place encrypts",
            )


def _usable(target: BackupTarget) -> Iterator[Diagnostic]:
    """BKP106: what a program would take for something else than people mean."""
    place, remote = target.place.value, target.local is None
    if target.program is BackupProgram.TAR and remote:
        wanted = "an absolute folder of the host, which may be mounted from elsewhere"
    elif remote and ":" not in place:
        wanted = (
            "an absolute folder or an address: what a relative one means, depends on the caller"
        )
    else:
        return
    message = f"{target.program} needs {wanted}"
    hint = (
        "write the whole path, from / on" if ":" not in place else "mount it, and name the folder"
    )
    yield Diagnostic("BKP106", message, target.place.origin, hint=hint)


def _into_itself(
    target: BackupTarget, covered: dict[HostPath, ResolvedInstance]
) -> Iterator[Diagnostic]:
    local = target.local
    inside = None if local is None else _owner(local, covered)
    if inside is None:
        return
    instance = covered[inside]
    yield Diagnostic(
        "BKP101",
        f"{target.program} would back {inside} up into itself, at {local}",
        target.place.origin,
        related=((instance.span, f"instance {instance.name}"),),
        hint="keep backups outside of what is backed up, best on another machine",
    )


def _own_files(
    backup: HostBackup, directories: dict[HostPath, ResolvedInstance]
) -> Iterator[Diagnostic]:
    folder = backup.directory
    for what, path in _named(backup):
        inside = _owner(path.value, directories)
        if inside is not None:
            yield Diagnostic(
                "BKP108",
                f"the {what} {path.value} lies in the directory of {directories[inside].name}",
                path.origin,
                related=((directories[inside].directory_origin, f"its directory, {inside}"),),
                hint="a restore puts that directory aside, with what it needs: put it elsewhere",
            )
        elif path is not folder and is_inside(path.value, folder.value):
            yield Diagnostic(
                "BKP108",
                f"the {what} {path.value} lies in {folder.value}, which is backed up",
                path.origin,
                related=((folder.origin, "the directory of scripts and lists"),),
                hint="the next place would get it, whoever can read that one: put it elsewhere",
            )


def _named(backup: HostBackup) -> Iterator[tuple[str, Sourced[HostPath]]]:
    yield "directory of scripts and lists", backup.directory
    seen: set[Span] = set()
    for target in backup.targets:
        for what, path in (
            ("password file", target.password_file),
            ("environment file", target.environment_file),
        ):
            if path is not None and path.origin not in seen:
                seen.add(path.origin)
                yield what, path
