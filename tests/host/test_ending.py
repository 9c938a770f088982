"""SIGTERM for the instance's own processes, and for nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.local import LocalHost
from pbxfleet.host.procdir import ProcDir
from pbxfleet.host.stopping import end_trees
from support.instances import IDLE, install, instance, script
from support.processes import (
    PATIENCE_S,
    SLEEP,
    install_sleep,
    pids,
    place,
    running,
    wait_for,
)

A, B = instance("a"), instance("b")


def test_only_the_instances_own(host: LocalHost) -> None:
    for owner in (A, B):
        install_sleep(host, owner)
    with (
        running((place(host, A), "600")) as own,
        running((place(host, B), "600")) as sibling,
        running((SLEEP, "600")) as stranger,
    ):
        assert end_trees(host.processes, A, 10)
        assert own.wait(PATIENCE_S) == -signal.SIGTERM
        assert sibling.poll() is None
        assert stranger.poll() is None
        assert not end_trees(host.processes, A, 10)


def test_strangers_in_the_same_group_are_left_alone(host: LocalHost) -> None:
    install_sleep(host, A)
    shell = f"{SLEEP} 600 & {place(host, A)} 600 & wait"
    with running(("sh", "-c", shell)) as process:
        wait_for(lambda: pids(host, A), "the process")
        end_trees(host.processes, A, 10)
        assert pids(host, A) == []
        left = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert process.poll() is None
        assert [Path(f"/proc/{pid}/comm").read_text().strip() for pid in left] == ["sleep"]


def test_a_supervisor_that_starts_its_child_again(host: LocalHost) -> None:
    body = """
import os, signal, sys, time
while "--child" in sys.argv:
    time.sleep(60)
while True:
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[0], [sys.argv[0], "--child"])
    os.waitpid(child, 0)
"""
    install(host, A, script(body))
    with running((place(host, A),)):
        wait_for(lambda: [len(tree) for tree in pids(host, A)] == [2], "both processes")
        end_trees(host.processes, A, 20)
        assert pids(host, A) == []


def test_children_in_sessions_of_their_own(host: LocalHost) -> None:
    body = "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\n"
    install(host, A, script(body + IDLE))
    with running((place(host, A),)):
        wait_for(lambda: [len(tree) for tree in pids(host, A)] == [2], "both processes")
        ((_, child),) = pids(host, A)
        end_trees(host.processes, A, 20)
        wait_for(lambda: (s := ProcDir().stat(child)) is None or s.ended, "the child's end")


def test_a_stopped_process_is_woken_to_end(host: LocalHost) -> None:
    install_sleep(host, A)
    with running((place(host, A), "600")) as process:
        os.kill(process.pid, signal.SIGSTOP)
        end_trees(host.processes, A, 20)
        assert process.wait(PATIENCE_S) == -signal.SIGTERM


def test_what_does_not_end_is_named_and_not_killed(host: LocalHost) -> None:
    body = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""
    install(host, A, script(body))
    ready = Path(host.root.prefix) / "ready"
    with running((place(host, A), str(ready))) as process:
        wait_for(ready.exists, "the script")
        with pytest.raises(HostError) as refusal:
            end_trees(host.processes, A, 0.3)
        assert refusal.value.code == "HST107"
        assert str(refusal.value) == (
            f"process {process.pid}: a did not stop within 0.3 s; it was asked to and may still do so, "
            f"kill -KILL {process.pid} ends it"
        )
        assert process.poll() is None
        host.write(HostPath("/pbx.xml"), b"", 0o600, "")  # nothing hangs on to anything


def test_a_zombie_counts_as_gone(host: LocalHost) -> None:
    install_sleep(host, A)
    with running((place(host, A), "600")) as process:  # nobody waits for it before the end
        end_trees(host.processes, A, 10)
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        assert state == "Z"
        assert pids(host, A) == []
