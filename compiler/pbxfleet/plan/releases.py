"""Which release lies on the host, which shall: an upgrade, a downgrade, or somebody else's doing."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import join
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import ABSENT, Observed
from pbxfleet.model.plan import Change, Note
from pbxfleet.model.target import InstanceTarget, Kind, Target
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES
from pbxfleet.pbx.versions import DOWNGRADE, SAME, UNORDERED, direction

DOWNGRADED = "PLN140"
UNTOLD = "PLN141"
REPLACED = "PLN142"
POLICY_CODES = (DOWNGRADED, REPLACED)
BOTH_FILES = "both files were replaced, as the PBX's own updater does"
UNTOLD_HINT = 'a version such as "70.5" in releases.NAME.version of fleet.toml tells it'
ALLOW = 'restore the data of that time first, or say downgrades = "allow" under [policy]'


class How(StrEnum):
    """Whose doing it is that other release files lie there than are declared."""

    DECLARED = "declared"  # the declaration has moved on; what lies there was applied
    REPLACED = "replaced"  # both files were replaced since they were applied
    FOUND = "found"  # a pair that was there before anything was applied
    MIXED = "mixed"  # one file was replaced: no release consists of these two


class Switch(NamedTuple):
    """What apply would do to the release files of one instance.

    `resource` is the id of its executable. `before` is the name of the release that lies there, ""
    if it is no declared one; `after` is the declared one. `direction` is as in `pbx.versions`.
    """

    instance: str
    resource: str
    how: How
    before: str
    after: str
    direction: str


class _Pair(NamedTuple):
    pbxctrl: Digest | None
    dat: Digest | None


def release_switch(
    target: Target, instance: InstanceTarget, observed: Observed, record: AppliedRecord | None
) -> Switch | None:
    """What is going on with the release files of an instance; None where they are as declared.

    None also where one of them is missing, which is no release at all.
    """
    ids = [f"{Kind.ARTEFACT}:{join(instance.directory, n)}" for n in (EXECUTABLE, RESOURCES)]
    if any(resource_id not in target.resources for resource_id in ids):
        return None
    wanted = _Pair(*(target.resources[resource_id].digest for resource_id in ids))
    seen = _Pair(*(observed.seen.get(resource_id, ABSENT).digest for resource_id in ids))
    if seen == wanted or None in seen:
        return None
    how, applied = _how(wanted, seen, _applied(ids, record))
    before = _named(target, seen)
    if how is How.DECLARED and not before and record is not None and record.declared is not None:
        before = record.declared.release or _named(target, applied)
    after = instance.release
    towards = direction(_version(target, before), _version(target, after))
    return Switch(instance.name, ids[0], how, before, after, towards)


def _applied(ids: Sequence[str], record: AppliedRecord | None) -> _Pair:
    resources = {} if record is None else record.resources
    return _Pair(*(resources[i].digest if i in resources else None for i in ids))


def _how(wanted: _Pair, seen: _Pair, applied: _Pair) -> tuple[How, _Pair]:
    if None in applied:
        return How.FOUND, applied
    # A run that was killed between the two files left one of each: both are ours.
    if all(s in (a, w) for s, a, w in zip(seen, applied, wanted, strict=True)):
        return How.DECLARED, applied
    foreign = sum(1 for s, a in zip(seen, applied, strict=True) if s != a)
    return (How.REPLACED if foreign == len(seen) else How.MIXED), applied


def _named(target: Target, pair: _Pair) -> str:
    """The first declared release of these two files, "" if there is none."""
    return next(
        (name for name, r in target.releases.items() if (r.pbxctrl, r.dat) == tuple(pair)), ""
    )


def _version(target: Target, name: str) -> str:
    """What a release is ordered by; one that is no longer declared can only have its name."""
    known = target.releases.get(name)
    return name if known is None else known.version


def with_release(change: Change, switch: Switch | None) -> Change:
    """The change of a release file, in words of releases rather than of digests."""
    if switch is None or change.kind is not Kind.ARTEFACT:
        return change
    if not any(field.name == "content" for field in change.fields):
        return change
    return change._replace(reason=words(switch))


def words(switch: Switch) -> str:
    """One line: `release 70.3 -> 70.5 (upgrade)`, or what lies there instead."""
    before = f"release {switch.before}" if switch.before else "a release that is not declared"
    match switch.how:
        case How.DECLARED | How.FOUND:
            told = f" ({switch.direction})" if switch.direction else ""
            return f"release {switch.before or 'unknown'} -> {switch.after}{told}"
        case How.REPLACED:
            return f"{before} lies here, {switch.after} is declared: {BOTH_FILES}"
        case How.MIXED:
            return f"one file of release {switch.after} was replaced: a mixed pair"


def release_notes(target: Target, switch: Switch | None) -> list[Note]:
    """What must be known before another release is put in place: PLN140, PLN141, PLN142."""
    if switch is None or switch.how is How.MIXED or switch.direction == SAME:
        return []
    severity = "warning" if target.downgrades == "allow" else "error"
    name, after = switch.instance, switch.after
    if switch.direction == DOWNGRADE:
        own = "" if switch.how is not How.REPLACED else f"; {BOTH_FILES}"
        text = (
            f"release {switch.before} -> {after} is a downgrade{own}; whether {after} understands "
            f"data that {switch.before} has written is not documented by the vendor"
        )
        return [Note(DOWNGRADED, severity, name, text, ALLOW, switch.resource)]
    if switch.how is How.REPLACED and not switch.before:
        text = (
            f"{BOTH_FILES}, by those of a release that is not declared; apply would put {after} "
            "back, on data that the other one may have converted"
        )
        hint = f"declare that release (pbxfleet release add), or say {ALLOW.partition(' say ')[2]}"
        return [Note(REPLACED, severity, name, text, hint, switch.resource)]
    if switch.direction == UNORDERED:
        before = f"release {switch.before}" if switch.before else "the release that lies there"
        text = f"whether {after} is newer than {before} cannot be told"
        return [Note(UNTOLD, "warning", name, text, UNTOLD_HINT, switch.resource)]
    return []
