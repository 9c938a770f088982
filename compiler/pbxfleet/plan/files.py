"""Differences of files, release files and directories."""

from __future__ import annotations

from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import AppliedResource
from pbxfleet.model.observed import Seen, What
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.target import Impact, Kind, Resource
from pbxfleet.plan.threeway import joined, status_of

REASONS = {
    Status.PENDING: "declared, not applied yet",
    Status.DRIFT: "changed on the host since the last apply",
    Status.ADOPT: "was there before the first apply",
    Status.CONFLICT: "changed on the host and in the declaration",
}
KINDS = {
    What.FILE: "a file",
    What.DIRECTORY: "a directory",
    What.SYMLINK: "a symlink",
    What.OTHER: "a device, socket or FIFO",
}
SHORT_DIGEST = 19  # characters: `sha256:` and what tells two digests of one table apart


def octal(mode: int | None) -> str | None:
    """Permission bits the way people write them: `0644`."""
    return None if mode is None else f"{mode:04o}"


def in_the_way(resource: Resource, seen: Seen) -> Note | None:
    """A note that blocks the plan when something of another kind lies at the path."""
    wanted = What.DIRECTORY if resource.kind is Kind.DIRECTORY else What.FILE
    if seen.what in (What.ABSENT, wanted):
        return None
    if resource.kind in (Kind.FILE, Kind.ARTEFACT) and seen.what is What.SYMLINK:
        return None  # replaced as a whole; a link cannot be half written
    return Note(
        "PLN110",
        "error",
        resource.instance,
        f"{resource.path}: {KINDS[seen.what]} is in the way, a {wanted} is declared here",
        "move it aside; pbxfleet never removes what it did not make",
        resource.id,
        "kind",
        f"a {wanted}",
        KINDS[seen.what],
    )


def diff_directory(resource: Resource, seen: Seen, before: AppliedResource | None) -> Change | None:
    """A declared directory that is missing; what it is made of is the host's once it exists."""
    if seen.what is What.DIRECTORY:
        return None
    status = Status.PENDING if before is None else Status.DRIFT
    delta = FieldDelta("exists", None, "directory", status, _first(resource))
    return _change(resource, status, Verb.CREATE, Impact.NONE, (delta,))


def diff_file(
    resource: Resource,
    seen: Seen,
    before: AppliedResource | None,
    *,
    owners_matter: bool,
) -> Change | None:
    """Differences of a file that is ours as a whole: content, mode and, where it can be set, owner."""
    missing = seen.what is What.ABSENT
    content = None if missing else seen.digest or str(seen.what)
    compared: list[tuple[str, str | None, str | None, str | None]] = [
        ("content", resource.digest, content, before.digest if before else None)
    ]
    if seen.what is What.FILE:  # a link has no mode or owner that would matter
        if resource.mode is not None:
            modes = (octal(resource.mode), octal(seen.mode), octal(before.mode if before else None))
            compared.append(("mode", *modes))
        if owners_matter:
            owner = before.owner if before else None
            compared.append(("owner", resource.owner, seen.owner, owner))
    deltas = []
    for name, wanted, observed, applied in compared:
        status = status_of(wanted, observed, applied, known=before is not None)
        if status is not None:
            delta = FieldDelta(name, _short(observed), _short(wanted), status, _first(resource))
            deltas.append(delta)
    if not deltas:
        return None
    verb = Verb.CREATE if missing else Verb.UPDATE
    # Permissions change under a running process without it noticing.
    impact = resource.impact if any(d.name == "content" for d in deltas) else Impact.NONE
    return _change(resource, joined([d.status for d in deltas]), verb, impact, tuple(deltas))


def diff_pruned(
    resource_id: str, before: AppliedResource, instance: str, seen: Seen
) -> Change | None:
    """A file that apply wrote and nobody declares any more; None if it is gone.

    One that somebody has changed since is theirs now: it is left as it is, and forgotten.
    """
    if seen.what is What.ABSENT:
        return None
    is_ours = seen.digest == before.digest
    status = Status.PENDING if is_ours else Status.CONFLICT
    reason = "no longer declared"
    if not is_ours:
        reason += "; changed on the host since the last apply, so it is left as it is"
    return Change(
        resource_id,
        Kind.FILE,
        instance,
        HostPath(before.path),
        status,
        Verb.REMOVE if is_ours else Verb.KEEP,
        Impact.NONE,
        reason,
        (FieldDelta("content", _short(seen.digest or str(seen.what)), None, status, ""),),
        (),
    )


def _change(
    resource: Resource, status: Status, verb: Verb, impact: Impact, deltas: tuple[FieldDelta, ...]
) -> Change:
    reason = REASONS[status]
    if verb is Verb.CREATE and status is Status.DRIFT:
        reason = "removed from the host since the last apply"
    return Change(
        resource.id,
        resource.kind,
        resource.instance,
        resource.path,
        status,
        verb,
        impact,
        reason,
        deltas,
        resource.origin,
    )


def _first(resource: Resource) -> str:
    return resource.origin[0] if resource.origin else ""


def _short(value: str | None) -> str | None:
    """Digests shortened to what tells two of them apart in a table."""
    if value is not None and value.startswith("sha256:"):
        return value[:SHORT_DIGEST]
    return value
