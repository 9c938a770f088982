"""Differences of pbx.xml, element by element: owned, seeded and foreign."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pbxfleet.model.applied import NOTHING_PROVEN, AppliedResource, Proof, element_digest
from pbxfleet.model.elements import SECRET, WRITTEN_ONCE, was_written
from pbxfleet.model.observed import Seen, SettingsSeen, What
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.runtime import setting_key, spelling_key
from pbxfleet.model.target import SEEDED, Field, Impact, Resource
from pbxfleet.pbx.live import may_be_live
from pbxfleet.pbx.meaning import must_change
from pbxfleet.plan.files import REASONS
from pbxfleet.plan.notes import stuck_notes
from pbxfleet.plan.threeway import joined, status_of


def diff_settings(
    resource: Resource,
    seen: Seen,
    found: SettingsSeen | None,
    before: AppliedResource | None,
    fields: Sequence[Field],
    proof: Proof = NOTHING_PROVEN,
) -> tuple[Change | None, list[Note]]:
    """Differences of the declared elements; everything else in the file is foreign and not looked at.

    `found` None says that the file is missing or is as apply left it. What the PBX put in place of
    declared values when it was last started is shown, but not written again.
    """
    unproven = proof.unproven
    if seen.what is What.ABSENT:
        return _missing(resource, before, fields), _secret_notes(resource, fields)
    if found is None:
        return None, []
    if found.problem:
        return None, [_broken_note(resource, found.problem)]
    deltas = [d for f in fields if (d := _delta(f, found, before, proof.normalised)) is not None]
    stuck = [
        d for d in deltas if d.status is Status.DRIFT and setting_key(d.name, d.before) in unproven
    ]
    deltas = [d for d in deltas if d not in stuck]
    stuck += _not_kept(fields, found, unproven)
    notes = _opaque_notes(resource, fields, found) + _secret_notes(resource, fields)
    notes += stuck_notes(resource.instance, resource.id, stuck)
    if found.refused:
        notes.append(_refused_note(resource, found.refused))
    if not deltas:
        return None, notes
    status = joined([d.status for d in deltas])
    origin = tuple(dict.fromkeys(d.origin for d in deltas))
    change = _change(resource, status, Verb.UPDATE, REASONS[status], deltas, origin)
    return _with_impact(change, fields, found), notes


def _with_impact(change: Change, fields: Sequence[Field], found: SettingsSeen) -> Change:
    """Live if the running process can be given every setting; one that it cannot costs a restart."""
    changed = {delta.name for delta in change.fields}
    if changed <= found.live:
        return change._replace(impact=Impact.LIVE, reason=f"{change.reason}; changes live")
    able = all(may_be_live(field) for field in fields if field.name in changed)
    if not able or not found.why_not_live:
        return change
    return change._replace(reason=f"{change.reason}; not live: {found.why_not_live}")


def _delta(
    field: Field, found: SettingsSeen, before: AppliedResource | None, spelled: Collection[str]
) -> FieldDelta | None:
    observed = found.values.get(field.name)
    remembered = before.fields if before is not None else {}
    known = was_written(field.name, remembered)
    if not must_change(field, observed, opaque=field.name in found.opaque, known=known):
        return None
    applied = remembered.get(field.name)
    # What we wrote, in the spelling of the PBX, was changed by nobody.
    is_ours = spelling_key(field.name, observed, applied) in spelled
    now = applied if is_ours else element_digest(observed)
    status = status_of(element_digest(field.value), now, applied, known=known)
    if status is None or applied == WRITTEN_ONCE or (status is Status.ADOPT and before is not None):
        # The file is ours since an earlier apply; the element was not, or was the application's.
        status = Status.PENDING
    shown = "(secret)" if applied == SECRET and observed is not None else observed
    return FieldDelta(field.name, shown, field.value, status, field.origin)


def _not_kept(
    fields: Sequence[Field], found: SettingsSeen, unproven: Collection[str]
) -> list[FieldDelta]:
    """Seeded elements that the PBX dropped when it was started on them: nobody would else hear of it."""
    return [
        FieldDelta(f.name, None, f.value, Status.DRIFT, f.origin)
        for f in fields
        if f.ownership == SEEDED
        and found.values.get(f.name) is None
        and setting_key(f.name, None) in unproven
    ]


def _missing(resource: Resource, before: AppliedResource | None, fields: Sequence[Field]) -> Change:
    status = Status.PENDING if before is None else Status.DRIFT
    reason = REASONS[status] if before is None else "removed from the host since the last apply"
    deltas = [
        FieldDelta(f.name, None, f.value, status, f.origin) for f in fields if f.value is not None
    ]
    return _change(resource, status, Verb.CREATE, reason, deltas, resource.origin)


def _change(
    resource: Resource,
    status: Status,
    verb: Verb,
    reason: str,
    deltas: Sequence[FieldDelta],
    origin: tuple[str, ...],
) -> Change:
    """Whatever changes in pbx.xml is written while the instance is stopped, if nothing better is known."""
    return Change(
        resource.id,
        resource.kind,
        resource.instance,
        resource.path,
        status,
        verb,
        Impact.RESTART,
        reason,
        tuple(deltas),
        origin,
    )


def _broken_note(resource: Resource, problem: str) -> Note:
    return Note(
        "PLN111",
        "error",
        resource.instance,
        f"pbx.xml cannot be understood: {problem}",
        "repair the file, or restore it from the backup; it will not be overwritten",
        resource.id,
        "content",
        found=problem,
    )


def _refused_note(resource: Resource, why: str) -> Note:
    return Note(
        "PLN116",
        "error",
        resource.instance,
        f"pbx.xml does not take what is declared: {why}",
        "repair the element while the instance is stopped, or drop it from the declaration",
        resource.id,
        "content",
        found=why,
    )


def _secret_notes(resource: Resource, fields: Sequence[Field]) -> list[Note]:
    names = [f.name for f in fields if f.secret is not None]
    if not names:
        return []
    return [
        Note(
            "PLN112",
            "warning",
            resource.instance,
            f"secret settings are declared but not written: {', '.join(names)}",
            "in which form pbx.xml takes a new secret is not documented by the vendor; "
            "set it on the administration page",
            resource.id,
        )
    ]


def _opaque_notes(resource: Resource, fields: Sequence[Field], found: SettingsSeen) -> list[Note]:
    names = [f.name for f in fields if f.name in found.opaque and f.secret is None]
    if not names:
        return []
    return [
        Note(
            "PLN113",
            "warning",
            resource.instance,
            f"cannot be compared, the PBX has encrypted it: {', '.join(names)}",
            "drop it from the declaration, or declare it as a secret",
            resource.id,
        )
    ]
