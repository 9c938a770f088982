"""Supervision, signals, slow starts and stops, and the memory of many."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.standin import PATIENCE_S, PORTS, accepts, memory_kib, wait_until
from support.standin_box import Box

# Generous: what a process takes differs by Python and C library; a module too many takes more.
RSS_AT_MOST_KIB = 16 * 1024
INSTANCES = 50


def child_of(box: Box) -> int:
    """The instance below the supervisor, once there is one."""
    wait_until(lambda: len(box.pids) == 2, "supervisor and instance")
    (child,) = set(box.pids) - {box.pid}
    return child


def ignored(pid: int) -> int:
    """The set of signals that a process ignores, as a mask."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("SigIgn:"))


# --- stopping --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(box: Box, number: signal.Signals) -> None:
    box.configure(log_filename="pbx.log")
    popen = box.start_in_front()
    box.wait_listening()
    popen.send_signal(number)
    assert popen.wait(PATIENCE_S) == 0
    assert not box.pidfile.exists()
    assert box.logged().rstrip().endswith("stopped")


def test_a_kill_leaves_the_pid_file(box: Box) -> None:
    pid = box.start()
    os.kill(pid, signal.SIGKILL)
    box.wait_gone()
    assert box.pid == pid
    assert box.start() != pid


@pytest.mark.parametrize("options", [(), ("--respawn",)])
def test_a_hangup_is_ignored(box: Box, options: tuple[str, ...]) -> None:
    box.start(*options)
    wait_until(lambda: len(box.pids) == 1 + len(options), "all processes are there")
    hangup = 1 << (signal.SIGHUP - 1)
    wait_until(lambda: all(ignored(pid) & hangup for pid in box.pids), "it is ignored")
    os.killpg(os.getpgid(box.pid), signal.SIGHUP)
    assert box.get("/rest/system/session").status == 200
    assert len(box.pids) == 1 + len(options)


def test_it_can_refuse_to_stop_for_a_while(box: Box) -> None:
    box.behave(ignore_term=600)
    pid = box.start()
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGTERM)
    assert box.get("/rest/system/session").status == 200
    assert box.pids == [pid]
    os.kill(pid, signal.SIGKILL)
    box.wait_gone()
    box.behave(ignore_term=0.2)
    begun = time.monotonic()
    os.kill(box.start(), signal.SIGTERM)
    box.wait_gone()
    assert time.monotonic() - begun >= 0.2


# --- starting --------------------------------------------------------------------------------


def test_the_caller_waits_until_it_listens(box: Box) -> None:
    box.behave(delay_start=0.3)
    begun = time.monotonic()
    box.start()
    assert time.monotonic() - begun >= 0.3
    assert accepts(box.address, PORTS["ip_http_port"])


@pytest.mark.parametrize("options", [(), ("--respawn",)])
def test_the_caller_may_not_wait(box: Box, options: tuple[str, ...]) -> None:
    box.behave(delay_start=600, detach="at_once")
    assert box.run(*options).returncode == 0
    wait_until(lambda: len(box.pids) == 1 + len(options), "it has started")
    assert not box.pidfile.exists()
    assert not accepts(box.address, PORTS["ip_http_port"])


def test_it_can_be_stopped_before_it_listens(box: Box) -> None:
    box.behave(delay_start=600)
    popen = box.start_in_front()
    caught = 1 << (signal.SIGTERM - 1)

    def ready() -> bool:
        lines = Path(f"/proc/{popen.pid}/status").read_text().splitlines()
        return any(line.startswith("SigCgt:") and int(line[8:], 16) & caught for line in lines)

    wait_until(ready, "it handles the signal")
    popen.terminate()
    assert popen.wait(PATIENCE_S) == 0


def test_the_second_of_one_directory_is_refused(box: Box) -> None:
    pid = box.start()
    assert box.run().returncode == 1
    assert (box.pid, box.pids) == (pid, [pid])


