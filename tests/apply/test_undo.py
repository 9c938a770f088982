"""Undoing a wave in the cases that one failure alone does not show."""

from __future__ import annotations

from collections.abc import Callable

from pbxfleet.apply.execute import apply_plan
from pbxfleet.apply.gate import Watch
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.host.state import FOLDER
from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.observed import SocketSeen
from pbxfleet.model.plan import ApplyReport, Do, Plan, Step
from pbxfleet.model.target import InstanceTarget
from support.machine import (
    Machine,
    announced,
    applied,
    apply_to,
    effects_on_host,
    memory_of,
    plan_of,
    records_on,
    settle,
)
from support.targets import Fleet, Wish, fleet

OLD = Wish("alpha", cpu=1, failover="one", settings={"mode": "a"})
NEW = Wish("alpha", cpu=3, failover="two", settings={"mode": "b"})
BEFORE = fleet(OLD, services="systemd")
AFTER = fleet(NEW, services="systemd")
ALPHA = AFTER.target.instances["alpha"]
Happening = Callable[[Machine], None]


def works_only_on_core_one(machine: Machine) -> None:
    """The new declaration never comes up."""
    works = machine.listens
    machine.listens = lambda host, instance: works(host, instance) if instance.cpu == 1 else ()


def apply_while(
    target: Fleet, machine: Machine, before: Do, happening: Happening, host: Host | None = None
) -> tuple[Plan, ApplyReport]:
    """Apply, and right before the first step of a kind something happens on the host."""
    plan = plan_of(target, machine)
    waiting = [happening]

    def progress(step: Step, moment: str) -> None:
        if step.do is before and moment == "start" and waiting:
            waiting.pop()(machine)

    machine.sources.update(target.contents.artefacts)
    through = host or machine
    report = apply_plan(
        plan,
        through,
        target.target,
        records_on(machine),
        target.contents,
        memory_of(through),
        Watch(progress),
    )
    return plan, report


def processes(machine: Machine) -> list[tuple[tuple[int, ...], list[SocketSeen]]]:
    running = machine.processes.get(OLD.pbxctrl, ())
    return [(p.cpus, [s._replace(pid=None) for s in p.sockets]) for p in running]


def test_what_is_started_again_is_the_instance_as_it_was_applied() -> None:
    machine = applied(BEFORE, "systemd")
    ran = processes(machine)
    works_only_on_core_one(machine)
    report = apply_to(AFTER, machine)
    assert report.undone == ("alpha",), report
    assert processes(machine) == ran, "on its old core, with its old sockets"
    assert plan_of(BEFORE, machine).is_empty


def test_steps_are_undone_in_reverse_and_restored_units_are_read_before_the_start() -> None:
    machine = applied(BEFORE, "systemd")
    works_only_on_core_one(machine)
    recorded = RecordingHost(machine)
    plan = plan_of(AFTER, machine)
    apply_to(AFTER, recorded, plan)
    shown = (e for e in recorded.effects if not e.subject.startswith(FOLDER) and e.name != "stage")
    done = [f"{e.name} {e.subject}" for e in shown]
    assert done[len(announced(plan)) :] == [
        "stop alpha",
        "write /srv/pbx-alpha/pbx.xml",
        "write /etc/systemd/system/pbx-alpha.service",
        "write /etc/pbx/failover-alpha.conf",
        "reload_services ",
        "start alpha",
    ]


def test_what_the_pbx_wrote_since_the_merge_is_kept_when_that_is_undone() -> None:
    machine = applied(BEFORE, "systemd")
    works_only_on_core_one(machine)
    waiting = [b"<timezone>CET</timezone>"]

    def once(content: bytes) -> bytes:
        merged = b"<mode>b</mode>" in content
        return content.replace(b"<timezone/>", waiting.pop()) if merged and waiting else content

    machine.rewrite = once
    report = apply_to(AFTER, machine)
    assert report.undone == ("alpha",) and not waiting
    content = machine.read(OLD.pbx_xml) or b""
    assert b"<timezone>CET</timezone>" in content
    assert b"<mode>a</mode>" in content


def test_an_instance_that_had_died_is_not_started_by_an_undo() -> None:
    machine = applied(BEFORE, "systemd")
    works_only_on_core_one(machine)
    _, report = apply_while(AFTER, machine, Do.STOP, lambda m: m.kill(OLD.pbxctrl))
    assert report.undone == ("alpha",)
    assert machine.runs(OLD.folder) == 0, "as it was"


