"""Live changes on a fake host: what is predicted happens, second plans are empty, undo restores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations

import pytest

from pbxfleet.apply.inverse import take_back
from pbxfleet.core.errors import HostError
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.wrap import DryRunHost, RecordingHost
from pbxfleet.model.applied import Live, decode_record, encode_record
from pbxfleet.model.asking import NO_ANSWER, Answer, Question
from pbxfleet.model.journal import ConfigureBack, decode_inverse, encode_inverse
from pbxfleet.model.manifest import fields_digest
from pbxfleet.model.plan import Do, Plan
from pbxfleet.model.target import ExpectedListener, Impact, InstanceTarget, Kind, Login
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.pbx_xml import read
from support.machine import (
    Machine,
    announced,
    apply_to,
    effects_on_host,
    memory_of,
    plan_of,
    records_on,
)
from support.targets import Fleet, Wish, fleet

# Every setting of the catalogue but the binds and logins that the fake host lives by.
KEYS = [name for name in SETTINGS if name not in ("ip_http_port", "sys_name", "pw_pass")]


class Rest:
    """The REST interface of a fake PBX; `known` are names that it tells, `deaf` those it ignores."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.values: dict[int, dict[str, str]] = {}
        self.hidden: set[str] = set()
        self.deaf: set[str] = set()
        self.down = False
        machine.answers = self.answer
        machine.configures = self.configure

    def of(self, instance: InstanceTarget) -> dict[str, str]:
        (process,) = self.machine.processes[instance.executable]
        if process.pid not in self.values:
            document = read(process.settings or b"")
            found = {n: document.get(n) for n in document.names}
            self.values[process.pid] = {n: e.value or "" for n, e in found.items() if e}
        return self.values[process.pid]

    def answer(
        self, _: FakeHost, instance: InstanceTarget, question: Question, __: ExpectedListener
    ) -> Answer:
        if self.down:
            return Answer(0, b"", NO_ANSWER)
        if question is Question.CONFIG:
            told = {n: v for n, v in self.of(instance).items() if n not in self.hidden}
            return Answer(200, json.dumps(told).encode(), "")
        return Answer(200, b"{}", "")

    def configure(self, _: FakeHost, instance: InstanceTarget, values: Mapping[str, str]) -> Answer:
        mine = self.of(instance)
        mine.update({n: v for n, v in values.items() if n in mine and n not in self.deaf})
        return Answer(200, b"true", "")


def asked(**settings: str) -> Fleet:
    """One instance with a login and a web listener; each setting with the class of the catalogue."""
    made = fleet(Wish("alpha", settings=dict(settings)))
    alpha = made.target.instances["alpha"]
    listeners = tuple(
        x._replace(role="http") if x.protocol == "tcp" else x for x in alpha.listeners
    )
    login = Login("admin", alpha.directory)
    alpha = alpha._replace(listeners=listeners, api=login)
    fields = tuple(
        f._replace(impact=Impact(SETTINGS[f.name].impact)) if f.name in SETTINGS else f
        for f in made.contents.fields("alpha")
    )
    made.contents.settings["alpha"] = fields
    resources = {
        key: r._replace(fields_digest=fields_digest(fields)) if r.kind is Kind.SETTINGS else r
        for key, r in made.target.resources.items()
    }
    target = made.target._replace(instances={"alpha": alpha}, resources=resources)
    return made._replace(target=target)


BASE = {name: f"old {name}" for name in KEYS}


@pytest.fixture(name="machine")
def _machine() -> Machine:
    machine = Machine()
    Rest(machine)
    report = apply_to(asked(**BASE), machine)
    assert not report.failure, report.failure
    return machine


def pid(machine: Machine) -> int:
    ((process,),) = machine.processes.values()
    return process.pid


def predicted(plan: Plan) -> str:
    return "restart" if plan.restarts() else "live" if plan.steps else "none"


def effect(machine: Machine, declared: Mapping[str, str]) -> str:
    """What an apply of other values did to the process that runs."""
    before = pid(machine)
    report = apply_to(asked(**declared), machine)
    assert not report.failure, report.failure
    rest = machine.answers.__self__  # type: ignore[attr-defined]
    told = rest.of(asked().target.instances["alpha"])
    assert {n: told[n] for n in declared} == declared
    return "live" if pid(machine) == before else "restart"


@pytest.mark.parametrize("name", KEYS)
def test_the_predicted_class_of_every_key_is_its_effect(machine: Machine, name: str) -> None:
    declared = {**BASE, name: "new"}
    expected = predicted(plan_of(asked(**declared), machine))
    assert expected == effect(machine, declared)
    row = SETTINGS[name]
    assert expected == ("live" if row.impact == "live" and not row.secret else "restart")
    assert plan_of(asked(**declared), machine).is_empty


