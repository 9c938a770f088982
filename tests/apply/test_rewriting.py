"""A PBX that rewrites its pbx.xml whenever it likes loses nothing, and what is declared wins."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.apply.execute import apply_plan
from pbxfleet.apply.gate import Watch
from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.plan import ApplyReport, Plan, Step
from pbxfleet.pbx.pbx_xml import edit, read
from support.machine import (
    Look,
    Machine,
    announced,
    applied,
    apply_to,
    effects_on_host,
    memory_of,
    plan_of,
    records_on,
)
from support.targets import Fleet, Wish, fleet
from support.worlds import wishes

BEFORE = Wish("alpha", settings={"mode": "a", "extra": "x"})
AFTER = Wish("alpha", settings={"mode": "b", "extra": "x"}, release="2")


def adds(content: bytes) -> bytes:
    """One more foreign element at every write."""
    count = content.count(b"<seen>")
    return content.replace(b"</config>", b"  <seen>%d</seen>\r\n</config>" % count)


def reorders(content: bytes) -> bytes:
    """The first setting moves to the end."""
    first = re.search(rb"\r\n  <[^!][^\r]*", content)
    if first is None:
        return content  # in this dialect by now
    left = content[: first.start()] + content[first.end() :]
    return left.replace(b"\r\n</config>", first[0] + b"\r\n</config>")


def reformats(content: bytes) -> bytes:
    """Other line ends, quotes and white space."""
    return content.replace(b"\r\n", b"\n").replace(b"'", b'"').replace(b"  <", b"\t<")


def writes_its_own(content: bytes) -> bytes:
    """The values it has in memory, over whatever somebody has written."""
    return edit(content, {"mode": "mine", "log_length": "777"})


def drops(content: bytes) -> bytes:
    """An element that it does not know."""
    return edit(content, {"extra": None})


REWRITES = [adds, reorders, reformats, writes_its_own, drops]
Rewrite = Callable[[bytes], bytes]


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_rewrite_at_the_stop_is_read_again_before_the_merge(rewrite: Rewrite) -> None:
    machine = applied(fleet(BEFORE))
    machine.on_stop = lambda host, instance: machine.write_as_pbx(instance, rewrite)
    machine.rewrite = None
    target = fleet(AFTER)
    report = apply_to(target, machine)
    assert not report.failure and not report.unproven
    assert machine.accidents == []
    document = read(machine.read(AFTER.pbx_xml) or b"")
    assert document.get("mode").value == "b" and document.get("extra").value == "x"
    if rewrite is adds:
        assert document.get("seen").value == "0"
    assert document.get("licence").value == "ABC"
    assert plan_of(target, machine).is_empty


@pytest.mark.parametrize("rewrite", [adds, reorders, reformats])
def test_a_rewrite_of_foreign_things_is_never_a_difference(rewrite: Rewrite) -> None:
    machine = Machine()
    machine.rewrite = rewrite
    target = fleet(BEFORE)
    for _ in range(3):
        report = apply_to(target, machine)
        assert not report.failure and not report.unproven
    alpha = target.target.instances["alpha"]
    machine.write_as_pbx(alpha, rewrite)
    recorded = RecordingHost(machine)
    assert plan_of(target, recorded).is_empty
    apply_to(target, recorded)
    assert recorded.effects == [], "not even the record is written again"


def test_an_element_the_pbx_overrules_is_written_once_and_then_reported() -> None:
    machine = applied(fleet(BEFORE))
    machine.rewrite = writes_its_own
    target = fleet(AFTER)
    report = apply_to(target, machine)
    assert not report.failure
    assert [n.message for n in report.unproven] == ["after the start: mode: is mine, declared b"]
    for _ in range(2):
        look = Look(target, machine)
        assert look.plan.steps == (), "another restart would change nothing"
        assert "mode: is mine, declared b" in look.difference.notes[-1].message
        recorded = RecordingHost(machine)
        apply_to(target, recorded)
        assert recorded.effects == []
    assert "mine" not in str(look.records), "no content is remembered"


def test_an_overruled_element_that_is_declared_anew_is_tried_again() -> None:
    machine = applied(fleet(BEFORE))
    machine.rewrite = writes_its_own
    apply_to(fleet(AFTER), machine)
    machine.rewrite = None
    newer = fleet(Wish("alpha", settings={"mode": "c", "extra": "x"}, release="2"))
    assert plan_of(newer, machine).restarts() == ("alpha",)
    apply_to(newer, machine)
    assert plan_of(newer, machine).is_empty


def test_a_file_the_pbx_writes_at_the_stop_is_merged_into_not_replaced() -> None:
    """pbx.xml was removed under a running process, which saves what it knows when it is stopped."""
    target = fleet(BEFORE)
    machine = applied(target)
    saved = adds(machine.read(BEFORE.pbx_xml) or b"")
    machine.remove(BEFORE.pbx_xml)

    def save(host: object, instance: object) -> None:
        machine._ours = False
        machine.write(BEFORE.pbx_xml, saved, 0o600, "root:root")
        machine._ours = True

    machine.on_stop = save
    report = apply_to(target, machine)
    assert not report.failure
    assert b"<seen>0</seen>" in (machine.read(BEFORE.pbx_xml) or b"")
    assert machine.accidents == []


@given(
    wishes(),
    wishes(),
    st.lists(st.sampled_from([adds, reorders, reformats]), max_size=8),
    st.sampled_from([None, *REWRITES]),
)
def test_rewriting_at_any_moment_loses_nothing_and_ends_in_sync(
    before: tuple[Wish, ...],
    after: tuple[Wish, ...],
    moments: list[Rewrite],
    always: Rewrite | None,
) -> None:
    machine = applied(fleet(*before))
    machine.rewrite = None if always in (writes_its_own, drops) else always
    target = fleet(*after)
    plan = plan_of(target, machine)
    recorded = RecordingHost(machine)
    report = _apply_while(recorded, target, plan, machine, iter(moments * 20))
    assert not report.failure and machine.accidents == []
    done = effects_on_host(recorded.effects)
    promised = announced(plan)
    assert [e for e in promised if e in done] == done, "nothing that was not announced"
    assert plan_of(target, machine).is_empty
    for wish in after:
        document = read(machine.read(wish.pbx_xml) or b"")
        assert document.get("licence").value == "ABC"
        assert document.get("pw_pass").encrypted


def _apply_while(
    recorded: RecordingHost, target: Fleet, plan: Plan, machine: Machine, moments: object
) -> ApplyReport:
    """Apply while every instance that runs writes its pbx.xml between the steps."""

    def progress(step: Step, moment: str) -> None:
        rewrite = next(moments, None)  # type: ignore[call-overload]
        if rewrite is None:
            return
        for instance in target.target.instances.values():
            if machine.runs(instance.directory):
                machine.write_as_pbx(instance, rewrite)

    machine.sources.update(target.contents.artefacts)
    records = records_on(recorded)
    memory = memory_of(recorded)
    return apply_plan(
        plan, recorded, target.target, records, target.contents, memory, Watch(progress)
    )
