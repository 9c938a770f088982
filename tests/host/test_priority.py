"""Looking around takes what nobody else wants; what is started has the priority of any other service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import beds
from support.tree import ROOT

IDLE = "policy 5 nice 19 io 3"
# What a process says of itself, by the names of Linux: policy, nice value, class of the disk.
SAY = """
def said(pid=0):
    import ctypes, os
    number = {"x86_64": 252, "aarch64": 31}[os.uname().machine]
    io = ctypes.CDLL(None).syscall(number, 1, pid) >> 13
    nice = os.getpriority(os.PRIO_PROCESS, pid)
    return f"policy {os.sched_getscheduler(pid)} nice {nice} io {io}"
"""
STARTED = """
import subprocess, sys
from pbxfleet.host.priority import Ordinary, give_way
give_way()
print(said())
with Ordinary():
    print(said())
    print(said(subprocess.Popen(["sleep", "60"]).pid))
print(said())
"""


def run(code: str, *prefix: str, priority: str = "") -> list[str]:
    """The lines that a program prints; the way it is started is `prefix`."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "compiler")}
    if priority:
        environment["PBXFLEET_PRIORITY"] = priority
    # In a namespace of its own, so that what it leaves running ends with it.
    init = ("sh", "-c", '"$@"; exit $?', "init")
    wrapped = ("unshare", "--pid", "--mount-proc", "--fork", "--kill-child", *init, *prefix)
    done = subprocess.run(
        (*wrapped, sys.executable, "-c", SAY + code),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 0, done
    return done.stdout.splitlines()


@pytest.fixture(autouse=True)
def _as_root() -> None:
    beds.require_root("priority")
    beds.require_programs("priority", "unshare", "ionice", "nice", "setpriv")


def test_what_is_started_has_the_priority_of_process_1() -> None:
    here = run("print(said(1))")[0]
    assert run(STARTED) == [IDLE, here, here, IDLE]


@pytest.mark.parametrize(
    "prefix",
    [("nice", "-n", "7"), ("ionice", "-c", "2", "-n", "7"), ("chrt", "--idle", "0")],
    ids=lambda prefix: prefix[0],
)
def test_nor_is_it_that_of_the_one_who_calls(prefix: tuple[str, ...]) -> None:
    said = f"import subprocess\nprint(said(1))\n{STARTED}"
    init, idle, ordinary, service, after = run(said, *prefix)
    assert (ordinary, service) == (init, init)
    assert idle == after == IDLE


def test_who_could_not_come_back_stays_as_it_is() -> None:
    here = run("print(said())")[0]
    without = ("setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice")
    assert set(run(STARTED, *without)) == {here}


def test_it_can_be_switched_off() -> None:
    here = run("print(said())")[0]
    assert set(run(STARTED, priority="normal")) == {here}


def test_commands_that_look_at_a_host_give_way(tmp_path: Path) -> None:
    """The installed command, caught while it opens a rendered tree that is not there."""
    program = """
import sys
from pbxfleet.cli import main
main.main = lambda argv: print(said()) or 0
sys.argv = ["pbxfleet", *sys.argv[1:]]
main.entry()
"""
    here = run("print(said())")[0]
    for word, expected in (("plan", IDLE), ("apply", IDLE), ("drift", IDLE), ("compile", here)):
        code = program.replace("*sys.argv[1:]", repr(word))
        assert run(code) == [expected], word
