"""Declared = proven: differences between what runs and what was declared to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import RuntimeSeen, SocketSeen
from pbxfleet.model.plan import FieldDelta, Note, Status
from pbxfleet.model.runtime import RuntimeFacts, declared_facts, listener_name, observed_facts
from pbxfleet.model.target import InstanceTarget
from pbxfleet.plan.threeway import status_of


def runtime_deltas(
    instance: InstanceTarget, runtime: RuntimeSeen, record: AppliedRecord | None
) -> list[FieldDelta]:
    """How the running process tree differs from the declaration; empty when nothing runs.

    A difference that follows from a declaration which is not applied yet is pending, not drift.
    """
    if not runtime.trees:
        return []
    tree = runtime.trees[0]
    target = declared_facts(instance)
    observed = observed_facts(instance, tree)
    before = record.declared if record is not None else None
    applied = declared_facts(before) if before is not None else None
    deltas = [] if runtime.unreadable else _listeners(instance, target, observed, applied)
    cpu = status_of(
        target.cpu, observed.cpu, applied.cpu if applied else None, known=applied is not None
    )
    if cpu is not None:
        deltas.append(FieldDelta("cpu", observed.cpu, target.cpu, cpu, instance.origin))
    if tree.replaced:
        deltas.append(
            FieldDelta(
                "executable", "an older file", "the file on disk", Status.DRIFT, instance.origin
            )
        )
    if len(runtime.trees) > 1:
        mains = ", ".join(str(t.pids[0]) for t in runtime.trees)
        deltas.append(
            FieldDelta(
                "processes", f"{len(runtime.trees)} ({mains})", "1", Status.DRIFT, instance.origin
            )
        )
    return deltas


def _listeners(
    instance: InstanceTarget,
    target: RuntimeFacts,
    observed: RuntimeFacts,
    applied: RuntimeFacts | None,
) -> list[FieldDelta]:
    def shown(name: str, facts: RuntimeFacts | None) -> str | None:
        return "listening" if facts is not None and name in facts.listeners else None

    deltas = []
    for name in sorted(target.listeners ^ observed.listeners):
        status = status_of(
            shown(name, target),
            shown(name, observed),
            shown(name, applied),
            known=applied is not None,
        )
        if status is not None:
            deltas.append(
                FieldDelta(
                    name, shown(name, observed), shown(name, target), status, instance.origin
                )
            )
    return deltas


SocketIndex: TypeAlias = Mapping[tuple[str, int], list[SocketSeen]]


def socket_index(sockets: Iterable[SocketSeen]) -> SocketIndex:
    """Sockets by protocol and port, so that a host of a thousand instances is looked through once."""
    index: dict[tuple[str, int], list[SocketSeen]] = {}
    for socket in sockets:
        index.setdefault((socket.protocol, socket.port), []).append(socket)
    return index


def foreign_notes(instance: InstanceTarget, foreign: SocketIndex, *, running: bool) -> list[Note]:
    """Sockets of other programs that take, or share, a declared bind of this instance."""
    notes = []
    for expected in instance.listeners:
        for socket in foreign.get((expected.protocol, expected.port), ()):
            if not _covers(socket.address, expected.address):
                continue
            holder = f"process {socket.pid}" if socket.pid else "another process"
            held = listener_name(socket.protocol, socket.address, socket.port).removeprefix(
                "listener "
            )
            wanted = listener_name(*expected).removeprefix("listener ")
            notes.append(
                Note(
                    "PLN121",
                    "error" if expected.protocol == "tcp" and not running else "warning",
                    instance.name,
                    f"{holder} holds {held}, which takes {wanted} from {instance.name}",
                    "stop that process, or bind it to an address of its own",
                )
            )
    return notes


def _covers(holder: str, wanted: str) -> bool:
    """Whether a socket on `holder` also receives, or blocks, what is meant for `wanted`."""
    if holder in (wanted, "::"):  # an IPv6 wildcard is taken as dual-stack, the worse case
        return True
    return holder == "0.0.0.0" and ":" not in wanted  # noqa: S104
