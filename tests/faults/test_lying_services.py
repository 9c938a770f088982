"""Service managers that say they did what they did not: seen, said, and mended by the next run."""

from __future__ import annotations

import contextlib
import copy

import pytest

from pbxfleet.apply.undo import undo_entries
from pbxfleet.core.paths import HostPath
from pbxfleet.host.state import StateView
from pbxfleet.host.wrap import FailingHost, Power
from pbxfleet.model.journal import decode_run
from pbxfleet.model.target import InstanceTarget
from support import upheaval
from support.machine import Machine, apply_to, memory_of, settle
from support.sampling import chosen
from support.worlds import foreign_text

BEFORE, AFTER = upheaval.before(), upheaval.after()
START = upheaval.disturbed()
DECLARED = {
    f.name for known in (BEFORE, AFTER) for fs in known.contents.settings.values() for f in fs
}
SAMPLE = 12  # failures with each lie; PBXFLEET_FAULTS=all tries every one
LIES = ("starts nothing", "ends at once", "stops nothing", "comes back")


class Liar(Machine):
    """A machine whose service manager lies in the way of `lie`, as long as there is one."""

    lie = ""

    def start(self, instance: InstanceTarget) -> None:
        """Says that it started something: nothing ever runs, or it ends at once."""
        if self.lie == "starts nothing":
            return
        super().start(instance)
        if self.lie == "ends at once":
            self.processes.pop(instance.executable, None)

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        """Says that it stopped something: it still runs, or is there again a moment later."""
        if self.lie == "stops nothing":
            return
        ran = bool(self.processes.get(instance.executable))
        super().stop(instance, timeout_s)
        if self.lie == "comes back" and ran:
            self.run(instance, by_hand=False)


def liar(lie: str) -> Liar:
    """The machine before the upheaval, with such a service manager."""
    machine = copy.deepcopy(START)
    machine.__class__ = Liar
    assert isinstance(machine, Liar)
    machine.lie = lie
    return machine


def nothing_is_harmed(machine: Machine) -> None:
    """Nothing foreign is lost, nobody wrote under a running process, nowhere do two of them run."""
    assert machine.accidents == []
    assert all(len(running) <= 1 for running in machine.processes.values())
    assert machine.read(HostPath("/srv/pbx-gamma/cdr.db")) == b"calls"
    for name in ("alpha", "beta", "gamma"):
        path = HostPath(f"/srv/pbx-{name}/pbx.xml")
        old, new = START.read(path) or b"", machine.read(path) or b""
        assert foreign_text(old, DECLARED) == foreign_text(new, DECLARED)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found_out(lie: str) -> None:
    machine = liar(lie)
    report = apply_to(AFTER, machine)
    assert report.failure, "nobody takes its word for it"
    nothing_is_harmed(machine)
    machine.lie = ""
    settle(AFTER, machine)
    nothing_is_harmed(machine)


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("power", [False, True], ids=["error", "killed"])
def test_a_lie_and_a_failure_at_any_effect(lie: str, power: bool) -> None:
    for n in chosen(range(count_of(lie)), SAMPLE, f"{lie} {power}"):
        machine = liar(lie)
        failing = FailingHost(machine, n, after=bool(n % 2), error=Power() if power else None)
        with contextlib.suppress(Power):
            apply_to(AFTER, failing)
        nothing_is_harmed(machine)
        machine.lie = ""
        if n % 3 == 0:
            taken_back(machine)
        settle(AFTER, machine)
        nothing_is_harmed(machine)


def count_of(lie: str) -> int:
    """How many effects the apply has until the lie is found out and everything is put back."""
    counting = FailingHost(liar(lie), -1)
    apply_to(AFTER, counting)
    return counting.count


def taken_back(machine: Machine) -> None:
    """What is unfinished is undone from the journal, once the manager tells the truth."""
    run = decode_run(StateView(machine).journal())
    if run is None:
        return
    memory = memory_of(machine)
    problems: list[str] = []
    clean, untold = undo_entries(
        machine, memory, run.standing, lambda taken: problems.append(taken.problem)
    )
    assert clean and not untold, problems
    assert machine.enabled == START.enabled
    memory.log("end")
