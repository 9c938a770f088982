"""What becomes of the directory of a removed instance: nothing in it is lost, whatever happens on the way."""

from __future__ import annotations

import contextlib
import copy

import pytest

from pbxfleet.apply.undo import undo_entries
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.state import FOLDER, StateView
from pbxfleet.host.wrap import FailingHost, Power, RecordingHost
from pbxfleet.model.guards import Guards
from pbxfleet.model.journal import TakenBack, decode_run
from pbxfleet.model.plan import Do, Plan, Verb
from pbxfleet.model.target import Kind
from support.machine import (
    Look,
    Machine,
    announced,
    applied,
    apply_to,
    effects_on_host,
    memory_of,
    plan_of,
    settle,
)
from support.targets import Fleet, Wish, fleet

DATA = HostPath("/srv/pbx-alpha/recordings/call.wav")
ASIDE = "/srv/pbx-alpha.removed-1"
ARCHIVE = "/srv/removed/alpha-1.tar"
BETA = Wish("beta", "192.0.2.11")
POLICIES = ("keep", "aside", "archive")


def hosting(*wishes: Wish, removed: str = "keep", services: str = "systemd") -> Fleet:
    made = fleet(*wishes, services=services)
    guards = Guards(removed, HostPath("/srv/removed"))
    return made._replace(target=made.target._replace(guards=guards))


def world(services: str = "systemd") -> Machine:
    """Alpha and beta run, and alpha has a recording."""
    machine = applied(hosting(Wish("alpha"), BETA, services=services), services)
    machine.make_directory(HostPath("/srv/pbx-alpha/recordings"), 0o700, "pbx:pbx")
    machine.write(DATA, b"a call", 0o600, "pbx:pbx")
    return machine


def directory_changes(plan: Plan) -> list[tuple[Verb, str]]:
    return [(c.action, c.reason) for c in plan.changes if c.kind is Kind.DIRECTORY]


@pytest.mark.parametrize("services", ["direct", "systemd", "sysv", "compose"])
@pytest.mark.parametrize("policy", POLICIES)
def test_the_policy_decides(policy: str, services: str) -> None:
    machine = world(services)
    left = hosting(BETA, removed=policy, services=services)
    plan = plan_of(left, machine)
    size = "(381 bytes under 5 names)"
    assert directory_changes(plan) == [
        {
            "keep": (Verb.KEEP, f"kept with the data in it {size}"),
            "aside": (Verb.MOVE, f"moved to {ASIDE} {size}"),
            "archive": (Verb.MOVE, f"packed into {ARCHIVE}, then moved to {ASIDE} {size}"),
        }[policy]
    ], directory_changes(plan)
    recorded = RecordingHost(machine)
    report = apply_to(left, recorded, plan)
    assert not report.failure
    assert effects_on_host(recorded.effects) == announced(plan)
    settle(left, machine)
    files = [p for p, entry in machine.tree().items() if entry[0] == "file"]
    assert not [p for p in files if "alpha" in p and p.startswith(("/etc/", "/run/"))]
    moved = str(DATA) if policy == "keep" else str(DATA).replace("/srv/pbx-alpha", ASIDE)
    assert machine.tree()[moved] == ("file", 0o600, "pbx:pbx", b"a call")
    assert (machine.look(HostPath(ARCHIVE)).what == "file") is (policy == "archive")
    assert machine.runs("/srv/pbx-alpha") == 0 and machine.runs("/srv/pbx-beta") == 1
    assert Look(left, machine).observed.strays == (), "it is known, not a stray"


def test_nothing_is_moved_before_it_was_stopped_and_packed() -> None:
    plan = plan_of(hosting(BETA, removed="archive"), world())
    did = [s.do for s in plan.steps if s.wave == "alpha"]
    assert did[-2:] == [Do.ARCHIVE, Do.MOVE_ASIDE]
    assert did[0] is Do.STOP
    with_target = [(s.do, s.to) for s in plan.steps if s.to]
    assert with_target == [(Do.ARCHIVE, ARCHIVE), (Do.MOVE_ASIDE, ASIDE)]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("after", [False, True])
