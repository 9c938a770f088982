"""Restart debt: whatever happened, a plan lists exactly the restarts that running processes are owed."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from typing import NamedTuple

import pytest

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.paths import HostPath
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.wrap import Effect, FailingHost, Power, RecordingHost
from pbxfleet.model.applied import Started, decode_record, encode_record
from pbxfleet.model.asking import NO_ANSWER, Answer, Question
from pbxfleet.model.debt import is_part
from pbxfleet.model.plan import Do, Selection
from pbxfleet.model.target import ExpectedListener, InstanceTarget, Login
from pbxfleet.plan.make import make_plan
from pbxfleet.plan.selection import of_selection, select
from pbxfleet.report.plan_json import decode_plan, encode_plan
from support.events import happen
from support.machine import Look, Machine, applied, apply_to, plan_of, records_on, settle
from support.targets import Fleet, Wish, fleet

ALPHA = Wish("alpha", "192.0.2.10", failover="one", settings={"mode": "a"})
BETA = Wish("beta", "192.0.2.11", cpu=1)
BEFORE = fleet(ALPHA, BETA, services="systemd")
AFTER = fleet(
    Wish("alpha", "192.0.2.10", failover="two", release="2", settings={"mode": "b"}),
    Wish("beta", "192.0.2.11", cpu=2, failover="other"),
    services="systemd",
)
FAILOVER = "/etc/pbx/failover-alpha.conf"
UNIT = "/etc/systemd/system/pbx-alpha.service"
NAMES = {FAILOVER: FAILOVER, UNIT: "unit", "/srv/pbx-alpha/pbxctrl.dat": "release"}


def rendered(wanted: Fleet, path: str) -> bytes:
    return (
        wanted.contents.files.get(f"root{path}")
        or wanted.contents.artefacts[
            next(r.source for r in wanted.target.resources.values() if r.path == path)
        ]
    )


def put(machine: Machine, path: str, content: bytes) -> None:
    machine.write(HostPath(path), content, None, "root:root")


def owed(wanted: Fleet, machine: Machine) -> set[tuple[str, str]]:
    return {(d.instance, n) for d in Look(wanted, machine).difference.debts for n in d.names}


@pytest.mark.parametrize("path", NAMES)
def test_a_file_that_is_replaced_under_the_process_is_owed_a_restart(path: str) -> None:
    """Somebody copies what is declared now over the file, as a deployment by another tool does."""
    machine = applied(BEFORE, "systemd")
    wanted = fleet(
        Wish("alpha", "192.0.2.10", failover="two", release="2", cpu=3, settings={"mode": "a"}),
        BETA,
        services="systemd",
    )
    put(machine, path, rendered(wanted, path))
    debts = Look(wanted, machine).difference.debts
    assert [(d.instance, d.names) for d in debts] == [("alpha", (NAMES[path],))]
    (debt,) = debts
    assert debt.since and debt.process and debt.started_with
    plan = plan_of(wanted, machine)
    assert plan.restarts() == ("alpha",)
    (change,) = (c for c in plan.changes if c.resource == "service:pbx-alpha")
    assert change.reason.startswith("restart owed since ")
    assert NAMES[path] in {f.name for f in change.fields}
    assert decode_plan(encode_plan(plan), "it").debts == debts
    settle(wanted, machine)
    assert owed(wanted, machine) == set()


def one_file(path: str) -> tuple[Machine, Fleet]:
    """Only this file is other than it was when the process was started, and is as declared."""
    machine = applied(BEFORE, "systemd")
    wanted = fleet(ALPHA if path != FAILOVER else two(), BETA, services="systemd")
    if path == UNIT:
        content = b"another unit"
        wanted = with_content(wanted, path, content)
    put(machine, path, rendered(wanted, path))
    return machine, wanted


def two() -> Wish:
    return Wish("alpha", "192.0.2.10", failover="two", settings={"mode": "a"})


def with_content(wanted: Fleet, path: str, content: bytes) -> Fleet:
    wanted.contents.files[f"root{path}"] = content
    resources = {
        key: r._replace(digest=digest_of(content)) if r.path == path else r
        for key, r in wanted.target.resources.items()
    }
    return wanted._replace(target=wanted.target._replace(resources=resources))


@pytest.mark.parametrize("path", [FAILOVER, UNIT])
def test_a_plan_is_not_empty_while_a_restart_is_owed_and_pays_with_just_that(path: str) -> None:
    machine, wanted = one_file(path)
    plan = plan_of(wanted, machine)
    assert not plan.is_empty
    dos = [Do.STOP, *([Do.RELOAD] if path == UNIT else []), Do.START, Do.PROVE]
    assert [s.do for s in plan.steps] == dos, "a unit that was copied by hand may not be loaded"
    settle(wanted, machine)


@pytest.mark.parametrize("by_hand", [False, True], ids=["our-start", "another-start"])
def test_the_debt_stays_when_only_the_record_is_brought_up_to_date(by_hand: bool) -> None:
    """The record then says what is on disk: that the process had another file must not be lost."""
    machine, wanted = one_file(FAILOVER)
    if by_hand:
        put(machine, FAILOVER, rendered(BEFORE, FAILOVER))
        for event in ("end", "run by hand"):
            happen(machine, wanted.target.instances["alpha"], (event,))
        put(machine, FAILOVER, rendered(wanted, FAILOVER))
    machine.lose_record("beta")  # gives the run something to write down
    assert owed(wanted, machine) == {("alpha", FAILOVER)}
    for _ in range(2):
        seen = Look(wanted, machine)
        part = Selection(without=("service:pbx-alpha",))
        rest, left = select(seen.difference, part, wanted.target, seen.observed, seen.records)
        plan = make_plan(wanted.target, seen.observed, seen.records, rest, "/")
        plan = of_selection(plan, part, left, wanted.target)
        assert not plan.restarts()
        apply_to(wanted, machine, plan._replace(outdated=("alpha", "beta")))
        assert records_on(machine)["alpha"].resources[f"file:{FAILOVER}"].digest == next(
            r.digest for r in wanted.target.resources.values() if r.path == FAILOVER
        )
        assert owed(wanted, machine) == {("alpha", FAILOVER)}
    settle(wanted, machine)
    assert owed(wanted, machine) == set()


def test_what_another_start_has_read_is_owed_to_nobody() -> None:
    """A reboot, or a person: the files were not changed after that."""
    machine, wanted = one_file(FAILOVER)
    alpha = wanted.target.instances["alpha"]
    happen(machine, alpha, ("end",))
    happen(machine, alpha, ("run by hand",))
    assert owed(wanted, machine) == set()
    assert not [n for n in plan_of(wanted, machine).notes if n.code == "PLN129"]


def test_of_another_start_the_stamps_tell() -> None:
    machine = applied(BEFORE, "systemd")
    alpha = BEFORE.target.instances["alpha"]
    happen(machine, alpha, ("end",))
    happen(machine, alpha, ("run by hand",))
    wanted = fleet(two(), BETA, services="systemd")
    put(machine, FAILOVER, rendered(wanted, FAILOVER))
    assert owed(wanted, machine) == {("alpha", FAILOVER)}
    happen(machine, alpha, ("mode", UNIT, "0600"))
    happen(machine, alpha, ("mode", UNIT, "0644"))
    notes = [n for n in plan_of(wanted, machine).notes if n.code == "PLN129"]
    assert [(n.severity, n.resource) for n in notes] == [("advice", f"file:{UNIT}")]
    assert owed(wanted, machine) == {("alpha", FAILOVER)}, "nobody is restarted for a guess"


@pytest.mark.parametrize("instance", ["alpha", "beta"])
def test_a_pbx_that_rewrites_its_file_while_it_runs_is_owed_nothing(instance: str) -> None:
    machine = Machine("systemd")
    machine.rewrite = lambda content: content.replace(b"<timezone/>", b"<timezone>x</timezone>")
    apply_to(BEFORE, machine)
    settle(BEFORE, machine)
    machine.write_as_pbx(
        BEFORE.target.instances[instance], lambda content: content + b"<!-- written again -->\n"
    )
    assert owed(BEFORE, machine) == set()
    assert plan_of(BEFORE, machine).is_empty


class Telling:
    """A PBX with a REST interface that only tells what it works with."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def __call__(
        self, _: FakeHost, __: InstanceTarget, question: Question, ___: ExpectedListener
    ) -> Answer:
        if question is Question.CONFIG:
            return Answer(200, json.dumps(self.values).encode(), "")
        return Answer(200, b"", "")


