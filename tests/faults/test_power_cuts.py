"""A power cut after every operation of an apply, with everything lost that was not synced.

The operations are those of the real `Files` on a real folder; every disk that a cut may leave is tried.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from pbxfleet.apply.undo import undo_entries
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.fake import FakeProcess
from pbxfleet.host.state import FOLDER, JOURNAL, StateView
from pbxfleet.host.temporary import is_temporary, ours_beside
from pbxfleet.model.journal import decode_run
from pbxfleet.model.plan import Do
from pbxfleet.model.target import InstanceTarget
from support import upheaval
from support.disk_machine import in_memory, on_disk
from support.machine import Machine, apply_to, memory_of, settle
from support.power import Cut, Disk, Op, Tape, Tree, cuts
from support.sampling import chosen, seed
from support.targets import UNITS, Fleet, Wish, fleet, release_file
from support.worlds import foreign_text

Enabled = frozenset[str]
SAMPLE = 60  # disks of each scene; PBXFLEET_FAULTS=all tries every one


def is_beside(path: str) -> bool:
    """Whether it is a file that was made ready beside its place: swept, or looked into, by the next run."""
    name = path.rpartition("/")[2]
    return is_temporary(name) or ours_beside(name) is not None


class Scene(NamedTuple):
    """An apply that was watched: every operation, and what starts with the machine after it."""

    before: Fleet
    after: Fleet
    start: Machine
    first: Tree
    ops: list[Op]
    begun: int
    enabled: list[Enabled]

    def enabled_around(self, done: int) -> set[Enabled]:
        """What may start with the machine if the power goes after `done` operations."""
        return {
            self.enabled[done - self.begun],
            self.enabled[min(done + 1, len(self.ops)) - self.begun],
        }


def watched(folder: Path, start: Machine, before: Fleet, after: Fleet) -> Scene:
    """Apply `after` to a copy of a machine on real files."""
    disk = on_disk(start, folder / "host")
    tape = Tape(disk.folder)
    first = tape.disk.tree()
    enabled: list[Enabled] = [frozenset(disk.enabled)]
    note = tape.note

    def noted(op: Op) -> None:
        note(op)
        enabled.append(frozenset(disk.enabled))

    tape.note = noted  # type: ignore[method-assign]
    with tape.running():
        report = apply_to(after, disk)
    assert not report.failure, report.failure
    assert disk.accidents == []
    return Scene(before, after, start, first, tape.ops, tape.begun, enabled)


def upheaved(folder: Path) -> Scene:
    start = upheaval.disturbed()
    return watched(folder, start, upheaval.before(), upheaval.after())


def first_apply(folder: Path) -> Scene:
    """Nothing was applied; one directory is there already, with somebody's pbx.xml."""
    wishes = (
        Wish("alpha", "192.0.2.10"),
        Wish("beta", "192.0.2.11", cpu=1),
        Wish("gamma", "192.0.2.12"),
    )
    start = Machine("sysv")
    start.make_directory(HostPath("/srv/pbx-beta"), 0o755, "root:root")
    theirs = (
        b"<c>\n\t<!-- mine -->\n\t<mode>theirs</mode>\n\t<ip_http_port>80</ip_http_port>\n</c>\n"
    )
    start.write(HostPath("/srv/pbx-beta/pbx.xml"), theirs, 0o600, "root:root")
    return watched(folder, start, fleet(services="sysv"), fleet(*wishes, services="sysv"))


def upgrade(folder: Path) -> Scene:
    """Three instances get the other release, one after the other, and a setting each."""
    before, after = (
        fleet(
            *(
                Wish(name, f"192.0.2.1{n}", release=release, settings={"mode": mode})
                for n, name in enumerate(("alpha", "beta", "gamma"))
            ),
            services="systemd",
        )
        for release, mode in (("1", "a"), ("2", "b"))
    )
    start = Machine("systemd")
    assert not apply_to(before, start).failure
    return watched(folder, start, before, after)


SCENES = {"upheaval": upheaved, "first apply": first_apply, "upgrade": upgrade}


@pytest.mark.parametrize("name", SCENES)
def test_whatever_is_left_is_whole_and_the_next_run_converges(name: str, tmp_path: Path) -> None:
    scene = SCENES[name](tmp_path)
    wrong = []
    whole, gone = contents(scene), removed(scene)
    for fault in chosen(all_left(scene, whole, gone), SAMPLE, name):
        for boots in (False, True) if fault.enabled else (False,):
            for then in (undone, converges):
                try:
                    machine = comes_up(scene, fault, boots=boots)
                    then(scene, machine)
                except (AssertionError, HostError) as error:
                    place = f"{scene.ops[fault.cut.done - 1]}, {fault.cut}, {boots=}"
                    wrong.append(f"{place}, {then.__name__}: {error}"[:2000])
    assert not wrong, f"seed {seed()}:\n" + "\n".join(wrong)


class Left(NamedTuple):
    """What one power cut leaves: a disk that no other one leaves, and what starts with the machine."""

    cut: Cut
    enabled: Enabled


def all_left(scene: Scene, whole: dict[str, set[bytes]], gone: set[str]) -> list[Left]:
    """Every disk that a power cut may leave, once; nothing on any of them is half-written."""
    known: dict[tuple[int, Enabled], Left] = {}
    for done in range(scene.begun, len(scene.ops) + 1):
        for cut in cuts(scene.ops, done):
            tree = cut.tree(scene.ops)
            for enabled in scene.enabled_around(done):
                key = (hash(tuple(tree.items())), enabled)
                if key not in known:
                    nothing_half(scene, tree, whole, gone)
                    known[key] = Left(cut, enabled)
    assert len(known) > 100
    return list(known.values())


