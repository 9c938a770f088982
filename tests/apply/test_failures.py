"""Whatever effect fails, wherever the power goes out: nothing foreign is lost, and the next run converges."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.host.state import FOLDER, JOURNAL, StateView
from pbxfleet.host.wrap import FailingHost, Power, RecordingHost
from pbxfleet.model.plan import ApplyReport, Do, Plan
from support.events import happen
from support.machine import Machine, applied, apply_to, plan_of, settle
from support.targets import Wish, fleet
from support.worlds import History, foreign_text, histories, wishes, world

BEFORE = fleet(
    Wish("alpha", "192.0.2.10", failover="one", settings={"mode": "a"}),
    Wish("beta", "192.0.2.11", cpu=1),
    Wish("gamma", "192.0.2.12"),
    services="systemd",
)
# Two swap their addresses, one of them is upgraded, loses a file and gets another core; one is
# removed, one is new; the host's own file changes.
AFTER = fleet(
    Wish("alpha", "192.0.2.11", failover=None, release="2", settings={"mode": "b"}),
    Wish("beta", "192.0.2.10", cpu=2, backup="-"),
    Wish("delta", "192.0.2.13"),
    services="systemd",
)
DECLARED = {
    f.name for known in (BEFORE, AFTER) for fs in known.contents.settings.values() for f in fs
}


def machine_before() -> Machine:
    """As `BEFORE`, but for somebody's mode, link and foreign element."""
    machine = applied(BEFORE, "systemd")
    alpha = BEFORE.target.instances["alpha"]
    happen(machine, alpha, ("replace", "<timezone/>", "<timezone>CET</timezone>"))
    happen(machine, alpha, ("mode", "/etc/pbx/backup-alpha.list", "0600"))
    happen(machine, alpha, ("link", "/etc/pbx/backup-beta.list", "/opt/list"))
    happen(machine, alpha, ("write", "/srv/pbx-gamma/cdr.db", "calls"))
    return machine


START = machine_before()


def effects() -> int:
    """How many effects the whole apply has, with those on the state folder."""
    recorded = RecordingHost(copy.deepcopy(START))
    report = apply_to(AFTER, recorded, plan_of(AFTER, recorded))
    assert not report.failure
    return len(recorded.effects)


COUNT = effects()


def test_the_scenario_has_every_kind_of_step() -> None:
    plan = plan_of(AFTER, START)
    # tests/apply/test_leaving.py has the first two, tests/apply/test_live.py the third
    elsewhere = {Do.ARCHIVE, Do.MOVE_ASIDE, Do.CONFIGURE}
    assert {s.do for s in plan.steps} == set(Do) - {Do.REMEMBER} - elsewhere
    assert len({s.wave for s in plan.steps}) == 5


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("n", range(COUNT))
def test_an_effect_that_fails(n: int, after: bool) -> None:
    machine = copy.deepcopy(START)
    report, plan = _apply(machine, FailingHost(machine, n, after=after))
    assert report is not None
    assert report.failure, "a failure is never hidden"
    assert report.broken == (), "what failed once can be taken back"
    _is_truthful(report, plan, machine)
    _converges(machine)


@pytest.mark.parametrize("machine_too", [False, True], ids=["killed", "power-cut"])
@pytest.mark.parametrize("n", range(COUNT))
def test_the_run_ends_right_after_an_effect(n: int, machine_too: bool) -> None:
    machine = copy.deepcopy(START)
    report, _ = _apply(machine, FailingHost(machine, n, after=True, error=Power()))
    assert report is None
    is_over = n == COUNT - 1  # the last effect closes the journal
    assert bool(StateView(machine).journal()) != is_over
    assert machine.accidents == []
    if machine_too:
        machine.processes.clear()
    _converges(machine)


@pytest.mark.parametrize("first", range(0, COUNT, 2))
def test_the_undo_fails_as_well(first: int) -> None:
    for second in range(first + 1, first + 12, 2):
        machine = copy.deepcopy(START)
        inner = FailingHost(machine, second)
        report, plan = _apply(machine, FailingHost(inner, first, after=True))
        assert report is not None and report.failure
        _is_truthful(report, plan, machine)
        assert machine.accidents == [], (first, second)
        _converges(machine)


@given(histories(), wishes(), st.integers(0, 50), st.booleans(), st.booleans())
def test_from_any_host_after_any_failure_the_next_run_converges(
    history: History, wanted: tuple[Wish, ...], n: int, after: bool, power: bool
) -> None:
    machine = world(history)
    machine.extra = ()  # what nobody could settle is not the point here
    target = fleet(*wanted, services=history[0])
    plan = plan_of(target, machine)
    if plan.blocked:
        return
    error = Power() if power else None
    with contextlib.suppress(Power):
        apply_to(target, FailingHost(machine, n, after=after, error=error), plan)
    settle(target, machine)


def _apply(machine: Machine, host: Host) -> tuple[ApplyReport | None, Plan]:
    plan = plan_of(AFTER, machine)
    try:
        return apply_to(AFTER, host, plan), plan
    except Power:
        return None, plan


