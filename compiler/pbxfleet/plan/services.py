"""Differences of services: enabled, running, and proven to run as declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.debt import RestartDebt, owed_text
from pbxfleet.model.observed import HostFacts, Observed, RuntimeSeen
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.target import Impact, InstanceTarget, Kind, Resource
from pbxfleet.plan.debt import debt_deltas
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
    debts: Sequence[RestartDebt] = (),
) -> tuple[Change | None, list[Note]]:
    """The change of one instance's service, given the changes of its files.

    A running instance is restarted when a file needs it, when it was started with other files than are
    on disk (`debts`), or when what runs is not what was declared and our own last start did not already
    show the same.
    """
    runtime = observed.runtime.get(instance.name, NOTHING_RUNS)
    known = record is not None and resource.id in record.resources
    status = Status.DRIFT if known else Status.PENDING
    deltas: list[FieldDelta] = []
    if not observed.services[instance.name].enabled:
        deltas.append(FieldDelta("enabled", "no", "yes", status, instance.origin))
    notes = _unreadable_notes(resource, instance, runtime)
    verb, impact, reason = Verb.ENABLE, Impact.NONE, "not enabled"
    if not observed.runs_services or (runtime.unreadable and not runtime.trees):
        return _change(resource, deltas, verb, impact, reason), notes
    fresh, stuck = runtime_deltas(instance, runtime, record)
    notes += stuck_notes(instance.name, resource.id, stuck)
    deltas += fresh
    needs = [c for c in others if c.impact is Impact.RESTART]
    if not runtime.trees:
        deltas.append(FieldDelta("running", "stopped", "running", status, instance.origin))
        verb, reason = Verb.START, "not running"
    elif needs or fresh or debts:
        verb, impact, reason = Verb.RESTART, Impact.RESTART, _why_restart(needs, fresh, debts)
        deltas += debt_deltas(debts, instance.origin)
        if not deltas:
            status = joined([c.status for c in needs])
            deltas.append(FieldDelta("process", "running", "restarted", status, ""))
    starts = verb is not Verb.ENABLE
    notes += _address_notes(resource, instance, observed.facts, starts=starts)
    notes += foreign_notes(instance, runtime, foreign, starts=starts)
    return _change(resource, deltas, verb, impact, reason), notes


def _why_restart(needs: list[Change], fresh: list[FieldDelta], debts: Sequence[RestartDebt]) -> str:
    if debts:
        return owed_text(debts)
    if needs:
        return "needed by " + ", ".join(dict.fromkeys(c.path.rsplit("/", 1)[-1] for c in needs))
    drifted = [d.name for d in fresh if d.status is not Status.PENDING]
    return "runs otherwise than declared: " + ", ".join(drifted or [d.name for d in fresh])


def diff_removed(record: AppliedRecord, observed: Observed) -> tuple[Change | None, list[Note]]:
    """An instance that was applied and is no longer declared; a retired one that runs again is a note.

    A retired instance whose directory has another owner now is not observed at all, and nothing is
    said of it.
    """
    declared = record.declared
    if declared is None:
        return None, []
    resource_id = f"{Kind.SERVICE}:{declared.service}"
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
            resource_id,
            "processes of a retired instance",
            "0",
            str(len(observed.runtime[record.instance].trees)),
        )
        return None, [note]
    before = "running" if running else "stopped"
    deltas = [FieldDelta("running", before, None, Status.PENDING, "")]
    if observed.services[record.instance].enabled:
        deltas.append(FieldDelta("enabled", "yes", None, Status.PENDING, ""))
    change = Change(
        resource_id,
        Kind.SERVICE,
        record.instance,
        declared.directory,
        Status.PENDING,
        Verb.REMOVE,
        Impact.RESTART if running else Impact.NONE,
        "no longer declared",
        tuple(deltas),
        (),
    )
    return change, []


def _change(
    resource: Resource, deltas: list[FieldDelta], verb: Verb, impact: Impact, reason: str
) -> Change | None:
    if not deltas:
        return None
    return Change(
        resource.id,
        resource.kind,
        resource.instance,
        resource.path,
        joined([d.status for d in deltas]),
        verb,
        impact,
        reason,
        tuple(deltas),
        resource.origin,
    )


def _address_notes(
    resource: Resource, instance: InstanceTarget, facts: HostFacts | None, *, starts: bool
) -> list[Note]:
    """An error where a start would fail; who runs already has lost the address under its feet."""
    present = () if facts is None else facts.addresses
    return [
        Note(
            "PLN114",
            "error" if starts else "warning",
            instance.name,
            f"this machine does not have the address {address}",
            "configure the address on the host first; a start without it would be an outage",
            resource.id,
            f"address {address}",
            "present",
        )
        for address in instance.addresses
        # Linux routes the whole of 127/8 to the loopback interface without listing the addresses.
        if facts is not None and address not in present and not address.startswith("127.")
    ]


def _unreadable_notes(
    resource: Resource, instance: InstanceTarget, runtime: RuntimeSeen
) -> list[Note]:
    """Where not even a process could be recognised, nothing can be applied: it may well run."""
    if not runtime.unreadable:
        return []
    return [
        Note(
            "PLN123",
            "warning" if runtime.trees else "error",
            instance.name,
            f"what runs cannot be proven: {runtime.unreadable}",
            "run pbxfleet as the user that runs the instances",
            resource.id,
        )
    ]
