"""What may happen to a host between two looks, as data: for tables of cases and for properties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pbxfleet.core.paths import HostPath, join, parent
from pbxfleet.model.observed import SocketSeen, What
from pbxfleet.model.target import InstanceTarget
from pbxfleet.pbx.pbx_xml import PbxXmlError, edit
from support.machine import Machine

Event = Sequence[Any]


def happen(machine: Machine, instance: InstanceTarget, event: Event) -> None:
    """Let one event happen; `instance` is the one that events about an instance are about."""
    verb, *rest = event
    EVENTS[verb](machine, instance, *rest)


def _write(machine: Machine, instance: InstanceTarget, path: str, text: str) -> None:
    place = HostPath(path)
    if machine.look(place).what in (What.ABSENT, What.FILE, What.SYMLINK):
        machine.make_directory(parent(place), 0o755, "root:root")
        _by_hand(machine, place, text.encode())


def _by_hand(machine: Machine, path: HostPath, content: bytes) -> None:
    """People edit a pbx.xml under a running process: no accident of ours."""
    before = list(machine.accidents)
    mode = None if machine.look(path).what is What.FILE else 0o644
    machine.write(path, content, mode, "root:root")
    machine.accidents = before


def _mode(machine: Machine, instance: InstanceTarget, path: str, mode: str) -> None:
    seen = machine.look(HostPath(path))
    if seen.what is What.FILE:
        machine.set_attributes(HostPath(path), int(mode, 8), seen.owner)


def _owner(machine: Machine, instance: InstanceTarget, path: str, owner: str) -> None:
    seen = machine.look(HostPath(path))
    if seen.what is What.FILE:
        machine.set_attributes(HostPath(path), seen.mode, owner)


def _remove(machine: Machine, instance: InstanceTarget, path: str) -> None:
    if machine.look(HostPath(path)).what is not What.DIRECTORY:
        machine.remove(HostPath(path))


def _link(machine: Machine, instance: InstanceTarget, path: str, target: str) -> None:
    if machine.look(HostPath(path)).what is not What.DIRECTORY:
        machine.make_directory(parent(HostPath(path)), 0o755, "root:root")
        machine.make_link(HostPath(path), target)


def _directory(machine: Machine, instance: InstanceTarget, path: str) -> None:
    _remove(machine, instance, path)
    machine.make_directory(HostPath(path), 0o755, "root:root")


def _set(machine: Machine, instance: InstanceTarget, name: str, value: str | None) -> None:
    """The PBX changes an element; of a file that it cannot read it changes none."""

    def changed(content: bytes) -> bytes:
        try:
            return edit(content, {name: value})
        except PbxXmlError:
            return content

    machine.write_as_pbx(instance, changed)


def _foreign(machine: Machine, instance: InstanceTarget, old: str, new: str) -> None:
    """Other bytes of pbx.xml are replaced, as an editor or the PBX itself would."""

    def replace(content: bytes) -> bytes:
        assert old.encode() in content
        return content.replace(old.encode(), new.encode())

    machine.write_as_pbx(instance, replace)


def _settings(machine: Machine, instance: InstanceTarget, text: str) -> None:
    path = join(instance.directory, "pbx.xml")
    machine.make_directory(instance.directory, 0o755, "root:root")
    if machine.look(path).what in (What.ABSENT, What.FILE):
        _by_hand(machine, path, text.encode())


def _run(machine: Machine, instance: InstanceTarget) -> None:
    machine.run(instance)


def _second(machine: Machine, instance: InstanceTarget) -> None:
    """Another process in the same directory that found no port left, and runs on."""
    machine.run(instance, sockets=())


def _end(machine: Machine, instance: InstanceTarget) -> None:
    machine.kill(instance.executable)


def _cores(machine: Machine, instance: InstanceTarget, *cores: int) -> None:
    running = machine.processes[instance.executable]
    running[0] = running[0]._replace(cpus=cores)


def _listens(
    machine: Machine, instance: InstanceTarget, protocol: str, address: str, port: int
) -> None:
    """From now on every process opens this socket too, the one that runs as well."""
    socket = SocketSeen(protocol, address, port, None)
    machine.extra = (*machine.extra, socket)
    running = machine.processes.get(instance.executable, [])
    running[:] = [p._replace(sockets=(*p.sockets, socket)) for p in running]


def _stranger(
    machine: Machine, instance: InstanceTarget, protocol: str, address: str, port: int
) -> None:
    machine.foreign = (*machine.foreign, SocketSeen(protocol, address, port, 4711))


def _disable(machine: Machine, instance: InstanceTarget) -> None:
    machine.disable(instance)


def _lose(machine: Machine, instance: InstanceTarget, address: str) -> None:
    left = tuple(a for a in machine.host_facts.addresses if a != address)
    machine.host_facts = machine.host_facts._replace(addresses=left)


def _unreadable(machine: Machine, instance: InstanceTarget, reason: str) -> None:
    """We are not the superuser: of processes there is nothing to be seen."""
    machine.unreadable = reason
    machine.processes.clear()


def _below_a_folder(machine: Machine, instance: InstanceTarget) -> None:
    machine.processes.clear()
    machine.commands_services = False


EVENTS = {
    "write": _write,
    "mode": _mode,
    "owner": _owner,
    "remove": _remove,
    "link": _link,
    "directory": _directory,
    "set": _set,
    "replace": _foreign,
    "settings": _settings,
    "run by hand": _run,
    "second process": _second,
    "end": _end,
    "cores": _cores,
    "listens": _listens,
    "stranger": _stranger,
    "disable": _disable,
    "lose address": _lose,
    "unreadable": _unreadable,
    "below a folder": _below_a_folder,
}
