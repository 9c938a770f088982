"""Others write pbx.xml while the instance is stopped: nothing of theirs is lost, what is declared wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

import pytest

from pbxfleet.core.paths import HostPath
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.target import InstanceTarget
from pbxfleet.pbx.pbx_xml import edit, read
from support.machine import Machine, applied, apply_to, plan_of
from support.targets import Wish, fleet

BEFORE = Wish("alpha", settings={"mode": "a", "extra": "x"})
AFTER = Wish("alpha", settings={"mode": "b", "extra": "x"})
Rival = Callable[[bytes], bytes]


class Contested(Machine):
    """A rival writes pbx.xml `times` times at one moment: before or after a swap, or before a start."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = ""
        self.times = 0
        self.rival: Rival = lambda content: content
        self.writes = 0

    def interfere(self, moment: str, path: HostPath) -> None:
        if moment == self.moment and self.times and self.read(path) is not None:
            self.times -= 1
            self.writes += 1
            super().write(path, self.rival(self.read(path) or b""), None, "")

    def swap(
        self, path: HostPath, before: bytes | None, after: bytes, mode: int | None, owner: str
    ) -> bool:
        self.interfere("before the swap", path)
        done = super().swap(path, before, after, mode, owner)
        self.interfere("after the swap", path)
        return done

    def runtime(self, instances: Sequence[InstanceTarget]) -> Mapping[str, RuntimeSeen]:
        found = super().runtime(instances)
        if self.moment == "before the start" and len(instances) == 1 and self.merged:
            self.interfere("before the start", BEFORE.pbx_xml)
        return found

    @property
    def merged(self) -> bool:
        """Whether the new value lies in the file already, and nothing runs."""
        return b"<mode>b<" in (self.read(BEFORE.pbx_xml) or b"") and not self.runs(BEFORE.folder)


def contested(moment: str, rival: Rival, times: int) -> Contested:
    machine = Contested()
    assert not apply_to(fleet(BEFORE), machine).failure
    machine.moment, machine.rival, machine.times = moment, rival, times
    return machine


def adds() -> Rival:
    """One more foreign element, another one each time."""
    numbers = count()
    return lambda content: edit(content, {f"theirs_{next(numbers)}": "kept"})


def from_memory() -> Rival:
    """What a survivor had in its memory, owned elements and all."""
    numbers = count()
    return lambda content: edit(content, {"mode": "a", f"theirs_{next(numbers)}": "kept"})


MOMENTS = ["before the swap", "after the swap", "before the start"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("rival", [adds, from_memory])
@pytest.mark.parametrize("times", [1, 2])
def test_what_a_rival_writes_is_kept_and_what_is_declared_wins(
    moment: str, rival: Callable[[], Rival], times: int
) -> None:
    machine = contested(moment, rival(), times)
    report = apply_to(fleet(AFTER), machine)
    assert not report.failure and not report.unproven
    assert 1 <= machine.writes <= times
    document = read(machine.read(AFTER.pbx_xml) or b"")
    assert document.get("mode").value == "b"
    for number in range(machine.writes):
        assert document.get(f"theirs_{number}").value == "kept"
    assert machine.accidents == [] and plan_of(fleet(AFTER), machine).is_empty


@pytest.mark.parametrize("moment", ["before the swap", "after the swap"])
def test_a_rival_that_never_ends_stops_the_wave_and_is_named(moment: str) -> None:
    machine = contested(moment, from_memory(), 5)
    report = apply_to(fleet(AFTER), machine)
    assert "somebody else writes it: changed 5 times in a row" in report.failure
    document = read(machine.read(AFTER.pbx_xml) or b"")
    assert document.get("mode").value == "a", "the wave was put back"
    assert all(document.get(f"theirs_{n}").value == "kept" for n in range(5))
    assert machine.runs(AFTER.folder) == 1, "and runs as before"
    assert not apply_to(fleet(AFTER), machine).failure
    assert plan_of(fleet(AFTER), machine).is_empty


def test_a_file_that_is_half_written_is_waited_for() -> None:
    machine = contested("before the swap", adds(), 0)
    whole = machine.read(BEFORE.pbx_xml) or b""
    later = [whole.replace(b"BC<", b"XY<"), whole[:40]]

    class Slow(Contested):
        def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
            super().stop(instance, timeout_s)
            self._ours = False
            self.write(BEFORE.pbx_xml, later.pop(), None, "")
            self._ours = True

        def pause(self, seconds: float) -> None:
            if later:
                self.write(BEFORE.pbx_xml, later.pop(), None, "")
            super().pause(seconds)

    machine.__class__ = Slow
    report = apply_to(fleet(AFTER), machine)
    assert not report.failure, report.failure
    assert (machine.read(AFTER.pbx_xml) or b"").count(b"XY<") == 1


def test_who_makes_the_file_first_is_merged_into() -> None:
    """The vendor's stock service started in the new directory, between the look and the write."""
    machine = Contested()
    theirs = (machine_content := b"<config><mode>theirs</mode><licence>XYZ</licence></config>")

    class Early(Contested):
        def swap(
            self, path: HostPath, before: bytes | None, after: bytes, mode: int | None, owner: str
        ) -> bool:
            if before is None:
                self.write(path, theirs, 0o600, "root:root")
            return super().swap(path, before, after, mode, owner)

    machine.__class__ = Early
    report = apply_to(fleet(AFTER), machine)
    assert not report.failure, report.failure
    document = read(machine.read(AFTER.pbx_xml) or b"")
    assert document.get("mode").value == "b" and document.get("licence").value == "XYZ"
    assert machine_content == theirs


def test_a_merge_without_rivals_is_one_write() -> None:
    machine = applied(fleet(BEFORE))
    before_s = machine.paused_s
    assert not apply_to(fleet(AFTER), machine).failure
    assert machine.paused_s - before_s < 0.4, "only the last writing of the PBX is waited for"
