"""After a start pbx.xml is read back: what the PBX took, spelled its own way, refused, or dropped."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pbxfleet.apply.remember import SPELLINGS
from pbxfleet.core.paths import HostPath
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.wrap import RecordingHost
from pbxfleet.model.applied import decode_record, encode_record
from pbxfleet.model.plan import ApplyReport, Status
from pbxfleet.model.target import InstanceTarget
from pbxfleet.pbx.pbx_xml import edit
from pbxfleet.plan.drift import drift_items
from support.machine import Look, Machine, apply_to, plan_of, records_on
from support.targets import Seeded, Wish, fleet

SETTINGS = {"flag": "true", "log_event_sip": "5", "max": "5000", "extra": "x", "note": "text"}
WISH = Wish("alpha", settings=SETTINGS)
WILD = Wish("alpha", settings={**SETTINGS, "more_tcp": "192.0.2.10:8443 [2001:db8::10]:8443"})
Rewrite = Callable[[bytes], bytes]


def started(wish: Wish, rewrite: Rewrite) -> tuple[Machine, ApplyReport]:
    machine = Machine()
    machine.rewrite = rewrite
    return machine, apply_to(fleet(wish), machine)


def said(report: ApplyReport) -> list[tuple[str, str]]:
    assert not report.failure, report.failure
    return [(n.code, n.message.removeprefix("after the start: ")) for n in report.unproven]


def sets(**values: str | None) -> Rewrite:
    return lambda content: edit(content, values)


NORMALISING: list[tuple[Rewrite, str]] = [
    (sets(flag="True"), "flag: true is spelled True by the PBX"),
    (sets(log_event_sip="05"), "log_event_sip: 5 is spelled 05 by the PBX"),
    (sets(note=" text "), "note: text is spelled  text  by the PBX"),
]


@pytest.mark.parametrize(("rewrite", "text"), NORMALISING)
def test_another_spelling_is_told_once_and_never_a_difference(rewrite: Rewrite, text: str) -> None:
    machine, report = started(WISH, rewrite)
    assert said(report) == [("PLN126", text)]
    record = records_on(machine)["alpha"]
    assert len(record.proof.normalised) == 1 and record.proof.unproven == ()
    assert decode_record(encode_record(record)) == record
    look = Look(fleet(WISH), machine)
    assert look.plan.is_empty and drift_items(look.difference, look.observed) == ()
    assert [n.code for n in look.difference.notes] in ([], ["PLN112"])
    recorded = RecordingHost(machine)
    apply_to(fleet(WISH), recorded)
    assert recorded.effects == []
    alpha = fleet(WISH).target.instances["alpha"]
    machine.write_as_pbx(alpha, sets(foreign="1"))
    assert plan_of(fleet(WISH), machine).is_empty, "nor when something else in the file changes"


def restart(machine: Machine, wish: Wish) -> list[tuple[str, str]]:
    """What an apply says that starts the instance again with the same settings."""
    machine.kill("/srv/pbx-alpha/pbxctrl")
    return said(apply_to(fleet(wish), machine))


def test_a_spelling_is_told_once_for_each_value_and_release() -> None:
    machine, report = started(WISH, sets(flag="True"))
    first = ("PLN126", "flag: true is spelled True by the PBX")
    assert said(report) == [first]
    assert restart(machine, WISH) == restart(machine, WISH) == []
    machine.rewrite = sets(flag="TRUE")
    assert restart(machine, WISH) == [("PLN126", "flag: true is spelled TRUE by the PBX")]
    machine.rewrite = sets(flag="False")
    off = Wish("alpha", settings={**SETTINGS, "flag": "false"})
    assert restart(machine, off) == [("PLN126", "flag: false is spelled False by the PBX")]
    machine.rewrite = sets(flag="True")
    assert restart(machine, WISH) == [], "there and back again"
    newer = Wish("alpha", settings=SETTINGS, release="2")
    assert said(apply_to(fleet(newer), machine)) == [first]
    assert restart(machine, newer) == []


def test_of_many_spellings_the_newest_are_remembered() -> None:
    machine, _ = started(WISH, sets(flag="True"))
    for number in range(SPELLINGS + 5):
        machine.rewrite = sets(max=f" {number}")
        assert said(apply_to(fleet(numbered(number)), machine))
    kept = records_on(machine)["alpha"].proof.normalised
    assert len(kept) == SPELLINGS
    assert restart(machine, numbered(SPELLINGS + 4)) == []


def numbered(number: int) -> Wish:
    return Wish("alpha", settings={**SETTINGS, "max": str(number)})


def test_what_we_wrote_in_the_spelling_of_the_pbx_was_changed_by_nobody() -> None:
    machine, _ = started(WISH, sets(flag="True"))
    off = Look(fleet(Wish("alpha", settings={**SETTINGS, "flag": "false"})), machine)
    (delta,) = (f for c in off.plan.changes for f in c.fields if f.name == "flag")
    assert delta.status is Status.PENDING
    assert drift_items(off.difference, off.observed) == ()
    machine.write_as_pbx(fleet(WISH).target.instances["alpha"], sets(flag="yes"))
    again = Look(fleet(Wish("alpha", settings={**SETTINGS, "flag": "false"})), machine)
    assert [i.name for i in drift_items(again.difference, again.observed)] == ["flag"]


def test_a_changed_declaration_or_another_value_is_judged_anew() -> None:
    machine, _ = started(WISH, sets(flag="True"))
    machine.rewrite = None
    other = fleet(Wish("alpha", settings={**SETTINGS, "flag": "false"}))
    assert plan_of(other, machine).restarts() == ("alpha",)
    alpha = other.target.instances["alpha"]
    machine.write_as_pbx(alpha, sets(flag="yes"))
    look = Look(fleet(WISH), machine)
    assert [i.name for i in drift_items(look.difference, look.observed)] == ["flag"]
    assert look.plan.restarts() == ("alpha",)


REJECTING: list[tuple[Rewrite, str]] = [
    (sets(max="1000"), "max: is 1000, declared 5000"),  # cut down to a limit
    (sets(flag="false"), "flag: is false, declared true"),  # back to its default
    (sets(extra=None), "extra: is absent, declared x"),
    (sets(note=""), 'note: is "", declared text'),
    (sets(old_switch="on"), "old_switch: is on, declared absent"),
]


@pytest.mark.parametrize(("rewrite", "text"), REJECTING)
def test_what_the_pbx_does_not_take_is_said_in_every_plan_and_not_tried_again(
    rewrite: Rewrite, text: str
) -> None:
    machine, report = started(WISH, rewrite)
    assert said(report) == [("PLN120", text)]
    for _ in range(2):
        look = Look(fleet(WISH), machine)
        assert look.plan.steps == ()
        notes = [n for n in look.difference.notes if n.code == "PLN120"]
        assert len(notes) == 1 and notes[0].message.startswith(text.partition(":")[0])
        assert len(drift_items(look.difference, look.observed)) == 1
    assert "1000" not in (encode_record(records_on(machine)["alpha"])).decode(), "no contents"


def test_another_release_is_asked_again() -> None:
    machine, _ = started(WISH, sets(max="1000"))
    newer = fleet(Wish("alpha", settings=SETTINGS, release="2"))
    plan = plan_of(newer, machine)
    assert [f.name for c in plan.changes for f in c.fields if f.name == "max"] == ["max"]
    machine.rewrite = None
    assert said(apply_to(newer, machine, plan)) == []
    assert plan_of(newer, machine).is_empty


def test_a_seeded_element_that_the_pbx_drops_at_once_is_not_silent() -> None:
    wish = Wish("alpha", settings={"extra": Seeded("first")})
    machine, report = started(wish, sets(extra=None))
    assert said(report) == [("PLN120", "extra: is absent, declared first")]
    look = Look(fleet(wish), machine)
    assert look.plan.steps == () and [n.code for n in look.difference.notes][-1] == "PLN120"


def test_a_seeded_element_that_is_dropped_later_is_the_applications_business() -> None:
    wish = Wish("alpha", settings={"extra": Seeded("first")})
    machine, _ = started(wish, lambda content: content)
    machine.write_as_pbx(fleet(wish).target.instances["alpha"], sets(extra=None))
    again = fleet(Wish("alpha", settings={"extra": Seeded("first")}, failover="other"))
    assert said(apply_to(again, machine)) == []
    assert plan_of(again, machine).is_empty


def test_foreign_elements_that_vanish_at_the_start_are_named() -> None:
    machine, report = started(WISH, sets(licence=None, timezone=None))
    text = "the PBX has dropped elements that were in pbx.xml: licence, timezone"
    assert said(report) == [("PLN125", text)]
    assert plan_of(fleet(WISH), machine).is_empty


def test_twenty_elements_that_vanish_are_one_line() -> None:
    machine = Machine()
    assert not apply_to(fleet(WISH), machine).failure
    alpha = fleet(WISH).target.instances["alpha"]
    machine.write_as_pbx(alpha, sets(**{f"key_{n:02}": "v" for n in range(20)}))
    machine.rewrite = sets(**{f"key_{n:02}": None for n in range(20)})
    machine.on_stop = None
    report = apply_to(fleet(Wish("alpha", settings=SETTINGS, failover="other")), machine)
    ((code, text),) = said(report)
    assert code == "PLN125" and text.endswith("key_07 and 12 more")


def test_a_pbx_that_writes_late_is_waited_for() -> None:
    """It listens first, and writes its file a moment later."""

    class Late(Machine):
        due = 2

        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            if self.runs("/srv/pbx-alpha") and self.due:
                self.due -= 1
                alpha = fleet(WISH).target.instances["alpha"]
                self.write_as_pbx(alpha, sets(max="1000" if self.due else "900"))

    machine = Late()
    assert said(apply_to(fleet(WISH), machine)) == [("PLN120", "max: is 900, declared 5000")]
    assert plan_of(fleet(WISH), machine).steps == ()


def test_a_pbx_that_writes_all_the_time_is_not_waited_for_for_ever() -> None:
    class Restless(Machine):
        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            if self.runs("/srv/pbx-alpha"):
                alpha = fleet(WISH).target.instances["alpha"]
                self.write_as_pbx(alpha, sets(seen=str(self.paused_s)))

    machine = Restless()
    assert said(apply_to(fleet(WISH), machine)) == []
    assert machine.paused_s < 6


def test_binds_are_read_as_sets_of_sockets() -> None:
    def turned(content: bytes) -> bytes:
        found = re.search(rb"<ip_http_port>(.*?)</ip_http_port>", content)
        assert found is not None
        turned = b" ".join(reversed(found[1].split()))
        return content.replace(found[0], b"<ip_http_port>" + turned + b"</ip_http_port>")

    both = {"ip_http_port": "192.0.2.10:80 192.0.2.10:81"}
    wish = Wish("alpha", settings=both)
    machine, report = started(wish, turned)
    assert [code for code, _ in said(report) if code == "PLN126"] == ["PLN126"]
    assert not [c for c in plan_of(fleet(wish), machine).changes if c.kind == "settings"]


def test_secrets_are_neither_compared_nor_shown() -> None:
    def encrypts(content: bytes) -> bytes:
        return content.replace(b'encrypted="true">98a8<', b'encrypted="true">77aa<')

    machine, report = started(WISH, encrypts)
    assert said(report) == []
    state = [e[3] or b"" for p, e in machine.tree().items() if p.startswith("/var/lib")]
    assert not any(b"77aa" in content for content in state)
    assert machine.read(HostPath("/srv/pbx-alpha/pbx.xml")) is not None


def test_a_failed_wave_puts_back_also_what_the_pbx_has_spelled_its_way() -> None:
    """The process ends after it has rewritten its file: the old value has to come back all the same."""
    machine = Machine()
    assert not apply_to(fleet(WISH), machine).failure
    before = machine.read(WISH.pbx_xml)
    machine.rewrite, machine.on_stop = sets(flag="False"), None
    other = fleet(Wish("alpha", settings={**SETTINGS, "flag": "false"}))
    ends_at_its_first_start(machine)
    report = apply_to(other, machine)
    assert report.undone == ("alpha",), report
    assert machine.read(WISH.pbx_xml) == before and machine.runs(WISH.folder) == 1


def ends_at_its_first_start(machine: Machine) -> None:
    begin = machine.on_start
    left = [1]

    def start(host: FakeHost, instance: InstanceTarget) -> None:
        assert begin is not None
        begin(host, instance)
        if left:
            left.pop()
            machine.rewrite = None
            machine.kill(instance.name)

    machine.on_start = start
