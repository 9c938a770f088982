"""Directories, service definitions and pieces of them that concern instances and are declared nowhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, is_aside, join, parent
from pbxfleet.host.base import HostView
from pbxfleet.model.observed import Stray, What
from pbxfleet.model.target import InstanceTarget
from pbxfleet.model.timers import TIMERS

UNIT_FOLDERS = {"systemd": HostPath("/etc/systemd/system"), "sysv": HostPath("/etc/init.d")}
# Where systemd looks for pieces of units beside the vendor's folders (systemd.unit(5)): `systemctl edit`
# and `systemctl set-property` write there, each for good or until the next boot.
PIECES = (
    UNIT_FOLDERS["systemd"],
    HostPath("/etc/systemd/system.control"),
    HostPath("/run/systemd/system"),
    HostPath("/run/systemd/system.control"),
)
INSTANCE_MARKS = ("pbx.xml", "pbxctrl")


def find_strays(
    view: HostView,
    services: str,
    files: Collection[str],
    instances: Sequence[InstanceTarget],
) -> tuple[Stray, ...]:
    """Undeclared instances beside the declared ones, in order of their paths; never touched.

    A directory that was moved aside is none: it says so itself.

    `files` are the paths of our own files, units and init scripts among them.
    """
    return (
        *_directories(view, instances),
        *_units(view, services, files),
        *_drop_ins(view, services, files, instances),
    )


def _directories(view: HostView, instances: Sequence[InstanceTarget]) -> list[Stray]:
    declared = {i.directory for i in instances}
    found = []
    for folder in sorted({parent(directory) for directory in declared}):
        for name in _names(view, folder):
            path = join(folder, name)
            if path in declared or is_aside(name):
                continue
            mark = next((m for m in INSTANCE_MARKS if _is_file(view, join(path, m))), None)
            if mark is not None:
                found.append(Stray(path, f"holds {mark} and is not declared"))
    return found


def _units(view: HostView, services: str, files: Collection[str]) -> list[Stray]:
    folder = UNIT_FOLDERS.get(services)
    if folder is None:
        return []
    found = []
    for name in _names(view, folder):
        path = join(folder, name)
        if "pbx" in name and path not in files and b"pbxctrl" in _content(view, path):
            found.append(Stray(path, "starts pbxctrl and is not declared"))
    return found


def _drop_ins(
    view: HostView, services: str, files: Collection[str], instances: Sequence[InstanceTarget]
) -> list[Stray]:
    """Pieces of units that somebody else has put beside ours: what they say holds for the instance.

    `pbx-acme.service.d`, and `pbx-.service.d` for all whose name begins so (systemd.unit(5)). What is said
    of every service of the machine (`service.d`) is the machine's own.
    """
    if services != "systemd":
        return []
    changes = {f"{i.service}.service.d": f"changes {i.service}" for i in instances}
    for unit in (t for timer in TIMERS for t in (timer, f"{timer.removesuffix('.timer')}.service")):
        if join(UNIT_FOLDERS[services], unit) in files:
            changes[f"{unit}.d"] = f"changes {unit}"
    found = []
    for folder in PIECES:
        there = frozenset(_names(view, folder))
        every = {"pbx-.service.d": "changes every instance"} if instances else {}
        for name, what in sorted({**changes, **every}.items()):
            for piece in _names(view, join(folder, name)) if name in there else ():
                path = join(folder, name, piece)
                if piece.endswith(".conf") and path not in files:
                    found.append(Stray(path, f"{what} and is not declared"))
    return found


def _names(view: HostView, folder: HostPath) -> tuple[str, ...]:
    try:
        return view.names(folder)
    except HostError:
        return ()  # a folder nobody may list holds nothing that we could report


def _is_file(view: HostView, path: HostPath) -> bool:
    try:
        return view.identity(path) is not None
    except HostError:
        return False


def _content(view: HostView, path: HostPath) -> bytes:
    try:
        if view.look(path).what is not What.FILE:
            return b""
        return view.read(path) or b""
    except HostError:
        return b""
