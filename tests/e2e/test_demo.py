"""The demo as a newcomer runs it: it comes to its end, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pbxfleet.schema.outputs import document_of
from support.e2e import OTHER_USER, PROGRAM, as_other_user, environment, ok, run
from support.output_schemas import judge
from support.processes import wait_for
from support.standin import arguments, end_all, processes


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may write to; pytest's own are closed for others."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="pbxfleet-test-") as name:
        if os.geteuid() == 0:
            os.chown(name, OTHER_USER, OTHER_USER)
        yield Path(name)
        end_all(Path(name))


def left_behind(folder: Path) -> list[list[str]]:
    """Command lines that name the folder."""
    lines = [arguments(int(name)) for name in os.listdir("/proc") if name.isdigit()]
    return [words for words in lines if any(str(folder) in word for word in words)]


SAID = (
    "sandbox: nothing to do",
    "sandbox: 5 differences since the last apply",
    "The administrator's time zone was kept",
    "cedar now runs version 70.5",
    "dogwood now runs version 70.6",
    "/usr/local/pbx-fir is still there",
    "would be left without any instance",
    "no process is left",
)


def test_the_demo_comes_to_its_end_and_leaves_nothing(folder: Path) -> None:
    done = ok("demo", env=environment(TMPDIR=str(folder)))
    assert done.err == ""
    assert [said for said in SAID if said not in done.out] == []
    assert list(folder.iterdir()) == []
    assert left_behind(folder) == []


def test_without_the_superuser_and_to_be_looked_at_afterwards(folder: Path) -> None:
    place = folder / "kept"
    user: dict[str, Any] = {"prefix": as_other_user(), "env": environment(TMPDIR=str(folder))}
    done = ok("demo", "--json", "--keep", place, **user)
    judge(document_of("demo"), done.data)
    assert left_behind(folder) == []
    ok("validate", "-C", place / "fleet", **user)
    plan = ok("plan", "-C", place / "fleet", "sandbox", "--root", place / "host", **user)
    assert plan.out == "sandbox: nothing to do\n"
    # A folder that holds something is nobody's to play in.
    again = run("demo", "--keep", place, **user)
    assert again.code == 1
    assert "not empty" in again.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing(folder: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        # A background job of a shell ignores SIGINT, and so would everything below it.
        ("env", "--default-signal=INT", str(PROGRAM), "demo"),
        env=environment(TMPDIR=str(folder)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            wait_for(lambda: len(processes(folder)) >= 3, "three stand-ins of the demo")
            time.sleep(0.1)
            os.killpg(
                process.pid, number
            )  # as a terminal does: the command under way hears it, too
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in err
    wait_for(lambda: not left_behind(folder), "the end of every process of the demo")
    assert list(folder.iterdir()) == []
