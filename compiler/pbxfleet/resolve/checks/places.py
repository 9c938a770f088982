"""Places that apply does not write to: told where they are declared, before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.paths import HostPath, is_inside
from pbxfleet.core.places import (
    PLACES_FILE,
    is_directory_of_ours,
    is_ours,
    is_place_for_a_pid_file,
)
from pbxfleet.core.span import Span
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.guards import Removed
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.resolve.checks.claims import Claim
from pbxfleet.resolve.checks.paths import DIRECTORY, FAILOVER, PID_FILE, SYSTEM, path_claims

LISTS = ("backup list", "backup exclude list", "mirror exclude list", FAILOVER)


def check(host: ResolvedHost) -> Iterator[Diagnostic]:
    """DIR109 a directory or PID file that no apply makes, DIR110 (a warning) a list, failover file or
    archive that is written only where the host itself allows it.

    The rules are those by which apply refuses a manifest (PLN165). One finding a line, however many
    instances it concerns.
    """
    if host.file.services.value is ServiceBackend.WINDOWS:
        return
    instances = {instance.name: instance for instance in host.instances}
    found: dict[tuple[str, Span], list[tuple[Claim, str]]] = {}
    for claim in path_claims(host):
        code = _code(claim, instances.get(claim.owner)) if claim.lines else ""
        if code:
            found.setdefault((code, claim.lines[0].span), []).append((claim, code))
    for (code, span), claims in found.items():
        first = claims[0][0]
        yield _diagnostic(code, f"the {first.what} {first.key}", span, len(claims) - 1)
    yield from _archives(host)


def _code(claim: Claim, instance: ResolvedInstance | None) -> str:
    path = str(claim.key)
    if claim.what == DIRECTORY:
        return "" if path in SYSTEM or is_directory_of_ours(path) else "DIR109"
    directory = HostPath("") if instance is None else instance.paths.directory
    if claim.what == PID_FILE:
        return "" if is_place_for_a_pid_file(path, directory) else "DIR109"
    if claim.what not in LISTS or is_ours(path) or (directory and is_inside(path, directory)):
        return ""
    return "DIR110"


def _archives(host: ResolvedHost) -> Iterator[Diagnostic]:
    guards, own = host.guards, host.file.guards.removed_archives
    if guards.removed_directory == Removed.ARCHIVE and not is_ours(guards.archives):
        span = host.file.span if own is None else own.origin
        yield _diagnostic("DIR110", f"the folder for archives {guards.archives}", span, 0)


def _diagnostic(code: str, what: str, span: Span, more: int) -> Diagnostic:
    others = f" ({more} more like this)" if more else ""
    if code == "DIR109":
        return Diagnostic(
            code,
            f"{what} is in a place of the system, where apply makes nothing{others}",
            span,
            hint="choose a place of its own, as /usr/local/pbx-{instance}",
        )
    return Diagnostic(
        code,
        f"{what} is in a place of the system, and is written only where the host allows it{others}",
        span,
        Severity.WARNING,
        hint=f"put it below /etc/pbx/, or name the folder in {PLACES_FILE} on the host",
    )