def silent(_: FakeHost, __: InstanceTarget, question: Question, ___: ExpectedListener) -> Answer:
    return Answer(0, b"", NO_ANSWER) if question is Question.CONFIG else Answer(200, b"", "")


@pytest.mark.parametrize(
    ("answers", "debts", "notes"),
    [
        (Telling(mode="a"), {("alpha", "mode")}, 0),
        (Telling(mode="b"), set(), 0),
        (Telling(other="b"), set(), 1),
        (silent, set(), 1),
    ],
    ids=["says-otherwise", "says-so", "does-not-know-it", "does-not-answer"],
)
def test_a_declared_value_that_came_into_the_file_while_it_ran(
    answers: Callable[..., Answer], debts: set[tuple[str, str]], notes: int
) -> None:
    """Written by the PBX or by a person: only the process can tell whether it has it."""
    before, wanted = (
        asked(Wish("alpha", "192.0.2.10", settings={"mode": mode})) for mode in ("a", "b")
    )
    machine = Machine()
    machine.answers = answers
    assert not apply_to(before, machine).failure
    happen(machine, wanted.target.instances["alpha"], ("set", "mode", "b"))
    assert owed(wanted, machine) == debts
    found = [n for n in plan_of(wanted, machine).notes if n.code == "PLN129"]
    assert len(found) == notes
    assert bool(plan_of(wanted, machine).restarts()) == bool(debts)


