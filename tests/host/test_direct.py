"""Instances that pbxfleet starts itself."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.local import LocalHost
from support.instances import install, instance, script
from support.processes import PATIENCE_S, pids, place, running, wait_for

A, B = instance("a"), instance("b")


def test_start_and_stop(host: LocalHost) -> None:
    body = """
import os, time
own_session = os.getsid(0) == os.getpid()
names = set(os.environ) - {"LC_CTYPE"}  # which Python sets for itself
print(sys.argv[1:], os.getcwd(), sorted(names), own_session, oct(os.umask(0)))
print(sorted(os.listdir("/proc/self/fd")), flush=True)
time.sleep(600)
"""
    install(host, A, script(body))
    host.start(A)
    assert host.service(A).running
    (tree,) = host.runtime((A,))["a"].trees
    pid_file = Path(host.root.prefix + A.pid_file)
    assert pid_file.read_text() == f"{tree.pids[0]}\n"
    assert host.service(A).pid == tree.pids[0]
    log = Path(host.root.prefix + "/var/log/pbx-a.log")
    wait_for(lambda: log.read_bytes().count(b"\n") == 2, "the log")
    home = host.root.prefix + A.directory
    assert log.read_text() == (
        f"{['--no-daemon', '--dir', home]} {home} ['LANG', 'PATH'] True 0o22\n"
        "['0', '1', '2', '3']\n"
    )
    host.start(A)  # running already: nothing happens
    assert len(pids(host, A)) == 1
    host.stop(A, 10)
    assert pids(host, A) == []
    assert not pid_file.exists()
    assert host.service(A) == (True, True, False, None)
    host.stop(A, 10)


def test_one_core(host: LocalHost) -> None:
    core = min(os.sched_getaffinity(0))
    pinned = instance("a", cpu=core)
    install(host, pinned, script())
    host.start(pinned)
    assert host.runtime((pinned,))["a"].trees[0].cpus == (core,)
    assert core in os.sched_getaffinity(0)
    host.stop(pinned, 10)
    unpinned = LocalHost(host.root.prefix, "direct", pin=False)
    unpinned.start(pinned)
    assert set(unpinned.runtime((pinned,))["a"].trees[0].cpus) == os.sched_getaffinity(0)
    unpinned.stop(pinned, 10)


def test_a_core_that_is_not_there(host: LocalHost) -> None:
    mine = os.sched_getaffinity(0)
    install(host, A, script())
    with pytest.raises(HostError) as refusal:
        host.start(A._replace(cpu=1000))
    assert refusal.value.code == "HST108"
    assert os.sched_getaffinity(0) == mine
    assert pids(host, A) == []


def test_an_unseeded_directory_is_never_started(host: LocalHost) -> None:
    install(host, A, script())
    host.remove(join(A.directory, "pbx.xml"))
    with pytest.raises(HostError) as refusal:
        host.start(A)
    assert refusal.value.code == "HST106"
    assert pids(host, A) == []
    assert not os.path.exists(host.root.prefix + "/var/log")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (script("print('line 1')\nsys.exit('cannot bind 127.0.0.1:80')"), "cannot bind"),
        (b"\x7fELF broken", "exec format error"),
        (b"#!/nowhere/python\n", "no such file or directory"),
        (script("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"), "and said nothing"),
    ],
)
def test_a_start_that_fails_at_once(host: LocalHost, program: bytes, message: str) -> None:
    install(host, A, program)
    with pytest.raises(HostError, match=message) as refusal:
        host.start(A)
    assert refusal.value.code == "HST108"
    assert not Path(host.root.prefix + A.pid_file).exists()
    assert not host.service(A).running


def test_a_second_process_is_never_started(host: LocalHost) -> None:
    install(host, A, script())
    with running((place(host, A),)) as process:
        wait_for(lambda: pids(host, A), "the process started by hand")
        assert not host.service(A).running
        with pytest.raises(HostError, match=str(process.pid)) as refusal:
            host.start(A)
        assert refusal.value.code == "HST106"
        host.stop(A, 10)  # what was started by hand stops as well
        assert process.wait(PATIENCE_S) == -signal.SIGTERM
    host.start(A)
    assert len(pids(host, A)) == 1


def test_a_pid_file_of_somebody_else_proves_nothing(host: LocalHost) -> None:
    install(host, A, script())
    host.make_directory(HostPath("/run"), 0o755, "")
    for number in (os.getpid(), 1, 999_999_999):
        host.write(A.pid_file, f"{number}\n".encode(), 0o644, "")
        assert not host.service(A).running
    host.stop(A, 5)
    host.remove(A.pid_file)
    os.symlink("/proc/self/stat", host.root.prefix + A.pid_file)
    assert not host.service(A).running


def test_a_process_nobody_could_know_of_is_ended(host: LocalHost) -> None:
    install(host, A, script())
    Path(host.root.prefix + A.pid_file).mkdir(parents=True)
    with pytest.raises(HostError):
        host.start(A)
    assert pids(host, A) == []


def test_a_log_behind_a_link_is_not_written(host: LocalHost) -> None:
    install(host, A, script())
    target = Path(host.root.prefix) / "target"
    target.write_bytes(b"theirs")
    logs = Path(host.root.prefix) / "var" / "log"
    logs.mkdir(parents=True)
    (logs / "pbx-a.log").symlink_to(target)
    with pytest.raises(HostError):
        host.start(A)
    assert target.read_bytes() == b"theirs"
    assert pids(host, A) == []
