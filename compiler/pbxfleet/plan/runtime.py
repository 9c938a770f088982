"""Declared = proven: differences between what runs and what was declared to run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import RuntimeSeen, SocketSeen
from pbxfleet.model.plan import FieldDelta, Note, Status
from pbxfleet.model.runtime import (
    CPU,
    FIRST_EPHEMERAL_PORT,
    LISTENER,
    declared_facts,
    differences,
    listener_name,
    observed_facts,
    unproven_key,
)
from pbxfleet.model.target import InstanceTarget
from pbxfleet.plan.threeway import status_of

ON_MANAGED = "PLN175"
FOREIGN = "foreign "


class RuntimeDeltas(NamedTuple):
    """Differences that a restart may mend, and those that were there after our own last start."""

    fresh: list[FieldDelta]
    stuck: list[FieldDelta]


def runtime_deltas(
    instance: InstanceTarget, runtime: RuntimeSeen, record: AppliedRecord | None
) -> RuntimeDeltas:
    """How the running process tree differs from the declaration; nothing when nothing runs.

    A difference that follows from a declaration which is not applied yet is pending, not drift.
    """
    found = RuntimeDeltas([], [])
    if not runtime.trees:
        return found
    target = declared_facts(instance)
    observed = observed_facts(instance, runtime)
    before = record.declared if record is not None else None
    applied = declared_facts(before) if before is not None else {}
    unproven: Collection[str] = record.proof.unproven if record is not None else ()
    for name in differences(target, observed, sockets_known=not runtime.unreadable):
        declared, seen = target.get(name), observed.get(name)
        status = status_of(declared, seen, applied.get(name), known=before is not None)
        if status is None or (name == CPU and CPU not in applied and before is not None):
            # Cores were nobody's business before they were declared: they cannot have drifted.
            status = Status.PENDING
        shown = _with_numbers(runtime) if name == "processes" else seen
        delta = FieldDelta(name, shown, declared, status, instance.origin)
        is_stuck = status is Status.DRIFT and unproven_key(name, seen) in unproven
        (found.stuck if is_stuck else found.fresh).append(delta)
    return found


def _with_numbers(runtime: RuntimeSeen) -> str:
    numbers = ", ".join(str(tree.pids[0]) for tree in runtime.trees)
    return f"{len(runtime.trees)} ({numbers})"


SocketIndex: TypeAlias = Mapping[tuple[str, int], list[SocketSeen]]


def socket_index(sockets: Iterable[SocketSeen]) -> SocketIndex:
    """Sockets by protocol and port, so that a host of a thousand instances is looked through once."""
    index: dict[tuple[str, int], list[SocketSeen]] = {}
    for socket in sockets:
        index.setdefault((socket.protocol, socket.port), []).append(socket)
    return index


def foreign_notes(
    instance: InstanceTarget, runtime: RuntimeSeen, foreign: SocketIndex, *, starts: bool
) -> list[Note]:
    """Sockets of other programs that take, or share, a declared bind of this instance.

    An error where a start would fail: `starts` tells whether the plan (re)starts the instance.
    """
    held = {socket[:3] for tree in runtime.trees for socket in tree.sockets}
    notes = []
    for expected in instance.listeners:
        protocols = ("tcp", "udp") if expected.protocol == "any" else (expected.protocol,)
        for protocol in protocols:
            for socket in foreign.get((protocol, expected.port), ()):
                if covers(socket.address, expected.address):
                    own = (protocol, expected.address, expected.port) in held
                    blocks = starts and protocol == "tcp" and not own
                    name = listener_name(*expected.bind)
                    notes.append(_foreign_note(instance, socket, name, blocks=blocks))
    return notes


def _foreign_note(
    instance: InstanceTarget, socket: SocketSeen, wanted: str, *, blocks: bool
) -> Note:
    holder = f"process {socket.pid}" if socket.pid else "another process"
    held = listener_name(*socket[:3]).removeprefix(LISTENER)
    return Note(
        "PLN121",
        "error" if blocks else "warning",
        instance.name,
        f"{holder} holds {held}, which takes {wanted.removeprefix(LISTENER)} from {instance.name}",
        "stop that process, or bind it to an address of its own",
        f"service:{instance.service}",
        f"{FOREIGN}{held}",
        "",
        f"held by another program ({holder})",
    )


def strangers(
    instances: Iterable[InstanceTarget], foreign: Iterable[SocketSeen], said: Iterable[Note]
) -> list[Note]:
    """PLN175: sockets of other programs on addresses of instances, but for those that are `said` of.

    A UDP socket on a port of the kernel's own choice is a question under way, and no listener.
    """
    owners = {address: instance for instance in instances for address in instance.addresses}
    known = {note.name for note in said if note.name.startswith(FOREIGN)}
    notes = []
    for socket in foreign:
        instance = owners.get(socket.address)
        held = listener_name(*socket[:3]).removeprefix(LISTENER)
        asks = socket.protocol == "udp" and socket.port >= FIRST_EPHEMERAL_PORT
        if instance is None or asks or f"{FOREIGN}{held}" in known:
            continue
        holder = f"process {socket.pid}" if socket.pid else "another process"
        notes.append(
            Note(
                ON_MANAGED,
                "warning",
                instance.name,
                f"{holder} holds {held}, on an address of {instance.name}",
                "bind it to another address",
                f"service:{instance.service}",
                f"{FOREIGN}{held}",
                "",
                f"held by another program ({holder})",
            )
        )
    return notes


def covers(holder: str, wanted: str) -> bool:
    """Whether a socket on `holder` also receives, or blocks, what is meant for `wanted`."""
    if holder in (wanted, "::"):  # an IPv6 wildcard is taken as dual-stack, the worse case
        return True
    return holder == "0.0.0.0" and ":" not in wanted  # noqa: S104
