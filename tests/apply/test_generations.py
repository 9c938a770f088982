"""Generations: one for each run that left something, whole or not at all, and only so many are kept."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable

import pytest

from pbxfleet.app.generations import finish, generations, journal_of, packed, stage, unpacked
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.host.state import KEPT, RECORDS, State
from pbxfleet.host.wrap import FailingHost, Power, RecordingHost
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


def run(machine: Machine, known: Fleet, keep: int = 20, host: Host | None = None) -> None:
    through = host or machine
    stage(State(through), Files(known))
    report = apply_to(known, through, close=False)
    assert not report.failure, report.failure
    finish(State(through), keep=keep)


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
    finish(State(machine), keep=20)
    assert machine.tree() == before, "without a run there is none"


def test_only_so_many_are_kept_with_what_they_need() -> None:
    machine = Machine("systemd")
    for number in range(5):
        run(machine, named(number), keep=2)
    state = State(machine)
    assert [g.number for g in generations(state)] == [4, 5]
    assert len([n for n in state.records("generations")]) == 6
    for number in (4, 5):
        done = journal_of(state, number)
        assert done is not None and done.standing
        assert unpacked(state, number)["root/etc/x"] == b"x"
    assert len(machine.names(KEPT)) == 2, "pbx.xml from before each of the two"


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
    finish(State(recorded), keep=1)
    return len(recorded.effects)


@pytest.mark.parametrize("n", range(effects()))
def test_a_crash_while_it_is_written_leaves_one_and_not_two(n: int) -> None:
    machine = copy.deepcopy(ENDING)
    with contextlib.suppress(Power):
        finish(State(FailingHost(machine, n, after=True, error=Power())), keep=20)
    finish(State(machine), keep=20)
    known = generations(State(machine))
    assert [g.number for g in known] == [1, 2]
    assert len({g.target for g in known}) == 2
    assert not State(machine).journal()


def test_same_files_same_bytes() -> None:
    files = [("b", b"2"), ("a", b"1")]
    assert packed(files) == packed(reversed(files))


def test_what_is_damaged_is_refused() -> None:
    machine = copy.deepcopy(ENDING)
    finish(State(machine), keep=20)
    machine.write(HostPath(f"{RECORDS}/generations/000001.zip"), b"PK rubbish", 0o600, "")
    with pytest.raises(Refused, match="damaged"):
        unpacked(State(machine), 1)
    machine.write(HostPath(f"{RECORDS}/generations/000001.json"), b"{}", 0o600, "")
    with pytest.raises(Refused, match="damaged"):
        generations(State(machine))