def test_whatever_fails_the_data_stay_and_the_next_run_converges(
    policy: str, *, after: bool
) -> None:
    start, left = world(), hosting(BETA, removed=policy)
    n = 0
    while True:
        machine = copy.deepcopy(start)
        failing = FailingHost(machine, n, after=after)
        with contextlib.suppress(HostError):
            apply_to(left, failing)
        if not failing.failed:
            break
        assert b"a call" in [entry[3] for entry in machine.tree().values()], n
        settle(left, machine)
        assert b"a call" in [entry[3] for entry in machine.tree().values()], n
        n += 1
    assert n > 8


@pytest.mark.parametrize("policy", POLICIES)
def test_a_run_that_was_cut_off_is_taken_back_from_its_journal(policy: str) -> None:
    start, left = world(), hosting(BETA, removed=policy)
    before = {p: e for p, e in start.tree().items() if not p.startswith(FOLDER)}
    n = 0
    while True:
        machine = copy.deepcopy(start)
        failing = FailingHost(machine, n, after=True, error=Power())
        with contextlib.suppress(Power):
            apply_to(left, failing)
        if not failing.failed:
            break
        n += 1
        run = decode_run(StateView(machine).journal())
        if run is None or run.over:
            continue
        taken: list[TakenBack] = []
        memory = memory_of(machine)
        for _ in range(2):  # what was taken back may be taken back again
            clean, untold = undo_entries(machine, memory, run.standing, taken.append)
            assert clean and not untold, taken
        now = {p: e for p, e in machine.tree().items() if not p.startswith(FOLDER)}
        assert {p: e for p, e in now.items() if p != "/srv/removed"} == before, n
        assert machine.runs("/srv/pbx-alpha") == 1
    assert n > 8


def test_what_is_there_already_is_never_taken() -> None:
    machine = world()
    for name in (f"{ASIDE}/theirs", "/srv/removed/alpha-1.tar", "/srv/removed/alpha-2.tar.sha256"):
        machine.make_directory(HostPath(name.rpartition("/")[0]), 0o755, "root:root")
        machine.write(HostPath(name), b"theirs", 0o644, "root:root")
    left = hosting(BETA, removed="archive")
    plan = plan_of(left, machine)
    assert [s.to for s in plan.steps if s.to] == [
        "/srv/removed/alpha-3.tar",
        "/srv/pbx-alpha.removed-2",
    ]
    settle(left, machine)
    assert machine.read(HostPath(f"{ASIDE}/theirs")) == b"theirs"


def test_a_directory_that_somebody_needs_stays() -> None:
    machine = world()
    renamed = hosting(Wish("gamma", directory="/srv/pbx-alpha"), BETA, removed="aside")
    ((action, reason),) = directory_changes(plan_of(renamed, machine))
    assert action is Verb.KEEP and reason.endswith("something that is declared lies there")
    settle(renamed, machine)
    assert machine.read(DATA) == b"a call"


def test_an_instance_that_comes_back_is_a_new_one() -> None:
    machine = world()
    settle(hosting(BETA, removed="aside"), machine)
    settle(hosting(Wish("alpha"), BETA, removed="aside"), machine)
    settle(hosting(BETA, removed="aside"), machine)
    assert machine.look(HostPath("/srv/pbx-alpha.removed-2/pbx.xml")).what == "file"
    assert machine.tree()[str(DATA).replace("/srv/pbx-alpha", ASIDE)][3] == b"a call"


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("mount", "is a mount point"),
        ("full", "are free"),
        ("unreadable", "cannot be looked through"),
    ],
)
def test_what_cannot_be_moved_is_said_before_anything_stops(problem: str, said: str) -> None:
    machine = world()
    left = hosting(BETA, removed="archive")
    look = Look(left, machine)
    leaving = look.observed.leaving["alpha"]
    assert leaving.size is not None
    changed = {
        "mount": leaving._replace(size=leaving.size._replace(is_mount=True)),
        "full": leaving._replace(free_bytes=1000),
        "unreadable": leaving._replace(size=None, problem="permission denied"),
    }[problem]
    from pbxfleet.plan.leaving import Directories

    _, notes = Directories(left.target).change("alpha", HostPath("/srv/pbx-alpha"), changed)
    assert [(n.code, n.severity, said in n.message) for n in notes] == [("PLN166", "error", True)]
