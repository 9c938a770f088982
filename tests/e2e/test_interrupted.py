"""Wherever an apply ends, the next one comes to its end, and nothing foreign is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from support.running_site import RunningSite
from support.standin import wait_until

Make = Callable[..., RunningSite]

# Steps of the two updates below, and moments within a step, the same in every run.
MOMENTS = random.Random(4711)  # noqa: S311  not for secrets
KILLS = [(MOMENTS.randint(1, 16), round(MOMENTS.uniform(0, 0.15), 3)) for _ in range(6)]
FIRST_KILLS = [(MOMENTS.randint(1, 18), round(MOMENTS.uniform(0, 0.3), 3)) for _ in range(4)]


def before_an_update(site: RunningSite) -> None:
    """Two running instances with something foreign in them, and an update of everything."""
    site.up()
    for name in site.addresses:
        site.post(name, {"timezone": "Europe/Rome"})
        (site.directory(name) / "recording.wav").write_bytes(b"RIFF")
    for name in site.addresses:
        site.instance(name, 'release = "70.6"\nbackup = { recordings = true }', sys_name="Updated")
    site.compile()


def as_declared(site: RunningSite) -> None:
    """The update is complete, everything runs once, and what is foreign is as it was."""
    site.proven()
    for name in site.addresses:
        assert site.status_of(name)["version"] == "70.6"
        text = site.pbx_xml(name)
        assert "<sys_name>Updated</sys_name>" in text
        assert "<timezone>Europe/Rome</timezone>" in text
        assert (site.directory(name) / "recording.wav").read_bytes() == b"RIFF"
    no_litter(site)


def no_litter(site: RunningSite) -> None:
    """No file is left that neither the fleet nor the PBX knows."""
    state = site.root / "var/lib/pbxfleet"
    assert not (state / "journal").exists()
    for name in site.addresses:
        there = {path.name for path in site.directory(name).iterdir()}
        assert there <= {"pbx.xml", "pbxctrl", "pbxctrl.dat", "recording.wav"}, there
    for folder in (site.root / "etc/pbx", state, state / "records", state / "records/applied"):
        hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        assert not hidden, folder


def at_step(
    site: RunningSite, process: subprocess.Popen[bytes], number: int, moment_s: float
) -> None:
    """Return a moment after the journal tells of a step, or when the command was faster."""
    wait_until(lambda: site.steps_begun() >= number or process.poll() is not None, f"step {number}")
    time.sleep(moment_s)


@pytest.mark.parametrize(("number", "moment_s"), KILLS)
def test_killed_during_an_update(running: Make, number: int, moment_s: float) -> None:
    site = running()
    before_an_update(site)
    steps = len(site.plan()["steps"])
    with site.applying("--quiet") as process:
        at_step(site, process, min(number, steps), moment_s)
        process.kill()
        process.communicate(timeout=60)
    plan = site.run("plan")
    assert plan.code == 0
    if (site.root / "var/lib/pbxfleet/journal").exists():
        assert "warning[PLN131]" in plan.err
    site.apply()
    as_declared(site)


@pytest.mark.parametrize(("number", "moment_s"), FIRST_KILLS)
def test_killed_during_the_first_apply(running: Make, number: int, moment_s: float) -> None:
    site = running()
    site.compile()
    steps = len(site.plan()["steps"])
    with site.applying("--quiet") as process:
        at_step(site, process, min(number, steps), moment_s)
        process.kill()
        process.communicate(timeout=60)
    site.apply()
    site.proven()
    no_litter(site)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("step", [1, 5])
def test_interrupted(running: Make, number: signal.Signals, step: int) -> None:
    site = running()
    before_an_update(site)
    with site.applying("--quiet") as process:
        at_step(site, process, step, 0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    if process.returncode != 0:  # it was faster than the signal
        assert process.returncode == 130
        assert b"interrupted" in err
    assert b"Traceback" not in err
    site.apply()
    as_declared(site)


def test_killed_before_the_process_is_known(running: Make) -> None:
    """An instance that runs without a PID file is still that instance: it is not started twice."""
    site = running("ash").up()
    pid = site.pid("ash")
    (pid_file,) = [p for p in (site.root / "run").iterdir() if "ash" in p.name]
    pid_file.unlink()
    site.apply()
    assert site.pid("ash") == pid
    site.change("ash", sys_name="Renamed")
    site.apply()
    site.proven()
    assert site.pid("ash") != pid


def test_a_pid_file_that_means_somebody_else(running: Make) -> None:
    """A number that another process has by now is nobody to be stopped."""
    site = running("ash").up()
    (pid_file,) = [p for p in (site.root / "run").iterdir() if "ash" in p.name]
    site.kill("ash")
    pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
    assert {item["name"] for item in site.drift()} == {"running"}
    site.apply()
    site.proven()
    site.change("ash", sys_name="Renamed")
    pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
    site.apply()
    site.proven()
