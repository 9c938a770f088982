"""The applied record of a wave: digests of what lies on the host after it."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.apply.effects import Effects
from pbxfleet.apply.merge import read_content, read_document, value_of
from pbxfleet.apply.readback import NORMALISED, NOT_PROVEN, Unproven
from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.model.applied import (
    NOT_LIVE,
    NOT_STARTED,
    AppliedRecord,
    AppliedResource,
    Live,
    Proof,
    Started,
    as_remembered,
)
from pbxfleet.model.debt import is_part
from pbxfleet.model.elements import remembered
from pbxfleet.model.runtime import setting_key
from pbxfleet.model.target import FORMER, Impact, Kind, Resource
from pbxfleet.pbx.meaning import must_change

# Longer than a tick of the clock that stamps files (10 ms at 100 Hz): what is read this long after a
# file was stamped cannot change again without another stamp.
SETTLE_S = 0.02
SPELLINGS = 200
NOT_AS_DECLARED = Digest("")  # equal to no digest: the file is looked into again

Identity = tuple[int, int, int, int, int]


def record_of(
    name: str,
    effects: Effects,
    before: AppliedRecord | None,
    found: tuple[Unproven, ...] | None,
) -> AppliedRecord:
    """The record of an instance (or of the host, name "") that is as the target says.

    What the plan leaves as it is stays remembered as it was. `found` is what the proof after a start
    said; None keeps what the last one said: nothing was started.
    """
    identities = _identities(effects, name, before)
    proof = before.proof if before is not None else Proof(())
    live = before.live if before is not None else NOT_LIVE
    spelled = dict.fromkeys(told_spellings(name, effects, before))
    if name in effects.live:
        live = _joined(live, effects.live[name])
        spelled |= dict.fromkeys(_keys(effects.said_live.get(name, ()), NORMALISED))
        proof = proof._replace(normalised=_newest(spelled))
    if found is not None:
        live = NOT_LIVE  # a new process has what the file says
        spelled |= dict.fromkeys(_keys(found, NORMALISED))
        proof = Proof(_keys(found, NOT_PROVEN), _newest(spelled))
    known = {} if before is None else before.resources
    resources = {i: r for i, r in known.items() if i in effects.left}
    whole = True
    for r in effects.resources(name):
        if r.source.startswith(FORMER):
            continue
        if r.id not in effects.left:
            resources[r.id] = _remember(r, effects, identities.get(r.id), proof)
        elif r.kind is not Kind.FILE or r.impact is Impact.RESTART:
            whole = False  # what runs is still what was declared before
    declared = effects.target.instances.get(name)
    if not whole:
        declared = None if before is None else before.declared
    started = _started(name, effects, before, has_started=found is not None)
    return AppliedRecord(name, as_remembered(declared), resources, proof, live, started)


def _started(
    name: str, effects: Effects, before: AppliedRecord | None, *, has_started: bool
) -> Started:
    """What the running process was started with.

    What is owed to one that goes on running is noted down, for its record says from now on what is on
    disk.
    """
    if has_started:
        process = effects.started.get(name, "")
        parts = [r for r in effects.resources(name) if is_part(r) and r.id not in effects.left]
        return Started(process, {r.id: r.digest for r in parts}) if process else NOT_STARTED
    known = before.started if before is not None else NOT_STARTED
    for debt in effects.debts.get(name, ()):
        if debt.started_with:
            parts_before = known.parts if known.process == debt.process else {}
            known = Started(debt.process, {**parts_before, debt.resource: debt.started_with})
    return known


def told_spellings(name: str, effects: Effects, before: AppliedRecord | None) -> tuple[str, ...]:
    """Keys of spellings that were told, and are known since; another release may spell otherwise."""
    declared = effects.target.instances.get(name)
    if before is None or before.declared is None or declared is None:
        return ()
    return before.proof.normalised if before.declared.release == declared.release else ()


def _newest(spelled: Iterable[str]) -> tuple[str, ...]:
    """Values come and go for years; what is forgotten here is told once more if it comes again."""
    return tuple(spelled)[-SPELLINGS:]


def _joined(before: Live, now: Live) -> Live:
    """What the same process was given earlier stays true of it, but for what it was given since."""
    if before.process != now.process:
        return now
    touched = now.values.keys() | now.refused.keys()
    kept, refused = (
        {name: digest for name, digest in old.items() if name not in touched}
        for old in (before.values, before.refused)
    )
    return Live(now.process, {**kept, **now.values}, {**refused, **now.refused})


def _keys(found: tuple[Unproven, ...], code: str) -> tuple[str, ...]:
    return tuple(entry.key for entry in found if entry.code == code)


def _identities(effects: Effects, name: str, before: AppliedRecord | None) -> dict[str, Identity]:
    """By resource id, identities under which release files have the content that is declared."""
    host = effects.host
    known: dict[str, Identity] = {}
    unknown: dict[str, tuple[Resource, Identity]] = {}
    for resource in effects.resources(name):
        identity = host.identity(resource.path) if resource.kind is Kind.ARTEFACT else None
        old = before.resources.get(resource.id) if before is not None else None
        if identity is None:
            continue
        if old is not None and old.stat == identity and old.digest == resource.digest:
            known[resource.id] = identity
        else:
            unknown[resource.id] = (resource, identity)
    if unknown:
        host.pause(SETTLE_S)
    for resource, identity in unknown.values():
        seen = host.look(resource.path)
        if seen.digest == resource.digest and host.identity(resource.path) == identity:
            known[resource.id] = identity
    return known


def retired_record(name: str, before: AppliedRecord | None) -> AppliedRecord:
    """What stays known of a removed instance: where its directory is, so that it is not taken for a stray."""
    return AppliedRecord(name, None if before is None else before.declared, {}, Proof(()))


def _remember(
    resource: Resource, effects: Effects, stat: Identity | None, proof: Proof
) -> AppliedResource:
    digest, fields = resource.digest, {}
    if resource.kind is Kind.SETTINGS:
        declared = effects.contents.fields(resource.instance)
        fields = {f.name: remembered(f) for f in declared}
        digest = _settings_digest(resource, effects, proof)
    return AppliedResource(
        str(resource.kind),
        resource.path,
        digest,
        resource.mode,
        resource.owner,
        resource.fields_digest,
        fields,
        stat,
    )


def _settings_digest(resource: Resource, effects: Effects, proof: Proof) -> Digest:
    """Digest of the whole pbx.xml, if every declared element in these very bytes is as declared.

    Not if the PBX has dropped one that it was given, which is to be said in every plan.
    """
    content = read_content(effects.host, resource.path)
    document = read_document(resource.path, content)
    for field in effects.contents.fields(resource.instance):
        element = document.get(field.name)
        opaque = element is not None and element.encrypted
        value = value_of(document, field.name)
        dropped = value is None and setting_key(field.name, None) in proof.unproven
        if dropped or must_change(field, value, opaque=opaque, known=True):
            return NOT_AS_DECLARED
    return digest_of(content)