def _is_truthful(report: ApplyReport, plan: Plan, machine: Machine) -> None:
    """Undone waves are exactly as before, applied ones exactly as declared, each is only one of both."""
    assert not set(report.applied) & {*report.undone, *report.broken}
    before, after = _looks_of(START), _looks_of(machine)
    for name in report.undone:
        assert after.get(name) == before.get(name), name
    touched = {*report.applied, *report.undone, *report.broken}
    for name in before.keys() - touched:
        assert after.get(name) == before[name], f"{name} had no turn"
    remaining = {s.wave for s in plan_of(AFTER, machine).steps}
    assert not remaining & set(report.applied)
    by_number = {s.number: s for s in plan.steps}
    for result in report.results:
        wave = by_number[result.number].wave
        if result.result == "done":
            assert wave in report.applied or wave in report.broken
        if result.result == "undone":
            assert wave in report.undone or wave in report.broken


def _looks_of(machine: Machine) -> dict[str, object]:
    """Everything that belongs to an instance (or the host): files, processes, whether it is enabled."""
    found: dict[str, object] = {}
    tree = machine.tree()
    for name in ("", "alpha", "beta", "gamma", "delta"):
        files = {p: e for p, e in tree.items() if _owner(p) == name and e[0] != "directory"}
        running = [
            (p.executable, p.cpus, sorted(s[:3] for s in p.sockets))
            for p in machine.processes.get(f"/srv/pbx-{name}/pbxctrl", ())
        ]
        found[name] = (files, running, f"pbx-{name}" in machine.enabled)
    return found


def _owner(path: str) -> str | None:
    if path.startswith(FOLDER):
        return None
    return next((n for n in ("alpha", "beta", "gamma", "delta") if f"-{n}" in path), "")


def _converges(machine: Machine) -> None:
    """A healthy run settles it, and what was nobody's to change is still there."""
    settle(AFTER, machine)
    assert not StateView(machine).journal()
    assert machine.read(HostPath("/srv/pbx-gamma/cdr.db")) == b"calls"
    for name in ("alpha", "beta", "gamma"):
        path = HostPath(f"/srv/pbx-{name}/pbx.xml")
        old, new = START.read(path) or b"", machine.read(path) or b""
        assert foreign_text(old, DECLARED) == foreign_text(new, DECLARED)


def test_an_instance_that_does_not_come_up_is_put_back_and_runs_as_before() -> None:
    machine = applied(BEFORE, "systemd")
    wish = Wish("beta", "192.0.2.11", release="2")
    others = [w for w in BEFORE.wishes if w.name != "beta"]
    target = fleet(*others, wish, services="systemd")
    works = machine.listens
    machine.listens = lambda host, instance: (
        () if b"2" in (host.read(instance.executable) or b"") else works(host, instance)
    )
    report = apply_to(target, machine)
    assert report.undone == ("beta",)
    assert (
        "does not hold listener tcp 192.0.2.11:80, listener udp 192.0.2.11:5060" in report.failure
    )
    assert machine.runs("/srv/pbx-beta") == 1
    assert plan_of(BEFORE, machine).is_empty


def test_an_instance_that_cannot_be_brought_back_is_said_to_be_broken() -> None:
    machine = applied(BEFORE, "systemd")
    target = fleet(*BEFORE.wishes[:2], Wish("gamma", "192.0.2.12", release="2"), services="systemd")
    machine.listens = lambda host, instance: ()  # from now on nothing that starts gets a socket
    report = apply_to(target, machine)
    assert report.broken == ("gamma",) and not report.undone
    step = next(r for r in report.results if "could not be undone" in r.message)
    assert "does not hold listener tcp 192.0.2.12:80" in step.message


def test_what_the_instance_wrote_before_it_failed_is_kept() -> None:
    machine = Machine()
    machine.rewrite = lambda content: content.replace(b"<timezone/>", b"<timezone>CET</timezone>")
    machine.listens = lambda host, instance: ()
    report = apply_to(fleet(Wish("alpha")), machine)
    assert report.undone == ("alpha",)
    kept = next(r for r in report.results if r.result == "undone" and r.message)
    assert "is kept: the instance has written into it" in kept.message
    assert b"CET" in (machine.read(HostPath("/srv/pbx-alpha/pbx.xml")) or b"")


def test_a_missing_release_file_is_found_before_anything_is_stopped() -> None:
    machine = applied(BEFORE, "systemd")
    target = fleet(*BEFORE.wishes[:2], Wish("gamma", "192.0.2.12", release="2"), services="systemd")
    target.contents.artefacts.clear()
    recorded = RecordingHost(machine)
    with pytest.raises(Exception, match=r"^release file .* is not here$"):
        apply_to(target, recorded)
    assert recorded.effects == []


def test_the_journal_tells_what_was_under_way() -> None:
    machine = copy.deepcopy(START)
    stop = next(i for i, e in enumerate(_recorded()) if e == "stop gamma")
    _apply(machine, FailingHost(machine, stop, error=Power()))
    entries = StateView(machine).journal()
    assert [e["event"] for e in entries] == ["begin", "step"]
    assert entries[-1]["do"] == "stop" and entries[-1]["resource"] == "service:pbx-gamma"
    assert (
        json.loads((machine.read(JOURNAL) or b"").splitlines()[0])["target"] == AFTER.target.digest
    )


def _recorded() -> Iterator[str]:
    recorded = RecordingHost(copy.deepcopy(START))
    apply_to(AFTER, recorded)
    return (f"{e.name} {e.subject}" for e in recorded.effects)