def test_a_process_that_somebody_starts_in_between_keeps_its_pbx_xml() -> None:
    machine = applied(BEFORE, "systemd")
    _, report = apply_while(AFTER, machine, Do.MERGE, lambda m: _by_hand(m, ALPHA))
    assert "still runs; pbx.xml is left alone" in report.failure
    assert machine.accidents == []
    assert b"<mode>a</mode>" in (machine.read(OLD.pbx_xml) or b"")


def test_a_process_that_somebody_starts_before_our_start_is_not_joined_by_a_second() -> None:
    machine = applied(BEFORE, "systemd")
    _, report = apply_while(AFTER, machine, Do.START, lambda m: _by_hand(m, ALPHA))
    assert "still runs" in report.failure
    assert machine.accidents == [] and machine.runs(OLD.folder) == 1
    assert report.undone == ("alpha",), "it is stopped while pbx.xml is put back, and started again"


def test_a_pbx_xml_that_cannot_be_looked_into_is_left_alone() -> None:
    machine = applied(BEFORE, "systemd")

    def blind(m: Machine) -> None:
        m.unreadable = "process 7 is another user's"

    _, report = apply_while(AFTER, machine, Do.MERGE, blind)
    assert "may still run: process 7 is another user's" in report.failure
    assert b"<mode>a</mode>" in (machine.read(OLD.pbx_xml) or b"")


def test_a_file_that_changed_since_the_plan_is_not_overwritten() -> None:
    machine = applied(BEFORE, "systemd")
    path = HostPath("/etc/pbx/failover-alpha.conf")

    def edit(m: Machine) -> None:
        m.write(path, b"edited just now", None, "")

    plan, report = apply_while(AFTER, machine, Do.STOP, edit)
    assert f"{path} was sha256:" in report.failure and report.undone == ("alpha",)
    assert machine.read(path) == b"edited just now"
    write = next(s for s in plan.steps if s.path == path)
    assert report.results[write.number - 1].result == "failed"
    assert machine.runs(OLD.folder) == 1
    settle(AFTER, machine)


def test_a_file_that_appeared_since_the_plan_is_not_overwritten() -> None:
    machine = Machine("systemd")
    path = HostPath("/etc/pbx/failover-alpha.conf")

    def make(m: Machine) -> None:
        m.make_directory(HostPath("/etc/pbx"), 0o755, "root:root")
        m.write(path, b"somebody's", 0o644, "root:root")

    _, report = apply_while(AFTER, machine, Do.MAKE_DIRECTORY, make)
    assert f"{path} was absent, is sha256:" in report.failure
    assert machine.read(path) == b"somebody's"


def test_nothing_is_written_where_the_pbx_has_settled_it_itself() -> None:
    machine = applied(BEFORE, "systemd")
    target = fleet(Wish("alpha", cpu=1, failover="one", settings={"mode": "b"}), services="systemd")
    machine.on_stop = lambda host, instance: machine.write_as_pbx(
        instance, lambda content: content.replace(b"<mode>a</mode>", b"<mode>b</mode>")
    )
    recorded = RecordingHost(machine)
    report = apply_to(target, recorded)
    assert not report.failure
    assert [e.name for e in effects_on_host(recorded.effects)] == ["stop", "start"]


def test_a_stop_that_takes_too_long_is_not_followed_by_a_start() -> None:
    machine = applied(BEFORE, "systemd")
    machine.stubborn.add(OLD.pbxctrl)
    recorded = RecordingHost(machine)
    report = apply_to(AFTER, recorded)
    assert report.undone == ("alpha",) and "did not stop within 20 s" in report.failure
    assert effects_on_host(recorded.effects) == []
    assert machine.runs(OLD.folder) == 1


def test_a_stop_that_ends_it_too_late_is_made_good() -> None:
    machine = applied(BEFORE, "systemd")

    class Late(RecordingHost):
        def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
            super().stop(instance, timeout_s)
            raise_late(instance)

    _, report = apply_while(AFTER, machine, Do.STOP, lambda m: None, Late(machine))
    assert report.undone == ("alpha",)
    assert machine.runs(OLD.folder) == 1


def raise_late(instance: InstanceTarget) -> None:
    from pbxfleet.core.errors import HostError

    raise HostError(instance.directory, "did not stop within 20 s", code="HST107")


def _by_hand(machine: Machine, instance: InstanceTarget) -> None:
    machine.run(instance, sockets=())
