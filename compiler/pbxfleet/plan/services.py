"""Differences of services: enabled, running, and proven to run as declared."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.model.applied import AppliedRecord, Proof
from pbxfleet.model.observed import HostFacts, Observed, RuntimeSeen
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.runtime import unproven_key
from pbxfleet.model.target import IMPACT_ORDER, Impact, InstanceTarget, Kind, Resource
from pbxfleet.plan.notes import stuck_notes
from pbxfleet.plan.runtime import SocketIndex, foreign_notes, runtime_deltas
from pbxfleet.plan.threeway import joined

NOTHING_RUNS = RuntimeSeen((), "")


def diff_service(
    resource: Resource,
    instance: InstanceTarget,
    observed: Observed,
    record: AppliedRecord | None,
    others: Iterable[Change],
    foreign: SocketIndex,
) -> tuple[Change | None, list[Note]]:
    """The change of one instance's service, given the changes of its files.

    A running instance is restarted when a file needs it, or when what runs is not what was declared
    and our own last start did not already show the same.
    """
    seen = observed.services[instance.name]
    runtime = observed.runtime.get(instance.name, NOTHING_RUNS)
    known = record is not None and resource.id in record.resources
    status = Status.DRIFT if known else Status.PENDING
    deltas: list[FieldDelta] = []
    if not seen.enabled:
        deltas.append(FieldDelta("enabled", "no", "yes", status, instance.origin))
    notes: list[Note] = []
    if not observed.runs_services:
        return _change(resource, deltas, Verb.ENABLE, Impact.NONE, "not enabled"), notes
    needs = [c for c in others if c.impact is Impact.RESTART]
    if not runtime.trees:
        deltas.append(FieldDelta("running", "stopped", "running", status, instance.origin))
        verb, impact, reason = Verb.START, Impact.NONE, "not running"
        notes += _address_notes(instance, observed.facts)
    else:
        proof = record.proof if record is not None else Proof(())
        fresh, stuck = _split(runtime_deltas(instance, runtime, record), proof)
        deltas += fresh
        notes += stuck_notes(instance.name, stuck) + _unreadable_notes(instance, runtime)
        verb, impact, reason = _restart(fresh, needs)
        if verb is Verb.RESTART:
            notes += _address_notes(instance, observed.facts)
    notes += foreign_notes(instance, foreign, running=bool(runtime.trees))
    if verb is Verb.RESTART and not deltas:
        deltas = [
            FieldDelta("process", "running", "restarted", joined([c.status for c in needs]), "")
        ]
    return _change(resource, deltas, verb, impact, reason), notes


def diff_removed(record: AppliedRecord, observed: Observed) -> tuple[Change | None, list[Note]]:
    """An instance that was applied and is no longer declared; a retired one that runs again is a note."""
    declared = record.declared
    if declared is None:
        return None, []
    running = bool(observed.runtime.get(record.instance, NOTHING_RUNS).trees)
    if not record.resources:
        if not running:
            return None, []
        note = Note(
            "PLN122",
            "warning",
            record.instance,
            f"{declared.directory} is retired, but a process runs in it",
            "stop it by hand, or declare the instance again",
        )
        return None, [note]
    status = Status.PENDING
    before = "running" if running else "stopped"
    delta = FieldDelta("running", before, None, status, "")
    reason = f"no longer declared; {declared.directory} and the data in it are kept"
    change = Change(
        f"service:{declared.service}",
        Kind.SERVICE,
        record.instance,
        declared.directory,
        status,
        Verb.REMOVE,
        Impact.RESTART if running else Impact.NONE,
        reason,
        (delta,),
        (),
    )
    return change, []


def _split(deltas: list[FieldDelta], proof: Proof) -> tuple[list[FieldDelta], list[FieldDelta]]:
    """Differences that a restart may mend, and those that were there after our own last start."""
    known = set(proof.unproven)
    stuck = [
        d for d in deltas if d.status is Status.DRIFT and unproven_key(d.name, d.before) in known
    ]
    return [d for d in deltas if d not in stuck], stuck


def _restart(fresh: list[FieldDelta], needs: list[Change]) -> tuple[Verb, Impact, str]:
    drifted = [d.name for d in fresh if d.status is not Status.PENDING]
    if needs:
        what = ", ".join(dict.fromkeys(c.path.rsplit("/", 1)[-1] for c in needs))
        return Verb.RESTART, Impact.RESTART, f"needed by {what}"
    if fresh:
        return (
            Verb.RESTART,
            Impact.RESTART,
            "runs otherwise than declared: " + ", ".join(drifted or [d.name for d in fresh]),
        )
    return Verb.ENABLE, Impact.NONE, "not enabled"


def _change(
    resource: Resource, deltas: list[FieldDelta], verb: Verb, impact: Impact, reason: str
) -> Change | None:
    if not deltas:
        return None
    worst = max(impact, Impact.NONE, key=IMPACT_ORDER.index)
    return Change(
        resource.id,
        resource.kind,
        resource.instance,
        resource.path,
        joined([d.status for d in deltas]),
        verb,
        worst,
        reason,
        tuple(deltas),
        resource.origin,
    )


def _address_notes(instance: InstanceTarget, facts: HostFacts | None) -> list[Note]:
    if facts is None:
        return []
    present = set(facts.addresses)
    return [
        Note(
            "PLN114",
            "error",
            instance.name,
            f"this machine does not have the address {address}",
            "configure the address on the host first; a start without it would be an outage",
        )
        for address in instance.addresses
        # Linux routes the whole of 127/8 to the loopback interface without listing the addresses.
        if address not in present and not address.startswith("127.")
    ]


def _unreadable_notes(instance: InstanceTarget, runtime: RuntimeSeen) -> list[Note]:
    if not runtime.unreadable:
        return []
    return [
        Note(
            "PLN123",
            "warning",
            instance.name,
            f"what runs cannot be proven: {runtime.unreadable}",
            "run pbxfleet as the user that runs the instances",
        )
    ]
