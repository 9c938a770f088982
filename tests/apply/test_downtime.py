"""An instance is down for as little of our own work as can be, and how long it was is told."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apply.test_release_switch import after, before
from pbxfleet.app.unfinished import undo
from pbxfleet.core.exits import Exit
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State
from pbxfleet.host.wrap import Effect, FailingHost, RecordingHost
from pbxfleet.model.journal import FORMAT
from pbxfleet.model.target import InstanceTarget
from support.machine import Machine, applied, apply_to, plan_of
from support.targets import Wish, fleet

STOP_S, START_S, OWN_S = 3.0, 2.0, 0.25
PROOF_S = 1.0  # at most, while the instance answers at once
NAMES = ("alpha", "beta")


class Slow(RecordingHost):
    """Every effect takes time, and it is noted in which of them there was a hurry."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.machine = machine
        self.hurry = False
        self.hurried: list[tuple[Effect, bool]] = []

    def _effect(self, effect: Effect, perform: Callable[[], None]) -> None:
        self.hurried.append((effect, self.hurry))
        super()._effect(effect, perform)
        self.machine.paused_s += {"stop": STOP_S, "start": START_S}.get(effect.name, OWN_S)

    @contextmanager
    def in_a_hurry(self) -> Iterator[None]:
        self.hurry = True
        yield
        self.hurry = False


@pytest.fixture(params=["systemd", "sysv", "direct"])
def slow(request: pytest.FixtureRequest) -> Slow:
    return Slow(applied(before(request.param), request.param))


def test_everything_is_ready_before_the_stop(slow: Slow) -> None:
    report = apply_to(after(slow.machine.services), slow)
    assert not report.failure
    effects = [f"{e.name} {e.subject}" for e in slow.effects]
    for name in NAMES:
        stop = effects.index(f"stop {name}")
        start = effects.index(f"start {name}")
        for file in ("pbxctrl", "pbxctrl.dat"):
            path = join(after("direct").target.instances[name].directory, file)
            assert effects.index(f"stage {path}") < stop
            assert stop < effects.index(f"copy_in {path}") < start
        meanwhile = {effect.split()[0] for effect in effects[stop + 1 : start]}
        # Of keeping there is pbx.xml alone, which is what it is only once the instance has ended.
        kept = [e for e in effects[stop:start] if e.startswith("keep")]
        assert len(kept) <= 1
        assert meanwhile <= {"append", "copy_in", "swap", "write", "keep", "enable", "disable"}


def test_only_what_happens_between_stop_and_health_is_in_a_hurry(slow: Slow) -> None:
    apply_to(after(slow.machine.services), slow)
    words = [(effect.name, hurry) for effect, hurry in slow.hurried]
    assert {hurry for name, hurry in words if name in ("stop", "start", "copy_in")} == {True}
    assert {hurry for name, hurry in words if name == "stage"} == {False}
    assert not slow.hurry


def test_the_downtime_is_told_with_our_part_of_it(slow: Slow) -> None:
    report = apply_to(after(slow.machine.services), slow)
    assert [d.instance for d in report.downtimes] == list(NAMES)
    for found in report.downtimes:
        inside = [e for e, _ in _between(slow, found.instance)]
        own_s = OWN_S * sum(1 for e in inside if e.name not in ("stop", "start"))
        assert found.own_seconds == pytest.approx(own_s)
        waited_s = found.seconds - own_s
        assert STOP_S + START_S <= waited_s < STOP_S + START_S + PROOF_S


def _between(slow: Slow, name: str) -> list[tuple[Effect, bool]]:
    """From the stop to the line in the journal that is written once the proof is over, without it."""
    names = [(effect.name, effect.subject) for effect, _ in slow.hurried]
    start = names.index(("start", name))
    # After the start: that it is done, that the proof begins; its end is told when it has ended.
    return slow.hurried[names.index(("stop", name)) : start + 4]


def test_what_was_put_back_was_down_as_well() -> None:
    machine = applied(before("direct"))
    slow = Slow(machine)
    begin = machine.on_start
    assert begin is not None

    def dies_once(host: FakeHost, instance: InstanceTarget) -> None:
        machine.on_start = begin
        host.kill(instance.name)

    machine.on_start = dies_once
    report = apply_to(after("direct"), slow)
    assert (report.undone, report.broken) == (("alpha",), ())
    assert [(d.instance, d.own_seconds) for d in report.downtimes] == [("alpha", None)]
    assert report.downtimes[0].seconds > STOP_S


def test_of_what_could_not_be_put_back_nothing_is_said() -> None:
    machine = applied(before("direct"))
    machine.on_start = lambda host, instance: host.kill(instance.name)
    report = apply_to(after("direct"), machine)
    assert (report.broken, report.downtimes) == (("alpha",), ())


def test_who_was_not_stopped_or_does_not_return_was_not_down() -> None:
    assert apply_to(before("direct"), Machine()).downtimes == ()
    machine = applied(before("direct"))
    assert apply_to(fleet(Wish("alpha")), machine).downtimes == ()


def test_nothing_is_stopped_for_what_cannot_be_done() -> None:
    """Somebody changes a release file after the look on which the plan was made."""
    machine = applied(before("direct"))
    wanted = after("direct")
    plan = plan_of(wanted, machine)
    path = join(wanted.target.instances["alpha"].directory, "pbxctrl.dat")
    machine.write(path, b"somebody else's", None, "root:root")
    slow = Slow(machine)
    report = apply_to(wanted, slow, plan)
    assert report.failure
    assert "stop" not in {effect.name for effect in slow.effects}
    assert report.downtimes == ()


@pytest.mark.parametrize("n", range(2))
def test_nothing_is_stopped_when_the_disk_is_full(n: int) -> None:
    start = applied(before("direct"))
    counted = Slow(copy.deepcopy(start))
    apply_to(after("direct"), counted)
    stages = [i for i, e in enumerate(counted.effects) if e.name == "stage"]
    machine = copy.deepcopy(start)
    recorded = RecordingHost(machine)
    report = apply_to(after("direct"), FailingHost(recorded, stages[n]))
    assert "no space left" in report.failure
    assert "stop" not in {effect.name for effect in recorded.effects}
    assert machine.processes == start.processes


def test_an_undo_sweeps_what_was_only_made_ready(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    host = LocalHost(str(root), "direct")
    folder = HostPath("/srv/pbx-acme")
    host.make_directory(folder, 0o755, "root:root")
    host.stage(join(folder, "file"), b"content", 0o644, "root:root")
    state = State(host)
    state.append_journal(
        {"event": "begin", "format": FORMAT, "host": "fra1", "steps": 1, "services": "direct"}
    )
    state.append_journal({"event": "stage", "folders": {folder: "acme"}})
    assert len(list((root / "srv/pbx-acme").iterdir())) == 1
    undone = undo("fra1", str(root), lambda _: True, lambda _: None, 0)
    assert undone.exit_code is Exit.ROLLED_BACK
    assert list((root / "srv/pbx-acme").iterdir()) == []
