"""What a service manager was told to start or not to start holds after a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbxfleet.host.commands import Ran, Runner
from pbxfleet.host.files import Files
from pbxfleet.host.owners import Owners
from pbxfleet.host.proc import Processes
from pbxfleet.host.rooted import Root
from pbxfleet.host.services import Parts, backend, sysv
from support.instances import instance

LEVELS = [f"/etc/rc{level}.d" for level in (*sysv.STARTING, *sysv.STOPPING)]
UNITS = ["/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants"]
LOADED = "LoadState=loaded\nActiveState=inactive\nMainPID=0\nUnitFileState={}"


class Told(Runner):
    """Does nothing but say that it was done; `events` are the commands that change something."""

    def __init__(self, events: list[str]) -> None:
        self.events = events

    def run(self, argv: tuple[str, ...], timeout_s: float = 60) -> Ran:
        if "show" in argv:
            state = "disabled" if "disable" in self.events[:1] else "enabled"
            return Ran(argv, 0, LOADED.format(state), "")
        self.events.append("disable" if "remove" in argv else argv[1])
        return Ran(argv, 0, "", "")


@pytest.mark.parametrize(("services", "folders"), [("systemd", UNITS), ("sysv", LEVELS)])
def test_links_are_on_the_disk_before_anything_else_is_done(
    services: str, folders: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in folders:
        (tmp_path / folder[1:]).mkdir(parents=True)
    events: list[str] = []
    real = os.fsync

    def fsync(file: int) -> None:
        events.append(os.readlink(f"/proc/self/fd/{file}").removeprefix(str(tmp_path)))
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(sysv.Sysv, "_keeper", lambda self: 0)
    files = Files(Root(str(tmp_path)), Owners(matter=False))
    parts = Parts(files, Told(events), Processes(files.root), True, True)
    backend(services, parts).disable(instance("a"))
    assert events == ["disable", *folders]
