"""The init script, really run: it starts and stops its own instance, and never a sibling."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import beds
from support.standin import bound, end_all, fresh_address, wait_until
from support.sysv_box import Stage, SysvBox

# Exit codes of `status` (LSB, "Init Script Actions").
RUNNING, DEAD_WITH_PID_FILE, DEAD_WITH_LOCK_FILE, NOT_RUNNING = 0, 1, 2, 3


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    end_all(tmp_path)


@pytest.fixture(params=["plain", "redhat"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    redhat = request.param == "redhat"
    return Stage(tmp_path / "stage", redhat=redhat, networking="yes" if redhat else None)


def box(stage: Stage, tmp_path: Path, name: str = "acme", **wishes: object) -> SysvBox:
    return SysvBox(name, tmp_path, stage, fresh_address(), **wishes)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")


def test_the_life_of_an_instance(stage: Stage, tmp_path: Path) -> None:
    acme = box(stage, tmp_path)
    assert acme.code("status") == NOT_RUNNING
    pid = acme.start()
    assert alive(pid) and acme.code("status") == RUNNING
    assert acme.lock_file.exists()
    assert {found.address for p in acme.pids for found in bound(p)} == {acme.address}
    before = acme.pids
    assert acme.code("start") == 0, "starting what runs is not a failure"
    assert acme.pids == before
    assert acme.code("restart") == 0
    assert not set(acme.pids) & set(before)
    assert acme.code("stop") == 0
    assert acme.pids == []
    assert not acme.pid_file.exists() and not acme.lock_file.exists()
    assert acme.code("status") == NOT_RUNNING
    assert acme.code("stop") == 0, "stopping what does not run is not a failure"


def test_stopping_one_leaves_the_sibling(stage: Stage, tmp_path: Path) -> None:
    acme, beta = box(stage, tmp_path), box(stage, tmp_path, "beta")
    acme.start()
    kept = beta.start()
    siblings = beta.pids
    assert acme.code("stop") == 0
    assert beta.pids == siblings and alive(kept)
    assert acme.code("status") == NOT_RUNNING, "a sibling of the same name is not this instance"
    assert acme.code("try-restart") == 0 and acme.pids == []
    assert acme.code("stop") == 0 and beta.pids == siblings
    assert beta.code("status") == RUNNING


def test_a_name_that_begins_like_another_is_another(stage: Stage, tmp_path: Path) -> None:
    short, long = box(stage, tmp_path, "a"), box(stage, tmp_path, "a-1")
    short.start()
    long.start()
    siblings = long.pids
    assert short.code("stop") == 0
    assert long.pids == siblings


@pytest.mark.parametrize("foreign", ["sibling", "stranger", "gone", "init", "text", "empty"])
def test_a_pid_file_proves_nothing(stage: Stage, tmp_path: Path, foreign: str) -> None:
    acme, beta = box(stage, tmp_path), box(stage, tmp_path, "beta")
    sibling = beta.start()
    siblings = beta.pids
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        try:
            contents = {
                "sibling": str(sibling),
                "stranger": str(stranger.pid),
                "gone": "4194304",
                "init": "1",
                "text": "not a number",
                "empty": "",
            }
            acme.pid_file.write_text(contents[foreign])
            assert acme.code("status") == DEAD_WITH_PID_FILE
            assert acme.code("stop") == 0
            assert not acme.pid_file.exists()
            acme.pid_file.write_text(contents[foreign])
            acme.start()
            assert acme.code("stop") == 0
            assert beta.pids == siblings and stranger.poll() is None
        finally:
            stranger.kill()


def test_a_lost_pid_file_neither_hides_nor_doubles_the_instance(
    stage: Stage, tmp_path: Path
) -> None:
    acme = box(stage, tmp_path)
    acme.start()
    acme.pid_file.unlink()
    before = acme.pids
    assert acme.code("status") == RUNNING
    assert acme.code("start") == 0 and acme.pids == before
    assert acme.code("stop") == 0 and acme.pids == []


def test_the_states_of_a_dead_instance(stage: Stage, tmp_path: Path) -> None:
    acme = box(stage, tmp_path)
    acme.start()
    for pid in acme.pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not acme.pids, "killed")
    assert acme.code("status") == DEAD_WITH_PID_FILE
    acme.pid_file.unlink()
    assert acme.code("status") == DEAD_WITH_LOCK_FILE
    acme.start()
    assert acme.code("status") == RUNNING


def test_the_supervisor_brings_a_killed_process_back(stage: Stage, tmp_path: Path) -> None:
    acme = box(stage, tmp_path)
    supervisor = acme.start()
    (child,) = set(acme.pids) - {supervisor}
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: set(acme.pids) - {supervisor, child}, "started again")
    assert acme.code("stop") == 0 and acme.pids == []


def test_what_does_not_listen_to_the_signal_is_killed(stage: Stage, tmp_path: Path) -> None:
    acme = box(stage, tmp_path, stop_timeout_s=1)
    (acme.directory / "standin.json").write_text('{"standin_ignore_term": 60}')
    acme.start()
    done = acme.run("stop")
    assert done.returncode == 0 and "killed after 1 s" in done.stdout
    assert acme.pids == []


def test_a_process_started_by_hand_is_found_and_stopped(stage: Stage, tmp_path: Path) -> None:
    acme = box(stage, tmp_path)
    argv = (acme.directory / "pbxctrl", "--no-daemon", "--dir", acme.directory)
    # Without a session of its own: the group is that of this test, which must survive.
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as started:
        try:
            wait_until(lambda: acme.pids, "started by hand")
            assert acme.code("status") == RUNNING
            assert acme.code("stop") == 0
            assert started.wait(30) is not None
        finally:
            started.kill()


def test_an_executable_is_known_by_its_file_not_by_its_arguments(
    stage: Stage, tmp_path: Path
) -> None:
    beds.require_root("sysv")  # the kernel shows what a process executes to its owner and to root
    acme, beta = box(stage, tmp_path), box(stage, tmp_path, "beta")
    for one in (acme, beta):
        shutil.copy("/bin/sleep", one.directory / "pbxctrl")
    with (
        subprocess.Popen(["./pbxctrl", "60"], cwd=acme.directory) as ours,
        subprocess.Popen(["./pbxctrl", "60"], cwd=beta.directory) as sibling,
        subprocess.Popen(
            ["tail", "-f", acme.directory / "pbxctrl"], stdout=subprocess.DEVNULL
        ) as other,
    ):
        try:
            # What an upgrade does: the running file is replaced.
            (acme.directory / "new").write_bytes(b"")
            (acme.directory / "new").rename(acme.directory / "pbxctrl")
            assert acme.code("status") == RUNNING
            assert acme.code("stop") == 0
            assert ours.wait(30) == -signal.SIGTERM
            assert sibling.poll() is None and other.poll() is None
        finally:
            for process in (ours, sibling, other):
                process.kill()


def test_a_start_that_is_refused_fails(stage: Stage, tmp_path: Path) -> None:
    acme, beta = box(stage, tmp_path), box(stage, tmp_path, "beta")
    shutil.copy(acme.directory / "pbx.xml", beta.directory / "pbx.xml")  # the same web port
    acme.start()
    done = beta.run("start")
    assert done.returncode == 1 and "refused to start" in done.stdout
    assert beta.code("status") == NOT_RUNNING
    assert acme.code("status") == RUNNING


def test_a_pbx_that_stays_in_the_foreground_does_not_hold_up_the_machine(
    stage: Stage, tmp_path: Path
) -> None:
    acme = box(stage, tmp_path)
    script = acme.script.read_text()
    assert "\nSTART_TIMEOUT=20\n" in script
    acme.script.write_text(script.replace("START_TIMEOUT=20", "START_TIMEOUT=1"))
    (acme.directory / "standin.json").write_text('{"standin_delay_start": 60}')
    assert acme.code("start") == 0
    assert acme.code("status") == RUNNING
    assert acme.code("stop") == 0 and acme.pids == []


def test_exit_codes(stage: Stage, tmp_path: Path) -> None:
    acme = box(stage, tmp_path)
    assert acme.code("reload") == 3
    for arguments in ((), ("sing",), ("--help",)):
        done = acme.run(*arguments)
        assert done.returncode == 2 and "Usage: " in done.stderr
    assert acme.code("condrestart") == 0 and acme.pids == []
    acme.start()
    before = acme.pids
    assert acme.code("condrestart") == 0
    assert acme.pids and not set(acme.pids) & set(before)
    assert acme.code("force-reload") == 0
    (acme.directory / "pbxctrl").chmod(0o644)
    assert acme.code("stop") == 0
    assert acme.code("start") == 5
    assert acme.pids == []


def test_without_networking_nothing_starts(tmp_path: Path) -> None:
    acme = box(Stage(tmp_path / "stage", networking="no"), tmp_path)
    assert acme.code("start") == 1 and acme.pids == []


def test_only_root_starts_and_stops_but_all_may_ask(tmp_path: Path) -> None:
    beds.require_root("sysv")
    acme = box(Stage(tmp_path / "stage"), tmp_path)
    acme.start()
    before = acme.pids
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-s")
    for action, code in (("start", 4), ("stop", 4), ("restart", 4), ("status", RUNNING)):
        with acme.script.open() as script:
            done = subprocess.run([*nobody, action], check=False, stdin=script, timeout=60)
        assert done.returncode == code
    assert acme.pids == before


def test_red_hats_runlevel_script_finds_its_mark(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "stage", redhat=True)
    acme = box(stage, tmp_path)
    mark = stage.lock / "subsys/pbx-acme"
    acme.start()
    assert mark.exists(), "without it the script is not called at shutdown"
    assert acme.code("stop") == 0
    assert not mark.exists()


def test_the_callers_surroundings_make_no_difference(stage: Stage, tmp_path: Path) -> None:
    acme = box(stage, tmp_path)
    pid = acme.start()
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert [entry.partition(b"=")[0] for entry in environment if entry] == [b"PATH"]
    for number in (0, 1, 2):
        assert os.readlink(f"/proc/{pid}/fd/{number}") == "/dev/null"
    assert os.getsid(pid) != os.getsid(0)


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("name", ["p b$HOME\"q'[1]*\\z;&\u00fc", "#-dir"])
def test_odd_directories_in_both_shells(tmp_path: Path, shell: str, name: str) -> None:
    beds.require_programs("sysv", shell)
    acme = box(Stage(tmp_path / "stage"), tmp_path, directory_name=name, shell=shell)
    acme.start()
    assert acme.code("status") == RUNNING
    assert acme.code("restart") == 0
    assert acme.code("stop") == 0 and acme.pids == []


def test_the_process_is_pinned_to_its_core(stage: Stage, tmp_path: Path) -> None:
    beds.require_programs("sysv", "taskset")
    core = max(os.sched_getaffinity(0))
    acme = box(stage, tmp_path, cpu=core)
    acme.start()
    assert {frozenset(os.sched_getaffinity(pid)) for pid in acme.pids} == {frozenset({core})}


def test_a_core_that_does_not_exist_is_a_failure(stage: Stage, tmp_path: Path) -> None:
    beds.require_programs("sysv", "taskset")
    acme = box(stage, tmp_path, cpu=1023)
    assert acme.code("start") == 1 and acme.pids == []
