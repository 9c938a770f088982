"""Timers of systemd follow their files whenever the service manager reads its files again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.host.commands import Ran, Runner
from pbxfleet.host.files import Files
from pbxfleet.host.owners import Owners
from pbxfleet.host.proc import Processes
from pbxfleet.host.rooted import Root
from pbxfleet.host.services import Parts
from pbxfleet.host.services.systemd import Systemd

TIMER = "pbxfleet-drift.timer"
UNIT, STAMP = f"etc/systemd/system/{TIMER}", f"var/lib/systemd/timers/stamp-{TIMER}"
RELOAD = ("systemctl", "daemon-reload")
ENDS = ("stop", "reset-failed")


class Asked(Runner):
    """Notes what is run; nothing is known of any unit."""

    def __init__(self) -> None:
        self.argvs: list[tuple[str, ...]] = []

    def run(self, argv: tuple[str, ...], timeout_s: float = 60, given: bytes = b"") -> Ran:
        self.argvs.append(argv)
        return Ran(argv, 5 if argv[1] in ENDS else 0, "", "not loaded")


@pytest.mark.parametrize(
    ("there", "commands"),
    [
        ((), []),
        ((UNIT,), [("systemctl", "restart", "--", TIMER)]),
        ((UNIT, STAMP), [("systemctl", "restart", "--", TIMER)]),
        ((STAMP,), [("systemctl", verb, "--", TIMER) for verb in ("stop", "reset-failed")]),
    ],
)
def test_a_timer_follows_its_file(
    tmp_path: Path, there: tuple[str, ...], commands: list[tuple[str, ...]]
) -> None:
    for name in there:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    runner = Asked()
    files = Files(Root(str(tmp_path)), Owners(matter=False))
    manager = Systemd(Parts(files, runner, Processes(files.root), True, True))
    manager.reload()
    assert runner.argvs == [RELOAD, *commands]
    assert (tmp_path / STAMP).exists() == (there == (UNIT, STAMP))
    runner.argvs.clear()
    manager.reload()
    assert runner.argvs == [RELOAD, *(c for c in commands if c[1] not in ENDS)], "and only once"
