"""Generations: one for each run that left something, whole or not at all, and only so many are kept."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable

import pytest

from pbxfleet.app.generations import (
    finish,
    generations,
    journal_of,
    packed,
    retain,
    retention,
    size_bytes,
    stage,
    unpacked,
)
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.host.state import KEPT, RECORDS, State
from pbxfleet.host.wrap import FailingHost, Power, RecordingHost
from pbxfleet.model.guards import GENERATIONS
from pbxfleet.model.manifest import MANIFEST, encode
from support.machine import Machine, apply_to
from support.targets import Fleet, Wish, fleet


class Files:
    """The tree of a fleet in memory: only its manifest is looked at here."""

    host = "fra1"

    def __init__(self, known: Fleet) -> None:
        self.known = known

    def files(self) -> Iterable[tuple[str, bytes]]:
        return [(MANIFEST, encode(self.known.target)), ("root/etc/x", b"x")]

    def fields(self, instance: str) -> tuple[()]:
        return ()

    def rendered(self, source: str, digest: Digest) -> bytes:
        return b""

    def artefact(self, source: str, digest: Digest) -> str:
        return ""


def named(number: int) -> Fleet:
    return fleet(
        Wish("alpha", settings={"mode": f"m{number}"}),
        Wish("beta", "192.0.2.11"),
        services="systemd",
    )


def run(machine: Machine, known: Fleet, keep: int = GENERATIONS, host: Host | None = None) -> None:
    through = host or machine
    stage(State(through), Files(known))
    report = apply_to(known, through, close=False)
    assert not report.failure, report.failure
    retain(State(through), keep)
    finish(State(through))


def test_each_run_that_changes_something_is_one() -> None:
    machine = Machine("systemd")
    for number in range(3):
        run(machine, named(number))
    known = generations(State(machine))
    assert [g.number for g in known] == [1, 2, 3]
    assert [g.instances for g in known] == [("alpha", "beta"), ("alpha",), ("alpha",)]
    assert [g.restarted for g in known] == [(), ("alpha",), ("alpha",)]
    assert not State(machine).journal()
    before = machine.tree()
    finish(State(machine))
    assert machine.tree() == before, "without a run there is none"


def test_a_journal_that_nobody_understands_is_closed_and_is_none() -> None:
    machine = Machine("systemd")
    run(machine, named(0))
    State(machine).append_journal({"event": "begin", "format": 99})
    assert finish(State(machine)) is None
    assert not State(machine).journal()
    assert [g.number for g in generations(State(machine))] == [1]


def test_only_so_many_are_kept_with_what_they_need() -> None:
    machine = Machine("systemd")
    for number in range(5):
        run(machine, named(number), keep=2)
    state = State(machine)
    assert [g.number for g in generations(state)] == [4, 5]
    assert len([n for n in state.records("generations")]) == 8
    for number in (4, 5):
        done = journal_of(state, number)
        assert done is not None and done.standing
        assert unpacked(state, number)["root/etc/x"] == b"x"
    assert len(machine.names(KEPT)) == 2, "pbx.xml from before each of the two"


def test_fewer_are_kept_at_once_and_more_from_now_on() -> None:
    machine = Machine("systemd")
    state = State(machine)
    for number in range(5):
        run(machine, named(number))
    whole = size_bytes(state)
    assert retention(state) == GENERATIONS and len(generations(state)) == 5
    retain(state, 2)
    assert [g.number for g in generations(state)] == [4, 5] and len(machine.names(KEPT)) == 2
    assert 0 < size_bytes(state) < whole
    before = machine.tree()
    retain(state, 2)
    assert machine.tree() == before, "it is so already"
    for number in range(5, 9):
        run(machine, named(number), keep=3)
    assert [g.number for g in generations(state)] == [7, 8, 9]


def test_what_an_open_run_needs_is_not_forgotten_with_the_oldest() -> None:
    machine = Machine("systemd")
    for number in range(3):
        run(machine, named(number))
    stage(State(machine), Files(named(4)))
    assert not apply_to(named(4), machine, close=False).failure
    before = set(machine.names(KEPT))
    retain(State(machine), 2)
    assert set(machine.names(KEPT)) == before
    assert finish(State(machine)) is not None
    assert [g.number for g in generations(State(machine))] == [3, 4]
    assert len(machine.names(KEPT)) == 2


def test_contents_of_generations_from_before_they_were_listed_are_kept_too() -> None:
    machine = Machine("systemd")
    for number in range(3):
        run(machine, named(number))
    for number in (1, 2, 3):
        machine.remove(HostPath(f"{RECORDS}/generations/{number:06}.needs"))
    before = set(machine.names(KEPT))
    run(machine, named(4))
    assert before < set(machine.names(KEPT))


def ending() -> Machine:
    """A run that is over, but not a generation yet."""
    machine = Machine("systemd")
    run(machine, named(0))
    stage(State(machine), Files(named(1)))
    assert not apply_to(named(1), machine, close=False).failure
    return machine


ENDING = ending()


def effects() -> int:
    recorded = RecordingHost(copy.deepcopy(ENDING))
    finish(State(recorded))
    return len(recorded.effects)


@pytest.mark.parametrize("n", range(effects()))
def test_a_crash_while_it_is_written_leaves_one_and_not_two(n: int) -> None:
    machine = copy.deepcopy(ENDING)
    with contextlib.suppress(Power):
        finish(State(FailingHost(machine, n, after=True, error=Power())))
    finish(State(machine))
    known = generations(State(machine))
    assert [g.number for g in known] == [1, 2]
    assert len({g.target for g in known}) == 2
    assert not State(machine).journal()


def test_same_files_same_bytes() -> None:
    files = [("b", b"2"), ("a", b"1")]
    assert packed(files) == packed(reversed(files))


def test_what_is_damaged_is_refused() -> None:
    machine = copy.deepcopy(ENDING)
    finish(State(machine))
    machine.write(HostPath(f"{RECORDS}/generations/000001.zip"), b"PK rubbish", 0o600, "")
    with pytest.raises(Refused, match="damaged"):
        unpacked(State(machine), 1)
    machine.write(HostPath(f"{RECORDS}/generations/000001.json"), b"{}", 0o600, "")
    with pytest.raises(Refused, match="damaged"):
        generations(State(machine))
