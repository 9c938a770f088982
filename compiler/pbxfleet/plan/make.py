"""Put together a plan: changes, notes, steps, and the basis by which apply knows that it is stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.model.applied import AppliedRecord, as_remembered, element_digest
from pbxfleet.model.observed import Observed, RuntimeSeen, What
from pbxfleet.model.plan import Basis, Plan
from pbxfleet.model.runtime import declared_facts, observed_facts
from pbxfleet.model.target import SEEDED, Kind, Resource, Target
from pbxfleet.plan.diff import Difference, ReadFields, by_instance
from pbxfleet.plan.steps import make_steps

EMPTY_BASIS = Basis(Digest(""), {}, {})


def make_plan(
    target: Target,
    observed: Observed,
    records: Mapping[str, AppliedRecord],
    difference: Difference,
    root: str,
) -> Plan:
    """The plan that settles `difference`. Empty when the host is as declared and the record says so."""
    steps = make_steps(target, difference.changes, records)
    changed = {c.instance for c in difference.changes}
    outdated = tuple(name for name in outdated_records(target, records) if name not in changed)
    return Plan(
        target.host, root, difference.changes, difference.notes, steps, outdated, EMPTY_BASIS
    )


def empty_plan(host: str, root: str) -> Plan:
    """The plan of a host on which there is nothing to do."""
    return Plan(host, root, (), (), (), (), EMPTY_BASIS)


def outdated_records(target: Target, records: Mapping[str, AppliedRecord]) -> tuple[str, ...]:
    """Instances whose record does not say what the target says, though nothing may have to change.

    A pbx.xml that the PBX rewrote without touching what is declared does not count: a second apply
    must write nothing, not even a record.
    """
    grouped = by_instance(target)
    return tuple(
        name
        for name, resources in grouped.items()
        if name not in records
        or records[name].declared != as_remembered(target.instances.get(name))
        or _outdated(resources, records[name])
    )


def _outdated(resources: Sequence[Resource], record: AppliedRecord) -> bool:
    if len(resources) != len(record.resources):
        return True
    return any(r.id not in record.resources or _differs(r, record) for r in resources)


def _differs(resource: Resource, record: AppliedRecord) -> bool:
    before = record.resources[resource.id]
    if resource.kind is Kind.SETTINGS:
        return resource.fields_digest != before.fields_digest
    if resource.kind is Kind.DIRECTORY:
        return False
    return resource.digest != before.digest or resource.mode != before.mode


def make_basis(
    target: Target,
    observed: Observed,
    records: Mapping[str, AppliedRecord],
    read_fields: ReadFields,
) -> Basis:
    """Short digests of everything the plan rests on, by resource id and instance name.

    Of a pbx.xml only the owned elements count: the PBX may rewrite the rest between plan and apply.
    """
    seen = {
        resource_id: _seen_text(resource_id, target, observed, read_fields)
        for resource_id in observed.seen
    }
    for name, service in observed.services.items():
        runtime = observed.runtime.get(name, RuntimeSeen((), ""))
        facts = ""
        instance = target.instances.get(name)
        if instance is not None and runtime.trees:
            facts = _facts_text(
                observed_facts(instance, runtime.trees[0]), declared_facts(instance)
            )
        running = len(runtime.trees) if observed.runs_services else 0
        seen[f"service:{name}"] = f"enabled={service.enabled} trees={running} {facts}".strip()
    applied = {name: digest_of(repr(record).encode())[7:23] for name, record in records.items()}
    return Basis(target.digest, seen, applied)


def _facts_text(observed: object, declared: object) -> str:
    return "as declared" if observed == declared else digest_of(repr(observed).encode())[7:23]


def _seen_text(
    resource_id: str, target: Target, observed: Observed, read_fields: ReadFields
) -> str:
    state = observed.seen[resource_id]
    resource = target.resources.get(resource_id)
    if resource is None or resource.kind is not Kind.SETTINGS or state.what is not What.FILE:
        digest = (state.digest or "")[7:23]
        return f"{state.what} {state.mode:04o} {digest}".strip()
    if resource_id in observed.same_as_applied:
        return "as declared"
    found = observed.settings[resource_id]
    pairs = [
        (f.name, element_digest(f.value), element_digest(found.values.get(f.name)))
        for f in read_fields(resource.instance)
        if f.ownership != SEEDED and f.secret is None and f.name not in found.opaque
    ]
    other = [(name, seen) for name, wanted, seen in pairs if wanted != seen]
    if not other and not found.problem:
        return "as declared"
    return digest_of(repr((other, found.problem)).encode())[7:23]


def what_moved(planned: Basis, now: Basis) -> tuple[str, ...]:
    """Sentences naming everything that is no longer as it was when the plan was made; empty if nothing."""
    moved = []
    if planned.target != now.target:
        moved.append("the compiled target of the host was changed")
    for key in sorted({*planned.observed, *now.observed}):
        before, after = planned.observed.get(key, "nothing"), now.observed.get(key, "nothing")
        if before != after:
            moved.append(f"{key} was {before}, is {after}")
    for name in sorted({*planned.applied, *now.applied}):
        if planned.applied.get(name) != now.applied.get(name):
            moved.append(f"another apply has changed {name or 'the host'} in the meantime")
    return tuple(moved)
