"""A run that ended half-way is undone from its journal alone, by somebody who knows nothing else."""

from __future__ import annotations

import contextlib
import copy
import json

import pytest

from apply.test_failures import AFTER, BEFORE, COUNT, START
from pbxfleet.app.unfinished import must_go_on
from pbxfleet.apply.undo import undo_entries
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.host.state import FOLDER, JOURNAL, State, StateView
from pbxfleet.host.wrap import FailingHost, Power
from pbxfleet.model.journal import (
    WORDS,
    ConfigureBack,
    Inverse,
    MoveBack,
    Nothing,
    PutBack,
    PutRecordBack,
    PutValuesBack,
    ReloadAgain,
    RemoveArchive,
    RemoveSettings,
    Run,
    SetEnabled,
    StartAgain,
    StopAgain,
    TakenBack,
    decode_inverse,
    decode_run,
    encode_inverse,
)
from support.events import happen
from support.machine import Machine, apply_to, memory_of, plan_of, records_on, settle

ALPHA = BEFORE.target.instances["alpha"]
PATH = HostPath("/etc/pbx/failover-alpha.conf")
DIGEST = Digest("sha256:" + "ab" * 32)
INVERSES: tuple[Inverse, ...] = (
    Nothing(),
    PutBack(PATH, "file", 0o640, "root:root", DIGEST, "", Digest("")),
    PutValuesBack(PATH, ALPHA, DIGEST, DIGEST, {"mode": "ab", "gone": None}),
    ConfigureBack(ALPHA, {"log_length": "1"}, {"log_length": "2"}),
    RemoveSettings(PATH, ALPHA, DIGEST),
    StopAgain(ALPHA, 60),
    StartAgain(ALPHA, ("", DIGEST), ("listener tcp 192.0.2.10:80",), 30),
    SetEnabled(ALPHA, True, (DIGEST, DIGEST)),
    ReloadAgain(),
    PutRecordBack("applied/alpha", None),
    MoveBack(ALPHA.directory, HostPath(f"{ALPHA.directory}.removed-1")),
    RemoveArchive(ALPHA.directory, HostPath("/srv/removed/alpha-1.tar")),
)


def interrupted(n: int) -> Machine:
    """The power goes out right after effect `n` of the big apply."""
    machine = copy.deepcopy(START)
    with contextlib.suppress(Power):
        apply_to(AFTER, FailingHost(machine, n, after=True, error=Power()))
    return machine


def run_on(machine: Machine) -> Run:
    run = decode_run(StateView(machine).journal())
    assert run is not None
    return run


def undo_run(machine: Machine, host: Host | None = None) -> list[TakenBack]:
    """Undo what the journal tells of; every step must go back."""
    through = host or machine
    memory = memory_of(through)
    taken: list[TakenBack] = []
    memory.log("undo")
    clean, untold = undo_entries(through, memory, run_on(machine).standing, taken.append)
    assert clean and not untold, taken
    memory.log("end")
    memory.state.close_journal()
    return taken


def files(machine: Machine) -> dict[str, tuple[str, int, str, bytes | None]]:
    """Every file and link but our own state; empty directories harm nobody."""
    return {
        path: entry
        for path, entry in machine.tree().items()
        if entry[0] != "directory" and not path.startswith(FOLDER)
    }


def running(machine: Machine) -> dict[str, list[tuple[object, ...]]]:
    """What runs: executable, cores and sockets, whatever the process numbers are."""
    return {
        name: [(p.executable, p.cpus, {s[:3] for s in p.sockets}) for p in processes]
        for name, processes in machine.processes.items()
        if processes
    }


@pytest.mark.parametrize("reboot", [False, True], ids=["killed", "power-cut"])
@pytest.mark.parametrize("n", range(1, COUNT - 1))
def test_undone_from_the_journal_the_host_is_as_before(n: int, reboot: bool) -> None:
    machine = interrupted(n)
    if not StateView(machine).journal():
        pytest.fail("nothing was under way")
    if reboot:
        machine.processes.clear()
    undo_run(machine)
    assert files(machine) == files(START)
    assert machine.enabled == START.enabled
    assert records_on(machine) == records_on(START)
    assert machine.accidents == []
    assert not StateView(machine).journal()
    if not reboot:
        assert running(machine) == running(START)
    settle(AFTER, machine)


@pytest.mark.parametrize("n", range(2, COUNT - 1, 5))
def test_an_undo_that_is_cut_off_is_finished_by_the_next(n: int) -> None:
    for second in range(1, 40, 3):
        machine = interrupted(n)
        with contextlib.suppress(Power):
            undo_run(machine, FailingHost(machine, second, after=True, error=Power()))
        if StateView(machine).journal():
            assert run_on(machine).undoing
            undo_run(machine)
        assert files(machine) == files(START)
        assert records_on(machine) == records_on(START)
        assert running(machine) == running(START)
        assert machine.accidents == []


