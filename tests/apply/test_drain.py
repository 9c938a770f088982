"""Instances are stopped once they have no calls, within their windows; else they stay as they were."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.app.apply import _not_clean
from pbxfleet.app.gate import POLL_S
from pbxfleet.core.errors import Refused
from pbxfleet.core.exits import Exit
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.state import FOLDER
from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.maintenance import Drain, Maintenance, OnDeadline, times_at, zone_of
from pbxfleet.model.plan import ApplyReport, Do
from pbxfleet.model.target import InstanceTarget
from pbxfleet.report.applied import applied_data, applied_text
from pbxfleet.report.plan_json import decode_plan, encode_plan
from pbxfleet.report.plan_text import plan_text
from support.calling import Busy, applied_on, asked, live_of, plan_on
from support.machine import apply_to, memory_of
from support.targets import Wish

BEFORE = (
    Wish("alpha", "192.0.2.10", failover="one", backup="*"),
    Wish("beta", "192.0.2.11", failover="one"),
    Wish("gamma", "192.0.2.12", failover="one"),
)
AFTER = (
    Wish("alpha", "192.0.2.10", failover="two", release="2", backup="-", settings={"mode": "b"}),
    Wish("beta", "192.0.2.11", failover="two", backup="-"),
    Wish("gamma", "192.0.2.12", failover="one"),
)
NIGHT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC).timestamp()  # a Monday
ABANDON = Drain(60, OnDeadline.ABANDON)
FORCE = Drain(60, OnDeadline.FORCE)


def machine_with(calls: dict[str, list[tuple[float, int | None]]], epoch: float = NIGHT) -> Busy:
    machine = Busy(epoch)
    assert not apply_to(asked(*BEFORE), machine).failure
    machine.paused_s = 0.0
    machine.stops.clear()
    machine.calls = calls
    return machine


def names(report: ApplyReport) -> list[str]:
    return [a.instance for a in report.abandoned]


def test_an_instance_is_waited_for_until_it_has_no_calls() -> None:
    machine = machine_with({"alpha": [(0, 3), (20, 1), (41, 0)]})
    plan, report = applied_on(asked(*AFTER), machine, ABANDON)
    assert plan.restarts() == ("alpha", "beta") and report.applied == ("alpha", "beta")
    first = machine.stops[0]
    assert (first.name, first.calls) == ("alpha", 0)
    assert 41 <= first.at_s - NIGHT <= 41 + POLL_S
    assert not report.abandoned and not report.cut


def test_without_drain_nobody_is_waited_for() -> None:
    machine = machine_with({"alpha": [(0, 3)]})
    _, report = applied_on(asked(*AFTER), machine)
    assert machine.stops[0].calls == 3 and not report.abandoned


def test_at_the_deadline_a_change_is_abandoned_whole_and_the_others_go_on() -> None:
    machine = machine_with({"alpha": [(0, 3)]})
    alpha = asked(*AFTER).target.instances["alpha"]
    pid = machine.processes[alpha.executable][0].pid
    tree = alpha_files(machine)
    plan, report = applied_on(asked(*AFTER), machine, ABANDON)
    assert not report.failure
    assert names(report) == ["alpha"] and report.applied == ("beta",)
    assert report.abandoned[0].calls == 3
    assert report.abandoned[0].why == "3 calls on it after 60 s"
    assert machine.processes[alpha.executable][0].pid == pid
    assert alpha_files(machine) == tree, "also the files that cost nothing are taken back"
    assert [s.name for s in machine.stops] == ["beta"]
    again = plan_on(live_of(asked(*AFTER), machine))
    assert again.restarts() == ("alpha",)
    assert _not_clean(report, again) is Exit.RESTART_OWED
    assert "alpha stays as it was: 3 calls on it after 60 s" in applied_text(plan, report, again)
    assert applied_data(plan, report, again)["abandoned"] == [
        {"instance": "alpha", "why": "3 calls on it after 60 s", "calls": 3}
    ]
    machine.calls = {}
    _, report = applied_on(asked(*AFTER), machine, ABANDON)  # the next night
    assert report.applied == ("alpha",)
    assert plan_on(live_of(asked(*AFTER), machine)).is_empty


def alpha_files(machine: Busy) -> dict[str, object]:
    return {p: e for p, e in machine.tree().items() if "alpha" in p and not p.startswith(FOLDER)}


def test_force_cuts_and_says_how_many() -> None:
    machine = machine_with({"alpha": [(0, 3), (30, 2)]})
    plan, report = applied_on(asked(*AFTER), machine, FORCE)
    assert report.applied == ("alpha", "beta")
    assert [(c.instance, c.number) for c in report.cut] == [("alpha", 2)]
    assert 60 <= machine.stops[0].at_s - NIGHT <= 60 + POLL_S
    assert "alpha: 2 calls cut" in applied_text(plan, report, None)


@pytest.mark.parametrize("drain", [ABANDON, FORCE])
def test_what_cannot_be_counted_counts_as_calls(drain: Drain) -> None:
    machine = machine_with({"alpha": [(0, None)]})
    plan, report = applied_on(asked(*AFTER), machine, drain)
    forced = drain is FORCE
    assert bool(names(report)) != forced
    assert [c.number for c in report.cut] == ([None] if forced else [])
    said = applied_text(plan, report, None)
    assert ("how many calls that cut is not known" in said) == forced
    assert machine.paused_s >= 60, "it may still answer"


@pytest.mark.parametrize("drain", [ABANDON, FORCE])
def test_nobody_waits_for_an_instance_that_can_never_tell(drain: Drain) -> None:
    machine = Busy(NIGHT)
    assert not apply_to(asked(*BEFORE, without_login=("alpha",)), machine).failure
    machine.paused_s = 0.0
    machine.stops.clear()
    wanted = asked(*AFTER, without_login=("alpha",))
    _, report = applied_on(wanted, machine, drain)
    assert bool(names(report)) != (drain is FORCE)
    if names(report):
        assert report.abandoned[0].why == "calls not known: no [api] after 0 s"
    assert machine.stops[0].at_s - NIGHT < 10


def test_who_takes_the_address_of_an_abandoned_one_is_abandoned_too() -> None:
    machine = machine_with({"beta": [(0, 1)]})
    moved = (
        Wish("alpha", "192.0.2.11", failover="one"),
        Wish("beta", "192.0.2.13", failover="one"),
        Wish("gamma", "192.0.2.12", failover="two"),
    )
    _, report = applied_on(asked(*moved), machine, ABANDON)
    assert names(report) == ["beta", "alpha"] and report.applied == ("gamma",)
    assert "192" not in report.abandoned[1].why and "beta" in report.abandoned[1].why
    assert not report.failure and machine.accidents == []


def test_a_group_that_swaps_waits_for_all_of_it() -> None:
    machine = machine_with({"alpha": [(0, 1), (10, 0)], "beta": [(0, 0), (5, 2), (30, 0)]})
    swapped = (
        Wish("alpha", "192.0.2.11", failover="one"),
        Wish("beta", "192.0.2.10", failover="one"),
        BEFORE[2],
    )
    _, report = applied_on(asked(*swapped), machine, ABANDON)
    assert not report.abandoned and [s.calls for s in machine.stops] == [0, 0]
    assert machine.stops[0].at_s - NIGHT >= 30


def test_a_run_that_is_cut_off_while_it_waits_goes_on_the_next_time() -> None:
    machine = machine_with({"alpha": [(0, 1)]})

    class Over(BaseException):
        pass

    def cut_off(seconds: float) -> None:
        raise Over

    machine.pause = cut_off  # type: ignore[method-assign]
    with pytest.raises(Over):
        applied_on(asked(*AFTER), machine, ABANDON)
    del machine.pause
    assert memory_of(machine).state.journal() and machine.stops == []
    machine.calls = {}
    applied_on(asked(*AFTER), machine, ABANDON)
    assert plan_on(live_of(asked(*AFTER), machine)).is_empty


# Windows


def windows(*of_host: str, **of_instances: Sequence[str]) -> Maintenance:
    own = {name: tuple(texts) for name, texts in of_instances.items()}
    return Maintenance("UTC", tuple(of_host), own)


def test_outside_its_window_an_instance_waits_and_what_costs_nothing_goes_on() -> None:
    machine = machine_with({})
    wanted = asked(*AFTER, maintenance=windows("Mon 05:30-06:00", beta=()))
    plan, report = applied_on(wanted, machine)
    assert plan.restarts() == ("beta",)
    (waits,) = plan.waits
    assert waits.instance == "alpha" and waits.opens == "2026-03-02T05:30:00Z"
    assert waits.text == "waits for its window: next Mon 05:30 (in 3 h)"
    shown = plan_text(plan)
    assert f"alpha {waits.text}" in shown and "1 waits for its maintenance window (alpha)" in shown
    assert decode_plan(encode_plan(plan), "it").waits == plan.waits
    assert report.applied == ("alpha", "beta")
    assert [s.name for s in machine.stops] == ["beta"]
    assert machine.look(BACKUP.path).digest == BACKUP.digest
    again = plan_on(live_of(wanted, machine))
    assert not again.steps and not again.is_empty
    assert _not_clean(report, again) is Exit.RESTART_OWED
    recorded = RecordingHost(copy.deepcopy(machine))
    applied_on(wanted, machine, host=recorded)
    assert recorded.effects == [], "while all waits there is nothing to write"
    machine.epoch = datetime(2026, 3, 2, 5, 45, tzinfo=UTC).timestamp()
    machine.paused_s = 0.0
    plan, report = applied_on(wanted, machine)
    assert not plan.waits and report.applied == ("alpha",)
    assert plan_on(live_of(wanted, machine)).is_empty


BACKUP = next(r for r in asked(*AFTER).target.resources.values() if "backup-alpha" in r.path)


def test_outside_window_nothing_waits() -> None:
    machine = machine_with({})
    wanted = asked(*AFTER, maintenance=windows("Mon 05:30-06:00"))
    assert plan_on(live_of(wanted, machine)).waits
    plan, report = applied_on(wanted, machine, outside="a hole in TLS")
    assert not plan.waits and report.applied == ("alpha", "beta")


@pytest.mark.parametrize("mode", ["a", "b"], ids=["alone", "with-one-that-is-not-live"])
def test_settings_change_live_while_the_rest_waits(mode: str) -> None:
    """If they are all that changes in pbx.xml."""
    before, after = (
        Wish("alpha", "192.0.2.10", failover=text, settings={"syslog_prefix": text, "mode": m})
        for text, m in (("one", "a"), ("two", mode))
    )
    machine = Busy(NIGHT)
    assert not apply_to(asked(before), machine).failure
    machine.stops.clear()
    machine.told = {"syslog_prefix": "one"}
    wanted = asked(after, maintenance=windows("Mon 05:30-06:00"))
    plan, report = applied_on(wanted, machine)
    alone = mode == "a"
    assert [s.do for s in plan.steps] == ([Do.CONFIGURE] if alone else [])
    assert machine.told == {"syslog_prefix": "two" if alone else "one"}
    assert machine.stops == [] and not report.failure
    again = plan_on(live_of(wanted, machine))
    assert [w.instance for w in again.waits] == ["alpha"] and not again.steps
    machine.epoch = datetime(2026, 3, 2, 5, 45, tzinfo=UTC).timestamp()
    applied_on(wanted, machine)
    assert plan_on(live_of(wanted, machine)).is_empty


def test_a_host_that_does_not_know_the_time_zone_refuses_and_stops_nothing() -> None:
    machine = machine_with({})
    declared = windows("Mon 05:30-06:00")._replace(timezone="Europe/Nowhere")
    wanted = asked(*AFTER, maintenance=declared)
    with pytest.raises(Refused, match="knows no time zone Europe/Nowhere"):
        applied_on(wanted, machine)
    assert machine.stops == []
    _, report = applied_on(wanted, machine, outside="no tzdata here")
    assert report.applied == ("alpha", "beta")


def test_who_takes_the_address_of_one_that_waits_waits_too() -> None:
    machine = machine_with({})
    moved = (
        Wish("alpha", "192.0.2.11", failover="one"),
        Wish("beta", "192.0.2.13", failover="one"),
        BEFORE[2],
    )
    wanted = asked(*moved, maintenance=windows(beta=["Mon 05:00-06:00"]))
    plan, report = applied_on(wanted, machine)
    assert [w.instance for w in plan.waits] == ["alpha", "beta"]
    assert "as beta does" in plan.waits[0].text
    assert not plan.steps and not report.failure


@pytest.mark.parametrize("goes", ["away", "elsewhere"])
def test_the_hosts_own_files_keep_what_an_instance_that_waits_still_needs(goes: str) -> None:
    """It runs until its window opens: its backup, and what lets its phones in, must last as long."""
    machine = machine_with({})
    after = [BEFORE[0], BEFORE[2]]
    if goes == "elsewhere":
        after.append(Wish("beta", "192.0.2.14", failover="one"))
    wanted = asked(*after, maintenance=windows("Mon 05:30-06:00"))
    (listed,) = (r for r in wanted.target.resources.values() if r.path.endswith("host-list"))
    before = machine.look(listed.path).digest
    plan, report = applied_on(wanted, machine)
    assert "beta" in [w.instance for w in plan.waits] and not report.failure
    assert machine.look(listed.path).digest == before
    if before != listed.digest:
        assert "the host's own files, beta" in plan_text(plan)
    machine.epoch = datetime(2026, 3, 2, 5, 45, tzinfo=UTC).timestamp()
    machine.paused_s = 0.0
    plan, report = applied_on(wanted, machine)
    assert not plan.waits and not report.failure
    assert machine.look(listed.path).digest == listed.digest


def test_no_stop_is_begun_after_the_border() -> None:
    """The window closes while the first instance is drained: the second is not begun."""
    machine = machine_with({"alpha": [(0, 1), (50, 0)]}, NIGHT)
    machine.epoch = datetime(2026, 3, 2, 3, 59, 8, tzinfo=UTC).timestamp()
    begin = machine.on_start

    def slowly(host: FakeHost, instance: InstanceTarget) -> None:
        host.paused_s += 10
        assert begin is not None
        begin(host, instance)

    machine.on_start = slowly
    wanted = asked(*AFTER, maintenance=windows("Mon 02:00-04:00"))
    plan, report = applied_on(wanted, machine, Drain(600, OnDeadline.ABANDON))
    assert plan.restarts() == ("alpha", "beta")
    assert report.applied == ("alpha",), "whose stop has begun is finished"
    assert names(report) == ["beta"]
    assert report.abandoned[0].why == "its maintenance window has closed"
    assert "undone" not in {r.result for r in report.results}, "nothing of it was even prepared"


@pytest.mark.parametrize("policy", list(OnDeadline))
def test_the_drain_ends_at_the_border(policy: OnDeadline) -> None:
    machine = machine_with({"alpha": [(0, 2)]}, NIGHT)
    machine.epoch = datetime(2026, 3, 2, 3, 59, 30, tzinfo=UTC).timestamp()
    border = datetime(2026, 3, 2, 4, 0, tzinfo=UTC).timestamp()
    wanted = asked(*AFTER, maintenance=windows("Mon 02:00-04:00"))
    _, report = applied_on(wanted, machine, Drain(600, policy))
    assert all(s.at_s < border for s in machine.stops)
    forced = policy is OnDeadline.FORCE
    assert ("alpha" in [s.name for s in machine.stops]) == forced
    assert ("alpha" in names(report)) != forced
    if not forced:
        assert report.abandoned[0].why.endswith("when its maintenance window closes")


CALLS = st.lists(
    st.tuples(st.integers(0, 120), st.none() | st.integers(0, 2)),
    max_size=4,
    unique_by=lambda call: call[0],
).map(lambda calls: sorted(calls, key=lambda call: call[0]))
WINDOWS = st.lists(
    st.sampled_from(["Mon-Fri 02:00-02:01", "02:30-02:32", "Sat,Sun 22:00-06:00", "00:00-24:00"]),
    unique=True,
    max_size=2,
)


@given(
    st.fixed_dictionaries({"alpha": CALLS, "beta": CALLS}),
    st.fixed_dictionaries({"alpha": WINDOWS, "beta": WINDOWS}),
    st.integers(0, 200),
    st.integers(1, 90),
)
def test_under_abandon_no_call_is_cut_and_no_restart_begins_outside_the_window(
    calls: dict[str, list[tuple[float, int | None]]],
    declared: dict[str, list[str]],
    begins_s: int,
    drain_s: int,
) -> None:
    machine = copy.deepcopy(START)
    machine.calls = calls
    machine.epoch = datetime(2026, 3, 2, 2, 29, tzinfo=UTC).timestamp() + begins_s
    wanted = asked(*AFTER, maintenance=windows(**declared))
    _, report = applied_on(wanted, machine, Drain(drain_s, OnDeadline.ABANDON))
    assert not report.failure and not report.cut and machine.accidents == []
    for stop in machine.stops:
        assert stop.calls == 0, stop
        own = tuple(declared[stop.name])
        assert times_at(own, zone_of("UTC"), stop.at_s).is_open, stop
    machine.calls = {}
    free = asked(*AFTER)
    applied_on(free, machine, ABANDON)
    assert plan_on(live_of(free, machine)).is_empty, "the next night"


START = machine_with({})


def test_the_steps_of_a_drained_plan_are_those_without() -> None:
    machine = machine_with({})
    plan = plan_on(live_of(asked(*AFTER), machine, ABANDON))
    assert plan == plan_on(live_of(asked(*AFTER), machine))
    assert {Do.STOP, Do.START} <= {s.do for s in plan.steps}
