"""A booted host that looks for drift by itself: its timer fires, and the journal and metrics are told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pbxfleet.app.compile import compile_fleet
from support.bed_fleet import ADDRESSES, fleet
from support.nspawn import interpreter_binds
from support.systemd_bed import SystemdBed

TIMER = "pbxfleet-drift.timer"
STAMP = f"/var/lib/systemd/timers/stamp-{TIMER}"
METRICS = "/var/lib/node-exporter/pbxfleet.prom"
PIECES = "/run/systemd/system"
PATIENCE_S = 60.0
MORE = """
[schedule]
drift = "hourly"
jitter = 0
repository = "{repository}"
program = "{program}"

[sinks]
metrics = "{metrics}"
journal = true
"""


def entries(bed: SystemdBed) -> list[dict[str, Any]]:
    """What the journal has of us, with its fields."""
    argv = ("journalctl", "--output=json", "PBXFLEET_HOST=fra1")
    return [json.loads(line) for line in bed.run(*argv).stdout.splitlines() if line]


def fires(bed: SystemdBed) -> None:
    """Wait until the service of the timer has been run once more."""
    deadline = time.monotonic() + PATIENCE_S
    while bed.run("test", "-e", METRICS, check=False).returncode:
        assert time.monotonic() < deadline, bed.run("systemctl", "status", TIMER, check=False)
        time.sleep(0.2)
    while bed.show("pbxfleet-drift.service", "ActiveState") != "inactive":
        assert time.monotonic() < deadline, bed.run("systemctl", "status", TIMER, check=False)
        time.sleep(0.2)


def settles(bed: SystemdBed, pbxfleet: Callable[..., str]) -> None:
    """A timer that somebody stops, or changes by a piece of a unit, is drift; apply starts it again."""
    pbxfleet("apply", "fra1", "--auto-approve", "--no-sinks")
    assert pbxfleet("drift", "fra1", "--no-sinks") == ""
    bed.run("systemctl", "stop", TIMER)
    bed.run("mkdir", f"/etc/systemd/system/{TIMER}.d")
    bed.write(f"/etc/systemd/system/{TIMER}.d/never.conf", "[Timer]\nOnCalendar=\n")
    found = json.loads(pbxfleet("drift", "fra1", "--no-sinks", "--json", code=2))["items"]
    named = [(i["class"], i["resource"], i["name"], i["observed"]) for i in found]
    unit = f"/etc/systemd/system/{TIMER}"
    piece = f"{unit}.d/never.conf"
    assert named == [
        ("runtime", f"file:{unit}", "active", "inactive"),
        ("extra", f"path:{piece}", f"changes {TIMER} and is not declared", piece),
    ]
    bed.run("rm", "-r", f"/etc/systemd/system/{TIMER}.d")
    plan = pbxfleet("plan", "fra1")
    assert f"^ file      {unit}   [drift] the schedule of the host does not run" in plan
    assert [s["do"] for s in json.loads(pbxfleet("plan", "fra1", "--json"))["steps"]] == [
        "reload services"
    ]
    pbxfleet("apply", "fra1", "--auto-approve", "--no-sinks")
    assert bed.show(TIMER, "ActiveState") == "active"
    assert pbxfleet("drift", "fra1", "--no-sinks") == ""
    assert "nothing to do" in pbxfleet("plan", "fra1")


def ends(bed: SystemdBed, pbxfleet: Callable[..., str]) -> None:
    """How an instance ended is what systemd has seen of it."""
    ways = (
        (("systemctl", "stop", "pbx-alpha"), "unknown", "systemd says: stopped on request at "),
        (
            ("systemctl", "kill", "-sKILL", "pbx-alpha"),
            "unknown",
            "systemd says: killed by signal 9 ",
        ),
        (
            ("systemctl", "kill", "-sSEGV", "pbx-alpha"),
            "pbx",
            "systemd says that its process was ended",
        ),
    )
    # It would be up again before anybody looks.
    bed.run("mkdir", "-p", f"{PIECES}/pbx-alpha.service.d")
    bed.write(f"{PIECES}/pbx-alpha.service.d/x.conf", "[Service]\nRestart=no\n")
    bed.run("systemctl", "daemon-reload")
    for argv, who, evidence in ways:
        bed.run("systemctl", "start", "pbx-alpha")
        bed.run(*argv)
        deadline = time.monotonic() + PATIENCE_S
        while bed.show("pbx-alpha", "ActiveState") in ("active", "deactivating"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        found = json.loads(pbxfleet("drift", "fra1", "--no-sinks", "--json", code=2))["items"]
        (item,) = [one for one in found if one["name"] == "running"]
        assert item["who"] == who and item["evidence"].startswith(evidence), item
        assert [one["class"] for one in found if one is not item] == ["extra"], (
            "the piece of a unit"
        )
        bed.run("systemctl", "reset-failed", "pbx-alpha", check=False)
    bed.run("rm", "-r", f"{PIECES}/pbx-alpha.service.d")
    pbxfleet("apply", "fra1", "--auto-approve", "--no-sinks")
    assert pbxfleet("drift", "fra1", "--no-sinks") == ""


def test_a_host_looks_by_itself(tmp_path: Path) -> None:
    repository, program = tmp_path / "fleet", "/usr/local/sbin/pbxfleet"
    words = {"repository": repository, "program": program, "metrics": METRICS}
    fleet(repository, "systemd", MORE.format(**words))
    assert not compile_fleet(str(repository)).failed
    binds = (*interpreter_binds(), str(repository))
    with SystemdBed(tmp_path / "host", binds=binds) as bed:
        bed.start(["203.0.113.2", *ADDRESSES.values()])
        python = bed.python("-c", "import sys; print(sys.executable)").stdout.strip()
        bed.write(program, f'#!/bin/sh\nexec {python} -m pbxfleet "$@"\n')
        bed.run("chmod", "755", program)

        def pbxfleet(*arguments: str, code: int = 0) -> str:
            done = bed.run(program, "-C", str(repository), *arguments, check=False)
            assert done.returncode == code, done
            return done.stdout

        pbxfleet("apply", "fra1", "--auto-approve", "--no-sinks")
        assert bed.show(TIMER, "ActiveState") == "active", "at once, without a reboot"
        bed.run("rm", "/etc/pbx/backup.list")
        # Down at the time, and one more than an hour ago: it looks as soon as it is up.
        bed.run("touch", "--date=3 hours ago", STAMP)
        bed.reboot()
        fires(bed)
        assert 'class="missing"} 1' in bed.read(METRICS).decode()
        told = entries(bed)
        assert [e["PBXFLEET_ABOUT"] for e in told if "PBXFLEET_ABOUT" in e] == ["missing"]
        assert told[-1]["PBXFLEET_EXIT_CODE"] == "2"
        assert bed.show("pbxfleet-drift.service", "Result") == "success"

        bed.run("systemctl", "start", "pbxfleet-drift.service")
        again = entries(bed)[len(told) :]
        assert not [e for e in again if "PBXFLEET_ABOUT" in e], "each difference once"

        settles(bed, pbxfleet)
        ends(bed, pbxfleet)
        host = repository / "desired/hosts/fra1.toml"
        host.write_text(host.read_text().replace('drift = "hourly"', 'drift = "off"'))
        assert not compile_fleet(str(repository)).failed
        pbxfleet("apply", "fra1", "--auto-approve", "--no-sinks")
        assert bed.show(TIMER, "ActiveState") == "inactive"
        left = bed.run("find", "/etc/systemd/system", "-name", "*pbxfleet*").stdout
        assert left == ""