def test_a_run_that_went_on_after_a_crash_is_undone_as_a_whole() -> None:
    machine = interrupted(COUNT // 2)
    plan = plan_of(AFTER, machine)
    with contextlib.suppress(Power):
        apply_to(AFTER, FailingHost(machine, 12, after=True, error=Power()), plan)
    run = run_on(machine)
    numbers = [entry.number for entry in run.entries]
    assert numbers == sorted(set(numbers)), "counted through both attempts"
    undo_run(machine)
    assert files(machine) == files(START)
    assert records_on(machine) == records_on(START)


def test_what_the_pbx_has_written_since_stays() -> None:
    machine = interrupted(COUNT - 2)
    alpha = AFTER.target.instances["alpha"]
    happen(machine, alpha, ("replace", "<timezone>CET</timezone>", "<timezone>UTC</timezone>"))
    undo_run(machine)
    content = machine.read(HostPath("/srv/pbx-alpha/pbx.xml")) or b""
    assert b"<timezone>UTC</timezone>" in content
    assert b"<mode>a</mode>" in content


def test_an_element_that_somebody_changed_since_is_left_and_named() -> None:
    machine = interrupted(COUNT - 2)
    alpha = AFTER.target.instances["alpha"]
    happen(machine, alpha, ("replace", "<mode>b</mode>", "<mode>theirs</mode>"))
    taken = undo_run(machine)
    assert b"<mode>theirs</mode>" in (machine.read(HostPath("/srv/pbx-alpha/pbx.xml")) or b"")
    assert any("changed by others since, and left: mode" in one.left for one in taken)


def test_a_file_that_somebody_changed_since_is_put_back_and_theirs_is_kept() -> None:
    machine = interrupted(COUNT - 2)
    alpha = AFTER.target.instances["alpha"]
    happen(machine, alpha, ("write", "/etc/pbx/backup-beta.list", "by hand"))
    taken = undo_run(machine)
    left = [one.left for one in taken if "that content is kept as" in one.left]
    assert len(left) == 1
    State(machine).forget_kept(())
    ((path, kept),) = State(machine).saved()
    assert path == "/etc/pbx/backup-beta.list" and left[0].endswith(f"is kept as {kept}")
    assert machine.read(kept) == b"by hand", (
        "what no generation needs stays if it is somebody else's"
    )
    assert files(machine) == files(START)


def test_a_kept_content_that_is_damaged_undoes_nothing_wrongly() -> None:
    machine = interrupted(COUNT - 2)
    place = next(p for p in machine.tree() if p.startswith(f"{FOLDER}/kept/"))
    for path in [p for p in machine.tree() if p.startswith(f"{FOLDER}/kept/")]:
        machine.write(HostPath(path), b"rubbish", 0o600, "root:root")
    taken: list[TakenBack] = []
    run = run_on(machine)
    clean, _ = undo_entries(machine, memory_of(machine), run.standing, taken.append)
    assert not clean
    assert any("is damaged" in one.problem for one in taken), place
    assert machine.accidents == []
    again = run_on(machine)
    assert again.standing, "what could not be undone stays in the journal"


def test_inverses_are_data() -> None:
    assert {type(inverse) for inverse in INVERSES} == set(WORDS.values())
    for inverse in INVERSES:
        stored = json.loads(json.dumps(encode_inverse(inverse)))
        assert decode_inverse(stored) == inverse


@pytest.mark.parametrize("data", [{}, {"undo": "format"}, {"undo": "stop"}, {"undo": 3}])
def test_what_is_no_inverse_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not an inverse"):
        decode_inverse(data)


def test_a_journal_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2"):
        decode_run([{"event": "begin", "format": 2}])
    assert decode_run([]) is None


def test_the_journal_and_what_is_kept_are_for_root_alone() -> None:
    machine = interrupted(COUNT - 2)
    ours = {p: e for p, e in machine.tree().items() if p.startswith(f"{FOLDER}/")}
    assert JOURNAL in ours
    modes = {e[1] for p, e in ours.items() if e[0] == "file" and "/kept/" not in p}
    assert modes == {0o600}
    assert machine.tree()[FOLDER][1] == 0o700 and machine.tree()[f"{FOLDER}/kept"][1] == 0o700


def test_only_what_a_person_expects_goes_forward() -> None:
    machine = interrupted(COUNT // 2)
    known = run_on(machine)
    must_go_on(known, known.target, resume=True)
    must_go_on(known, Digest("other"), resume=False)
    must_go_on(None, known.target, resume=False)
    undoing = known._replace(undoing=True)
    must_go_on(undoing, known.target, resume=True)
    for run, target, resume, code in (
        (undoing, known.target, False, "PLN131"),
        (known, Digest("other"), True, "PLN132"),
        (None, known.target, True, ""),
        (known._replace(over=True), known.target, True, ""),
    ):
        with pytest.raises(Refused) as refusal:
            must_go_on(run, target, resume=resume)
        assert (refusal.value.code or "") == code or not code