def asked(wish: Wish) -> Fleet:
    made = fleet(wish)
    alpha = made.target.instances["alpha"]
    listeners = tuple(
        x._replace(role="http") if x.protocol == "tcp" else x for x in alpha.listeners
    )
    instances = {"alpha": alpha._replace(listeners=listeners, api=Login("admin", alpha.directory))}
    return made._replace(target=made.target._replace(instances=instances))


def test_records_know_what_was_started_and_old_ones_are_still_read() -> None:
    machine = applied(BEFORE, "systemd")
    record = records_on(machine)["alpha"]
    parts = {r.id for r in BEFORE.target.resources.values() if r.instance == "alpha" and is_part(r)}
    assert set(record.started.parts) == parts and len(parts) == 4
    assert decode_record(encode_record(record)) == record
    old = record._replace(started=Started())
    assert b"started" not in encode_record(old) and decode_record(encode_record(old)) == old
    for wrong in ('"x"', "[1,{}]", '["a",[]]', '["a"]'):
        content = encode_record(old)[:-2] + f',"started":{wrong}}}\n'.encode()
        with pytest.raises(ValueError, match="not an applied record"):
            decode_record(content)


class Watched(Machine):
    """Knows of every process which files it was started with."""

    def __init__(self, services: str = "systemd") -> None:
        super().__init__(services)
        self.parts: dict[int, dict[str, Digest | None]] = {}

    def note(self, wanted: Fleet) -> None:
        """What processes that nobody has looked at yet were started with: what is on disk now."""
        for instance in wanted.target.instances.values():
            for process in self.processes.get(instance.executable, ()):
                files = (r for r in wanted.target.resources.values() if is_part(r))
                self.parts.setdefault(
                    process.pid,
                    {r.id: self.look(r.path).digest for r in files if r.instance == instance.name},
                )


class Supervised(FailingHost):
    """From effect `k` on a supervisor starts again what does not run; at effect `n` all is over."""

    def __init__(self, host: Watched, k: int, n: int) -> None:
        super().__init__(host, n, after=True, error=Power())
        self.machine = host
        self._k = k

    def _effect(self, effect: Effect, perform: Callable[[], None]) -> None:
        over = self.count >= self._n
        with contextlib.ExitStack() as stack:
            stack.callback(self._supervise)
            super()._effect(effect, perform)
        assert not over

    def _supervise(self) -> None:
        self.machine.note(AFTER)
        for name in ("alpha", "beta") if self.count > self._k else ():
            instance = AFTER.target.instances[name]
            if not self.machine.runs(instance.directory):
                self.machine.run(instance)
        self.machine.note(AFTER)


def start() -> Watched:
    machine = Watched()
    report = apply_to(BEFORE, machine)
    assert not report.failure, report.failure
    machine.note(AFTER)
    return machine


START = start()


def count() -> int:
    recorded = RecordingHost(copy.deepcopy(START))
    assert not apply_to(AFTER, recorded).failure
    return len(recorded.effects)


COUNT = count()


class Ended(NamedTuple):
    """A machine after a kill; `owing` are files that its processes lack, `missing` who needs a restart."""

    machine: Watched
    owing: set[tuple[str, str]]
    missing: set[str]


def killed(k: int, n: int) -> Ended:
    """An apply that ends at effect `n`; from effect `k` on a supervisor starts what is down."""
    machine = copy.deepcopy(START)
    with contextlib.suppress(Power):
        apply_to(AFTER, Supervised(machine, k, n), plan_of(AFTER, machine))
    ended = Ended(machine, set(), set())
    for resource in AFTER.target.resources.values():
        if not is_part(resource):
            continue
        instance = AFTER.target.instances[resource.instance]
        on_disk = machine.look(resource.path).digest
        for process in machine.processes.get(instance.executable, ()):
            started_with = machine.parts[process.pid][resource.id]
            if not started_with == on_disk == resource.digest:
                ended.missing.add(instance.name)
            if started_with != on_disk == resource.digest:
                ended.owing.add((instance.name, resource.id))
    return ended


@pytest.mark.parametrize("n", range(COUNT))
def test_wherever_apply_is_killed_the_next_plan_lists_exactly_the_missing_restarts(n: int) -> None:
    for k in (COUNT, max(0, n - 11), max(0, n - 4), n):
        machine, owing, missing = killed(k, n)
        found = Look(AFTER, machine)
        assert {(d.instance, d.resource) for d in found.difference.debts} == owing, k
        assert missing <= set(found.plan.restarts()), k
        machine.accidents.clear()
        settle(AFTER, machine)
        assert not Look(AFTER, machine).difference.debts


def test_some_of_these_ends_leave_a_debt() -> None:
    assert any(killed(4, n).owing for n in range(4, COUNT))
