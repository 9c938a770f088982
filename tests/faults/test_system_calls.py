"""Every call of an apply that changes the host fails once, and is once the last one before a kill.

The real command on a host of three running instances, under strace. Points by PBXFLEET_FAULTS: without
it a sample that changes with the commit (PBXFLEET_FAULTS_SEED repeats one), `all`, or `2/5` for every
fifth from the second on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.e2e import PROGRAM
from support.faulty_site import FaultySite, Found
from support.sampling import chosen, seed
from support.strace import (
    ON_PROCESSES,
    Ended,
    Point,
    inject,
    points,
    require_strace,
    terminal_points,
)

KILL = "signal=KILL"
ERRORS = {
    "ENOSPC": "no space left on device",
    "EIO": "input/output error",
    "EACCES": "permission denied",
    "EROFS": "read-only file system",
    "EAGAIN": "resource temporarily unavailable",  # of a process that cannot be started
}
ON_FILES = ("ENOSPC", "EIO", "EACCES", "EROFS")
APPLY, RESUME, UNDO = "apply", "apply --resume", "apply --undo"
REFUSED, PARTLY_APPLIED, ROLLED_BACK = 1, 5, 6
SAMPLE, FIRST_SAMPLE, TERMINAL_SAMPLE = 5, 4, 2


class Fault(NamedTuple):
    """One call of one way, tampered with, and what is run next: UNDO first, or straight on."""

    way: str
    point: Point
    what: str
    then: str

    def __str__(self) -> str:
        return f"{self.way}: {self.what} at {self.point}, then {self.then}"


def faults(way: str, known: list[Point]) -> list[Fault]:
    """A kill, completed once and once undone, and every error, at every point."""
    found = []
    for point in known:
        found += [Fault(way, point, KILL, then) for then in (UNDO, RESUME)]
        names = ("EAGAIN",) if point.call in ON_PROCESSES else ON_FILES
        found += [
            Fault(way, point, f"error={name}", APPLY) for name in names if point.call != "kill"
        ]
    return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FaultySite]:
    require_strace()
    made = FaultySite(tmp_path / "site")
    made.as_process = False
    try:
        yield made
    finally:
        made.end()


class Way(NamedTuple):
    """An apply from one state of the host to another, and the calls by which it changes it."""

    name: str
    repository: Path
    before: Found
    after: Found
    points: list[Point]


def ways(site: FaultySite) -> dict[str, Way]:
    """There and back, each done and watched once."""
    found = {}
    for name, repository in (("there", site.new), ("back", site.old)):
        site.turn(repository)
        site.disturb()
        before = site.found()
        known = points(site.argv("--quiet"), site.env, site.root)
        found[name] = Way(name, repository, before, site.found(), known)
    return found


def test_there_and_back(site: FaultySite) -> None:
    site.begin()
    known = ways(site)
    everything = [fault for way in known.values() for fault in faults(way.name, way.points)]
    wrong = []
    at = "there"
    for fault in chosen(everything, SAMPLE, "there and back"):
        way = known[fault.way]
        if at != fault.way:  # the host is where this way leads to
            site.turn(known[at].repository)
            site.apply("--quiet")
        at = "back" if fault.way == "there" else "there"
        site.turn(way.repository)
        site.disturb()
        wrong += [f"{fault}: {what}" for what in tampered(site, way, fault)]
    assert not wrong, f"seed {seed()}:\n" + "\n".join(wrong)


def test_the_first_apply(site: FaultySite) -> None:
    site.begin_anew()
    before = site.found()
    known = points(site.argv("--quiet"), site.env, site.root)
    way = Way("first", site.old, before, site.found(), known)
    wrong = []
    for fault in chosen(faults(way.name, way.points), FIRST_SAMPLE, "first"):
        site.begin_anew()
        wrong += [f"{fault}: {what}" for what in tampered(site, way, fault)]
    assert not wrong, f"seed {seed()}:\n" + "\n".join(wrong)


def test_what_cannot_be_said_is_lost_and_nothing_else(site: FaultySite) -> None:
    """A connection that drops or a full disk behind a redirection ends no apply half-way."""
    site.begin()
    site.turn(site.new)
    known = terminal_points(site.argv(), site.env)
    everything = [(point, error) for point in known for error in ("EPIPE", "EIO", "ENOSPC")]
    wrong = []
    for point, error in chosen(everything, TERMINAL_SAMPLE, "terminal"):
        site.turn(site.old)
        site.apply("--quiet")
        site.turn(site.new)
        ended = inject(point, f"error={error}", site.argv(), site.env)
        if ended.code != 0 or "Traceback" in ended.err or "ignored" in ended.err:
            wrong.append(f"{error} at {point}: {ended}")
        wrong += [f"{error} at {point}: {w}" for w in (*site.not_as_declared(), *site.litter())]
    assert not wrong, f"seed {seed()}:\n" + "\n".join(wrong)


def test_a_plan_that_cannot_be_written(site: FaultySite) -> None:
    argv = (str(PROGRAM), "plan", "-C", str(site.repo), site.host, "--root", str(site.root))
    (point,) = terminal_points(argv, site.env)
    for error in ("EIO", "ENOSPC"):
        ended = inject(point, f"error={error}", argv, site.env)
        told = f"error[HST100]: the output: {ERRORS[error]}\n"
        assert (ended.code, ended.err) == (REFUSED, told)
    ended = inject(point, "error=EPIPE", argv, site.env)
    assert (ended.code, ended.err) == (0, ""), "the reader has what it wanted"


def tampered(site: FaultySite, way: Way, fault: Fault) -> list[str]:
    """What is not as it has to be after a fault, and after the next run."""
    ended = inject(fault.point, fault.what, site.argv("--quiet"), site.env)
    wrong = [] if ended.hit else ["the call was not made in this run"]
    wrong += site.wrong_at_once((way.before, way.after))
    wrong += _told(site, way, fault, ended)
    if fault.then != APPLY and site.is_unfinished():
        wrong += _gone_on(site, way, fault.then)
    again = site.run("apply", "--auto-approve", "--quiet")
    if again.code != 0:
        wrong.append(f"the next run does not converge: {again}")
    wrong += [*site.not_as_declared(), *site.litter()]
    lost = site.found().differs(way.after)
    return [*wrong, *(f"after the next run {name} is not as it was to be" for name in lost)]


def _gone_on(site: FaultySite, way: Way, then: str) -> list[str]:
    """Whether an unfinished run is completed or undone as it was asked."""
    code, meant = (ROLLED_BACK, way.before) if then == UNDO else (0, way.after)
    done = site.run("apply", then.partition(" ")[2], "--auto-approve", "--quiet")
    wrong = [] if done.code == code else [f"{then} ended with {done}"]
    if site.is_unfinished():
        wrong.append(f"after {then} there still is an unfinished run")
    return [*wrong, *(f"after {then}: {name}" for name in site.found().differs(meant))]


def _told(site: FaultySite, way: Way, fault: Fault, ended: Ended) -> list[str]:
    """Whether exit code and output tell what became of the host."""
    if fault.what == KILL:
        return [] if ended.code == 137 else [f"ended with {ended.code}"]
    now = site.found()
    if ended.code == 0:
        return [f"said to be done: {name}" for name in now.differs(way.after)]
    wrong = []
    if ended.code not in (REFUSED, PARTLY_APPLIED, ROLLED_BACK) or "Traceback" in ended.err:
        wrong.append(f"ended with {ended.code}: {ended.err}")
    if ERRORS[fault.what.removeprefix("error=")] not in ended.err:
        wrong.append(f"the error is not told: {ended.err}")
    if ended.code in (REFUSED, ROLLED_BACK):
        told = "nothing was done" if ended.code == REFUSED else "rolled back"
        wrong += [f"said that {told}: {name}" for name in now.differs(way.before)]
    return wrong
