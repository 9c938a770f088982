"""Is this the machine that the target is meant for? Asked before anything else is looked at.

A typo in HOST, a terminal of another machine, a disk that was copied: each would stop what runs here
and put down what belongs elsewhere. What the machine says of itself is compared with what is declared
and with what the first apply has learned; the state folder of another host is never written.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import FOLDER, RECORDS, State
from pbxfleet.host.trust import distrusted
from pbxfleet.model.target import Target

RECORD_NAME = "machine"
FORMAT = 1
MACHINE_ID = HostPath("/etc/machine-id")
NOT_THIS_MACHINE = "PLN161"
NOT_AS_DECLARED = "PLN162"
OTHER_RECORDS = "PLN163"
UNSAFE_FOLDER = "PLN164"
THIS_HOST = "if this really is that machine, apply with --this-host once"


class Machine(NamedTuple):
    """What a machine says of itself: host name of the kernel, machine-id(5) or "", and addresses."""

    node: str
    machine_id: str
    addresses: tuple[str, ...]


class Known(NamedTuple):
    """What an earlier apply has learned: for which host of which fleet, on which machine."""

    fleet: str
    host: str
    node: str
    machine_id: str


def check_machine(target: Target, machine: LocalHost, state: State, *, this_host: bool) -> None:
    """Refused unless target, machine and state folder belong together.

    Below a root folder only the state folder is asked: name and addresses are not those of the image.
    `this_host` is the operator's word that it is the right machine.
    """
    check_folder(machine)
    known = _known(state)
    if this_host:
        return
    if known is not None and known.host != target.host:
        raise Refused(
            f"the state folder {FOLDER} is that of {known.host}, not of {target.host}",
            hint=f"look whether HOST and --root are what you mean; {THIS_HOST}",
            code=OTHER_RECORDS,
        )
    if machine.root.is_machine:
        check_facts(target, _machine(machine), known)


def is_of(machine: LocalHost, state: State, host: str) -> bool:
    """Whether the state folder can be believed and is that of this host; HostError, or Refused, if not."""
    check_folder(machine)
    known = _known(state)
    return known is not None and known.host == host


def check_facts(target: Target, machine: Machine, known: Known | None) -> None:
    """Refused if the machine is another one than declared or learned, or if nothing tells which it is."""
    _check_declared(target, machine)
    learned = "" if known is None or target.guards.machine_id else known.machine_id
    if known is not None and learned and machine.machine_id and learned != machine.machine_id:
        raise Refused(
            f"the state folder {FOLDER} comes from another machine ({known.node}): "
            "its machine id is not that of this one",
            hint=f"a copied or restored disk? Look what runs here; {THIS_HOST}",
            code=OTHER_RECORDS,
        )
    if not _is_told(target, machine, known):
        wanted = ", ".join(target.addresses[:4]) + (" ..." if len(target.addresses) > 4 else "")
        raise Refused(
            f"this machine is called {machine.node} and has none of the addresses of {target.host} "
            f"({wanted})",
            hint=f"look whether you are on the right machine; {THIS_HOST}, or declare node_name or "
            "machine_id in the host's file",
            code=NOT_THIS_MACHINE,
        )


def _check_declared(target: Target, machine: Machine) -> None:
    guards = target.guards
    told = (
        ("node_name", guards.node_name, machine.node, same_name(guards.node_name, machine.node)),
        (
            "machine_id",
            guards.machine_id,
            machine.machine_id,
            guards.machine_id == machine.machine_id,
        ),
    )
    for key, declared, found, is_same in told:
        if declared and not is_same:
            raise Refused(
                f"{target.host} is declared with {key} {declared}, this machine has {found or 'none'}",
                hint="this is another machine, or the host's file is to be brought up to date",
                code=NOT_AS_DECLARED,
            )


def _is_told(target: Target, machine: Machine, known: Known | None) -> bool:
    """Whether anything speaks for this machine. Loopback addresses are everywhere, so they are left out."""
    if target.guards.node_name or target.guards.machine_id:
        return True  # compared already
    if same_name(target.host, machine.node):
        return True
    if known is not None and (known.node, known.machine_id) == (machine.node, machine.machine_id):
        return True
    telling = [a for a in target.addresses if not a.startswith("127.") and a != "::1"]
    return not telling or any(address in machine.addresses for address in telling)


def same_name(one: str, other: str) -> bool:
    """Whether two names can be of one machine: with or without a domain, in any case."""
    first, second = one.lower(), other.lower()
    if "." in first and "." in second:
        return first == second
    return first.partition(".")[0] == second.partition(".")[0]


def learn(target: Target, machine: LocalHost, state: State) -> None:
    """Remember which host this is; nothing is written if that is known already."""
    said = _machine(machine) if machine.root.is_machine else Machine("", "", ())
    known = Known(target.fleet, target.host, said.node, said.machine_id)
    data = {"format": FORMAT, **known._asdict()}
    state.write_record(RECORD_NAME, (json.dumps(data, sort_keys=True) + "\n").encode())


def _machine(machine: LocalHost) -> Machine:
    facts = machine.facts()
    try:
        content = machine.read(MACHINE_ID) or b""
    except HostError:
        content = b""
    return Machine(facts.node, content.decode("ascii", "replace").strip(), facts.addresses)


def _known(state: State) -> Known | None:
    content = state.read_record(RECORD_NAME)
    if content is None:
        return None
    try:
        data = json.loads(content)
        return Known(*(str(data[key]) for key in Known._fields))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(
            f"the record {RECORD_NAME} in {FOLDER} is damaged: {error}",
            hint="move it away; the next apply learns anew which machine this is",
            code="PLN108",
        ) from error


def check_folder(machine: LocalHost) -> None:
    """What is remembered decides what is stopped and removed: nobody else may be able to write it."""
    for folder in (FOLDER, RECORDS):
        why = distrusted(machine.root, folder, directory=True)
        if why:
            raise Refused(
                f"{folder} {why}, so what is remembered there cannot be believed",
                hint=f"find out who did that; then chown -R root:root {FOLDER} && chmod -R go-rwx {FOLDER}",
                code=UNSAFE_FOLDER,
            )
