"""A machine whose files are real ones below a folder, written by the real `Files`; and back from a disk."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.host.memory import Memory
from pbxfleet.host.owners import Owners
from pbxfleet.host.rooted import Root
from pbxfleet.host.staging import StagingFiles
from pbxfleet.host.trees import Trees
from pbxfleet.model.observed import What
from support.machine import Machine
from support.power import Tree

OWNER = "root:root"


class OnDisk(StagingFiles, Trees, Memory):
    """Real files in place of those in memory."""

    folder = ""

    def __init__(self) -> None:
        StagingFiles.__init__(self, Root(self.folder, is_machine=False), Owners())

    @property
    def owners_matter(self) -> bool:
        return self.owners.matter


class DiskMachine(Machine, OnDisk):
    """A `Machine` on a real folder."""

    def __init__(self, folder: Path, services: str) -> None:
        self.folder = str(folder)
        self._clock = count(1)  # when processes were started
        super().__init__(services)

    def copy_in(self, path: HostPath, source: str, digest: Digest, mode: int, owner: str) -> None:
        """Release files are files of "this machine"."""
        StagingFiles.copy_in(self, path, self._place(source, digest), digest, mode, owner)

    def stage_copy(
        self, path: HostPath, source: str, digest: Digest, mode: int, owner: str
    ) -> None:
        """As `copy_in`."""
        StagingFiles.stage_copy(self, path, self._place(source, digest), digest, mode, owner)

    def _place(self, source: str, digest: Digest) -> str:
        place = f"{self.folder}.sources/{digest}"
        os.makedirs(os.path.dirname(place), exist_ok=True)
        Path(place).write_bytes(self.sources[source])
        return place


def on_disk(machine: Machine, folder: Path) -> DiskMachine:
    """The same machine on real files, with the same processes."""
    folder.mkdir(parents=True)
    copy = DiskMachine(folder, machine.services)
    for path, (what, mode, owner, content) in machine.tree().items():
        place = HostPath(path)
        if what == What.DIRECTORY:
            copy.make_directory(place, mode, owner)
        elif what == What.SYMLINK:
            copy.make_link(place, (content or b"").decode())
        else:
            copy.write(place, content or b"", mode, owner)
    copy.processes = {key: list(running) for key, running in machine.processes.items()}
    copy.enabled = set(machine.enabled)
    copy.accidents.clear()
    copy.rewrite = machine.rewrite
    return copy


def in_memory(tree: Tree, like: Machine) -> Machine:
    """A machine that comes up with these files, nothing runs on it yet."""
    machine = Machine(like.services)
    machine._entries.clear()
    machine._clock = count(10**9)  # no file is one that an applied record knows by its stamps
    for path, (kind, mode, content) in tree.items():
        machine._entries[path] = machine._entry(What(kind), mode, OWNER, content)
    machine.enabled = set(like.enabled)
    machine.rewrite = like.rewrite
    return machine