def test_the_predicted_class_of_every_pair_is_the_dearer_one(machine: Machine) -> None:
    single = {name: predicted(plan_of(asked(**{**BASE, name: "new"}), machine)) for name in KEYS}
    for one, other in combinations(KEYS, 2):
        declared = {**BASE, one: "new", other: "new"}
        found = predicted(plan_of(asked(**declared), machine))
        assert found == max(single[one], single[other]), (one, other)  # live < restart


def test_what_the_plan_announced_is_what_is_done(machine: Machine) -> None:
    wanted = asked(**{**BASE, "log_length": "7", "syslog_prefix": "a"})
    plan = plan_of(wanted, machine)
    assert [(s.do, s.impact) for s in plan.steps] == [(Do.CONFIGURE, Impact.LIVE)]
    recorded = RecordingHost(machine)
    apply_to(wanted, recorded, plan)
    assert effects_on_host(recorded.effects) == announced(plan)
    again = RecordingHost(machine)
    apply_to(wanted, again, plan_of(wanted, again))
    assert again.effects == []


def test_a_dry_run_sees_the_change_and_makes_none(machine: Machine) -> None:
    wanted = asked(**{**BASE, "log_length": "7"})
    dry = DryRunHost(machine)
    assert not apply_to(wanted, dry).failure
    assert plan_of(wanted, machine).steps


def test_what_was_given_is_remembered_while_that_process_runs(machine: Machine) -> None:
    rest = machine.answers.__self__  # type: ignore[attr-defined]
    wanted = asked(**{**BASE, "log_length": "7"})
    apply_to(wanted, machine)
    rest.down = True
    assert plan_of(wanted, machine).is_empty
    rest.down = False
    machine.stop(wanted.target.instances["alpha"], 1)
    machine.start(wanted.target.instances["alpha"])
    assert not plan_of(wanted, machine).is_empty
    apply_to(wanted, machine)
    assert plan_of(wanted, machine).is_empty


def test_what_is_not_taken_is_not_offered_again(machine: Machine) -> None:
    rest = machine.answers.__self__  # type: ignore[attr-defined]
    rest.deaf = {"log_length"}
    wanted = asked(**{**BASE, "log_length": "7", "syslog_prefix": "a"})
    report = apply_to(wanted, machine)
    assert [n.code for n in report.unproven] == ["PLN128"]
    assert predicted(plan_of(wanted, machine)) == "restart"
    other = asked(**{**BASE, "log_length": "8", "syslog_prefix": "a"})
    assert predicted(plan_of(other, machine)) == "live"


def test_an_inverse_sets_back_what_is_still_ours(machine: Machine) -> None:
    rest = machine.answers.__self__  # type: ignore[attr-defined]
    alpha = asked().target.instances["alpha"]
    values = rest.of(alpha)
    inverse = ConfigureBack(
        alpha, {"log_length": "1", "syslog_prefix": "b"}, {"log_length": "2", "syslog_prefix": "c"}
    )
    assert decode_inverse(json.loads(json.dumps(encode_inverse(inverse)))) == inverse
    values.update(log_length="2", syslog_prefix="theirs")
    for _ in range(2):
        assert take_back(machine, memory_of(machine), inverse) == ""
        assert (values["log_length"], values["syslog_prefix"]) == ("1", "theirs")
    values["log_length"] = "2"
    rest.deaf = {"log_length"}
    assert "did not take back log_length" in take_back(machine, memory_of(machine), inverse)
    rest.down = True
    with pytest.raises(HostError, match="does not tell its settings"):
        take_back(machine, memory_of(machine), inverse)
    machine.stop(alpha, 1)
    assert "it does not run" in take_back(machine, memory_of(machine), inverse)


def test_records_keep_what_was_changed_live_and_old_ones_are_read(machine: Machine) -> None:
    record = records_on(machine)["alpha"]
    live = record._replace(live=Live("1 2 boot", {"a": "x"}, {"b": None}))
    assert decode_record(encode_record(live)) == live
    data = json.loads(encode_record(record))
    assert "live" not in data
    data["declared"] = data["declared"][:14]
    data["declared"][7] = [listener[:3] for listener in data["declared"][7]]
    old = decode_record(json.dumps(data).encode())
    assert old.declared is not None
    assert old.declared.api is None
    assert old.declared.probes.stable_s == 2
    for broken in ([], ["1", [], {}], [1, {}, {}]):
        with pytest.raises(ValueError, match="not an applied record"):
            decode_record(json.dumps({**data, "live": broken}).encode())
