"""Put together a plan: changes, notes, steps, and the basis by which apply knows that it is stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.model.applied import AppliedRecord, as_remembered, element_digest, encode_record
from pbxfleet.model.observed import Observed, RuntimeSeen, What
from pbxfleet.model.plan import Basis, Plan
from pbxfleet.model.runtime import declared_facts, differences, observed_facts
from pbxfleet.model.target import ONCE, Kind, Resource, Target
from pbxfleet.pbx.meaning import must_change
from pbxfleet.plan.diff import Difference, ReadFields, by_instance
from pbxfleet.plan.services import NOTHING_RUNS
from pbxfleet.plan.steps import make_steps
from pbxfleet.plan.waves import holdings

EMPTY_BASIS = Basis(Digest(""), {}, {})
SHORT = slice(7, 23)  # of a digest: 64 bits tell two states of one thing apart
AS_DECLARED = "as declared"


def make_plan(
    target: Target,
    observed: Observed,
    records: Mapping[str, AppliedRecord],
    difference: Difference,
    root: str,
) -> Plan:
    """The plan that settles `difference`. Empty when the host is as declared and the record says so."""
    steps = make_steps(target, difference.changes, holdings(records, observed.runtime))
    remembered = {s.wave for s in steps}
    outdated = tuple(n for n in outdated_records(target, records) if n not in remembered)
    return Plan(
        target.host,
        root,
        difference.changes,
        difference.notes,
        steps,
        outdated,
        EMPTY_BASIS,
        debts=difference.debts,
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
    declared = [
        name
        for name, resources in grouped.items()
        if name not in records
        or records[name].declared != as_remembered(target.instances.get(name))
        or _outdated(resources, records[name])
    ]
    gone = [name for name, r in sorted(records.items()) if r.resources and name not in grouped]
    return (*declared, *gone)


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
    compared = (resource.digest, resource.mode, resource.owner)
    return compared != (before.digest, before.mode, before.owner)


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
        runtime = observed.runtime.get(name, NOTHING_RUNS)
        state = f"{'' if service.enabled else 'not '}enabled"
        seen[f"service:{name}"] = f"{state}, {_runtime_text(target, name, runtime)}"
    applied = {name: digest_of(encode_record(record))[SHORT] for name, record in records.items()}
    return Basis(target.digest, seen, applied)


def _runtime_text(target: Target, name: str, runtime: RuntimeSeen) -> str:
    instance = target.instances.get(name)
    if not runtime.trees:
        return "not running"
    if instance is None:
        return "running"
    declared, observed = declared_facts(instance), observed_facts(instance, runtime)
    names = differences(declared, observed, sockets_known=not runtime.unreadable)
    if not names:
        return f"running {AS_DECLARED}"
    return "running with " + ", ".join(f"{n} {observed.get(n, 'absent')}" for n in names)


def _seen_text(
    resource_id: str, target: Target, observed: Observed, read_fields: ReadFields
) -> str:
    state = observed.seen[resource_id]
    if state.what is What.ABSENT:
        return str(state.what)
    resource = target.resources.get(resource_id)
    if resource is None or resource.kind is not Kind.SETTINGS or state.what is not What.FILE:
        owner = f" {state.owner}" if observed.owners_matter else ""
        digest = f" {state.digest[SHORT]}" if state.digest else ""
        return f"{state.what} {state.mode:04o}{owner}{digest}"
    if resource_id in observed.same_as_applied:
        return AS_DECLARED
    found = observed.settings[resource_id]
    other = [
        (f.name, element_digest(found.values.get(f.name)))
        for f in read_fields(resource.instance)
        if f.ownership not in ONCE
        and must_change(f, found.values.get(f.name), opaque=f.name in found.opaque, known=True)
    ]
    if not other and not found.problem:
        return AS_DECLARED
    return f"otherwise than declared {digest_of(repr((other, found.problem)).encode())[SHORT]}"


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


def stale(planned: Plan, now: Plan) -> tuple[str, ...]:
    """Why `planned` cannot be applied where `now` would be planned; empty if both are the same plan."""
    moved = what_moved(planned.basis, now.basis)
    if moved or planned.steps == now.steps:
        return moved
    if [w.instance for w in planned.waits] != [w.instance for w in now.waits]:
        return ("a maintenance window has opened or closed since the plan was made",)
    if (planned_all := any(s.wave for s in planned.steps)) != any(s.wave for s in now.steps):
        if planned_all:
            return ("the plan has steps of instances, and --host-only leaves them out",)
        return ("the plan is of the host's own files only: apply it with --host-only",)
    return ("the same host would now be given other steps; another version made the plan",)
