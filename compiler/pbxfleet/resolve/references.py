"""Names that one file gives to another: hosts, releases, peers; also where nothing else can be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.model.desired import Desired, InstanceFile, ReleaseFile, Sourced
from pbxfleet.pbx.versions import parse_version
from pbxfleet.resolve.problems import Problems


def unplaced(desired: Desired) -> tuple[Diagnostic, ...]:
    """What can be told of instances whose host or fleet file is not known, from their own files.

    Reports REF101, REL102, FLO102 and FLO103; nothing leads nowhere that is declared but broken.
    """
    problems = Problems()
    gaps = desired.gaps
    hosts, instances = {*desired.hosts, *gaps.hosts}, declared(desired)
    for _, file in sorted(desired.instances.items()):
        if file.host.value in desired.hosts and not gaps.fleet:
            continue
        _check_host(file, hosts, problems)
        release, peer = file.layer.release, file.layer.failover.peer
        if release is not None and not gaps.fleet:
            release_called(desired.fleet.releases, gaps.releases, release, file, problems)
        if peer is not None:
            check_peer(instances, file, peer, problems)
    return problems.diagnostics()


def declared(desired: Desired) -> Collection[str]:
    """Names of all instances, also of those that are not understood."""
    gaps = desired.gaps.instances
    return {*desired.instances, *gaps} if gaps else desired.instances


def _check_host(file: InstanceFile, hosts: Collection[str], problems: Problems) -> None:
    name = file.host.value
    if name not in hosts:
        hint = problems.hint("host", name, hosts)
        message = f'no host is called "{name}"'
        problems.add(Diagnostic("REF101", message, file.host.origin, hint=hint), file.name)


def release_called(
    releases: Mapping[str, ReleaseFile],
    broken: Collection[str],
    wish: Sourced[str],
    file: InstanceFile,
    problems: Problems,
) -> ReleaseFile | None:
    """The release that an instance wishes; None if it is among `broken`, or unknown (REL102)."""
    release = releases.get(wish.value)
    if release is None and wish.value not in broken:
        hint = problems.hint("release", wish.value, {*releases, *broken})
        message = f'no release is called "{wish.value}"'
        diagnostic = Diagnostic("REL102", message, wish.origin, hint=hint)
        problems.share(diagnostic, file.name, file.span)
    return release


def unordered(release: ReleaseFile) -> tuple[Diagnostic, ...]:
    """Advice for a release that nothing orders among the others (REL106)."""
    if parse_version(release.version_text) is not None:
        return ()
    message = f'"{release.name}" is no version, so an upgrade cannot be told from a downgrade'
    hint = 'say version = "..." for it: what pbxctrl --version says, as numbers with dots'
    return (Diagnostic("REL106", message, release.span, Severity.ADVICE, hint=hint),)


def check_peer(
    instances: Collection[str], file: InstanceFile, peer: Sourced[str], problems: Problems
) -> None:
    """Report a peer of its own (FLO103) and an unknown one (FLO102)."""
    if peer.value == file.name:
        hint = "name the instance that is the other half"
        message = f"{file.name} names itself as its peer"
        problems.add(Diagnostic("FLO103", message, peer.origin, hint=hint), file.name)
    elif peer.value not in instances:
        hint = problems.hint("instance", peer.value, instances)
        message = f'no instance is called "{peer.value}"'
        diagnostic = Diagnostic("FLO102", message, peer.origin, hint=hint)
        problems.share(diagnostic, file.name, file.span)