# --- respawn ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_lost_instance_is_started_again(box: Box, number: signal.Signals) -> None:
    supervisor = box.start("--respawn")
    child = child_of(box)
    os.kill(child, number)
    wait_until(lambda: child not in box.pids and len(box.pids) == 2, "there is a new one")
    box.wait_listening()
    assert box.pid == supervisor
    assert supervisor in box.pids


def test_a_signal_to_the_group_stops_both(box: Box) -> None:
    supervisor = box.start("--respawn")
    assert os.getpgid(child_of(box)) == os.getpgid(supervisor) != os.getpgid(0)
    os.killpg(os.getpgid(supervisor), signal.SIGTERM)
    box.wait_gone()
    assert not box.pidfile.exists()


def test_a_signal_to_the_supervisor_alone_leaves_the_instance(box: Box) -> None:
    supervisor = box.start("--respawn")
    child = child_of(box)
    os.kill(supervisor, signal.SIGTERM)
    wait_until(lambda: box.pids == [child], "the supervisor is gone")
    assert box.get("/rest/system/session").status == 200


def test_the_pid_file_may_hold_the_number_of_the_instance(box: Box) -> None:
    box.behave(pidfile="child")
    first = box.start("--respawn")
    (supervisor,) = set(box.pids) - {first}
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: box.pidfile.exists() and box.pid not in (first, supervisor), "new number")
    assert set(box.pids) == {supervisor, box.pid}
    os.killpg(os.getpgid(box.pid), signal.SIGTERM)
    box.wait_gone()


def test_respawn_in_front(box: Box) -> None:
    popen = subprocess.Popen(
        box.argv("--respawn", "--no-daemon"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    box.wait_listening()
    wait_until(box.pidfile.exists, "the PID file is there")
    assert box.pid == popen.pid
    os.killpg(popen.pid, signal.SIGTERM)
    assert popen.wait(PATIENCE_S) == 0
    box.wait_gone()


def test_a_refused_first_start_is_not_repeated(box: Box) -> None:
    box.configure(ip_http_port="192.0.2.77:80")
    done = box.run("--respawn")
    assert done.returncode == 1
    assert "Cannot assign requested address" in done.stderr
    assert box.pids == []
    assert not box.pidfile.exists()


def test_a_refused_later_start_is_repeated(box: Box) -> None:
    box.configure(log_filename="pbx.log")
    supervisor = box.start("--respawn")
    box.configure(log_filename="pbx.log", ip_http_port="192.0.2.77:80")
    os.kill(child_of(box), signal.SIGKILL)
    wait_until(lambda: box.logged().count("does not start") >= 2, "tried twice")
    assert supervisor in box.pids
    box.configure(log_filename="pbx.log")
    box.wait_listening()


def test_it_exits_late_after_its_supervisor(box: Box) -> None:
    # The trap for whoever watches the number in the PID file only: the instance is still running,
    # and writes pbx.xml when it ends.
    box.behave(ignore_term=0.3, rewrite="exit", add="late=1")
    supervisor = box.start("--respawn")
    child = child_of(box)
    os.killpg(os.getpgid(supervisor), signal.SIGTERM)
    wait_until(lambda: supervisor not in box.pids, "the supervisor is gone")
    assert not box.pidfile.exists()
    wait_until(lambda: child not in box.pids, "the instance is gone")
    assert box.stored()["late"] == "1"


# --- many ------------------------------------------------------------------------------------


def test_many_fit_into_one_machine(make_box: Callable[..., Box]) -> None:
    boxes = [make_box() for _ in range(INSTANCES)]
    for box in boxes:
        box.configure()
        box.start()
    for box in boxes:
        assert box.get("/rest/system/session").status == 200
    sizes = [memory_kib(box.pid) for box in boxes]
    assert max(size["Rss"] for size in sizes) < RSS_AT_MOST_KIB
    # Most of a process is Python itself, which all of them share.
    assert sum(size["Pss"] for size in sizes) < INSTANCES * RSS_AT_MOST_KIB // 2