def nothing_half(scene: Scene, tree: Tree, whole: dict[str, set[bytes]], gone: set[str]) -> None:
    """Under every name is what was there, or what was put there as a whole."""
    for path, (kind, _, content) in tree.items():
        if kind != "file" or path == JOURNAL or is_beside(path):
            continue
        assert content in whole.get(path, ()), f"{path} is half-written: {content!r}"
    for path, (kind, _, content) in scene.first.items():
        ours = path in whole and len(whole[path]) > 1
        if kind == "file" and not ours and path not in gone:
            assert tree.get(path, ("", 0, b""))[2] == content, f"{path} is lost"


def contents(scene: Scene) -> dict[str, set[bytes]]:
    """Every content that a path ever had, as a whole, while nothing went wrong."""
    disk = Disk()
    found: dict[str, set[bytes]] = {}
    for number, op in enumerate(scene.ops):
        disk.perform(op)
        if number >= scene.begun - 1 and op.verb in ("move", "sync"):
            for path, (kind, _, content) in disk.tree().items():
                if kind == "file":
                    found.setdefault(path, set()).add(content)
    return found


def removed(scene: Scene) -> set[str]:
    return {r.path for r in scene.before.target.resources.values()} - {
        r.path for r in scene.after.target.resources.values()
    }


def comes_up(scene: Scene, fault: Left, *, boots: bool) -> Machine:
    """The machine after the power cut, perhaps with what starts with it."""
    machine = in_memory(fault.cut.tree(scene.ops), scene.start)
    machine.enabled = set(fault.enabled)
    if boots:
        boot(scene, machine)
    return machine


def undone(scene: Scene, machine: Machine) -> None:
    """Taken back from what the journal says, the host is as it was, byte for byte; then it converges."""
    run = decode_run(StateView(machine).journal())
    if run is None:
        return
    problems: list[str] = []
    memory = memory_of(machine)
    clean, untold = undo_entries(
        machine, memory, run.standing, lambda taken: problems.append(taken.problem)
    )
    assert clean and not untold, [*filter(None, problems), untold]
    assert files_of(machine) == files_of(scene.start)
    assert machine.enabled == scene.start.enabled
    for entry in run.standing:
        ran = scene.start.processes.get(f"/srv/pbx-{entry.wave}/pbxctrl", [])
        runs = machine.processes.get(f"/srv/pbx-{entry.wave}/pbxctrl", [])
        if entry.do is Do.STOP:
            assert _as_started(runs) == _as_started(ran), entry.wave
    memory.log("end")
    converges(scene, machine)


def _as_started(processes: list[FakeProcess]) -> list[tuple[object, ...]]:
    sockets = [sorted(s[:3] for s in p.sockets) for p in processes]
    return [(p.executable, p.cpus, s) for p, s in zip(processes, sockets, strict=True)]


def files_of(machine: Machine) -> dict[str, tuple[str, int, str, bytes | None]]:
    """Everything on the disk but directories, our own state, and what is yet to be swept."""
    return {
        path: entry
        for path, entry in machine.tree().items()
        if entry[0] != "directory" and not path.startswith(FOLDER) and not is_beside(path)
    }


def converges(scene: Scene, machine: Machine) -> None:
    """The next run settles it, and nothing foreign is lost."""
    settle(scene.after, machine)
    assert not StateView(machine).journal()
    if scene.start.look(HostPath("/srv/pbx-gamma/cdr.db")).digest:
        assert machine.read(HostPath("/srv/pbx-gamma/cdr.db")) == b"calls"
    declared = {
        f.name
        for x in (scene.before, scene.after)
        for fs in x.contents.settings.values()
        for f in fs
    }
    for name in ("alpha", "beta", "gamma"):
        path = HostPath(f"/srv/pbx-{name}/pbx.xml")
        old, new = scene.start.read(path), machine.read(path)
        if old is not None:
            assert foreign_text(old, declared) == foreign_text(new or b"", declared)


def boot(scene: Scene, machine: Machine) -> None:
    """The service manager starts what it shall; a mixed pair of release files is never among it."""
    for instance in as_installed(scene, machine):
        if machine.look(instance.executable).digest is None:
            continue
        if instance.service not in machine.enabled or not machine.service(instance).installed:
            continue
        pair = [
            machine.read(HostPath(f"{instance.directory}/{n}")) for n in ("pbxctrl", "pbxctrl.dat")
        ]
        pairs = [[release_file(r, n) for n in ("pbxctrl", "pbxctrl.dat")] for r in ("1", "2")]
        assert pair in pairs, f"{instance.name} comes up with {pair}"
        machine.start(instance)


def as_installed(scene: Scene, machine: Machine) -> list[InstanceTarget]:
    """Instances of both targets, one for each name, as the unit or script on the disk says."""
    found = {}
    for known in (scene.after, scene.before):
        for name, instance in known.target.instances.items():
            path = UNITS[machine.services].format(name)
            if machine.read(HostPath(path)) == known.contents.files[f"root{path}"]:
                found.setdefault(name, instance)
    return list(found.values())
