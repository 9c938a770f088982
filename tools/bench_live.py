"""Benchmarks with processes that run: how long an instance is down, and what looking at a hundred costs.

Stand-in PBX processes on loopback addresses, below a folder that plays the host's /. Every figure has its
floor in the same run: the same stand-in, stopped and started by hand.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
STANDIN = ROOT / "compiler" / "pbxfleet" / "standin"
PBXFLEET = Path(sys.executable).with_name("pbxfleet")
PYTHON = getattr(sys, "_base_executable", sys.executable)
HTTP = 18080
LISTEN = (
    "{ http = 18080, https = 18443, sip_udp = 15060, sip_tcp = 15060, sip_tls = 15061, "
    'tftp = "off", snmp = "off", ldap = "off" }'
)
HOST = """\
addresses = ["127.77.1.1-127.77.1.254"]
rtp = "20000-29999"
ephemeral_ports = "32768-60999"
services = "direct"
directory = "/usr/local/pbx-{instance}"
failover_file = "/etc/pbx/failover-{instance}.conf"
"""
PATIENCE_S = 60.0
OWN_PART = 1.0  # of what the stand-in itself takes, at most
CPU_S = 1.0  # of a drift check of 100 instances, at most


class Ran(NamedTuple):
    """A command that has ended: wall seconds, processor seconds, and the JSON it printed."""

    wall_s: float
    cpu_s: float
    said: Any


class LiveSite:
    """A host of running stand-ins below a folder, and the repository that declares them."""

    def __init__(self, folder: Path, fleet_text: str, count: int) -> None:
        self.fleet, self.root = folder / "fleet", folder / "host"
        self.names = [f"pbx{number}" for number in range(1, count + 1)]
        self.root.mkdir(parents=True)
        digests = self._artefacts()
        text = fleet_text.format(pbxctrl=digests["pbxctrl"], dat=digests["pbxctrl.dat"])
        self.text = re.sub(r"(?m)^listen = .*$", lambda _: f"listen = {LISTEN}", text)
        for name in ("hosts", "instances"):
            (self.fleet / "desired" / name).mkdir()
        (self.fleet / "desired/hosts/live.toml").write_text(HOST)
        for number, name in enumerate(self.names, 1):
            body = (
                f'host = "live"\naddress = "127.77.1.{number}"\n[settings]\nsys_name = "{name}"\n'
            )
            (self.fleet / f"desired/instances/{name}.toml").write_text(body)

    def _artefacts(self) -> dict[str, str]:
        """A release whose program needs no search for its interpreter."""
        artefacts, reference = self.fleet / "artefacts", self.fleet / "desired/reference"
        for made in (artefacts, reference):
            made.mkdir(parents=True)
        _, script = (STANDIN / "pbxctrl").read_text(encoding="utf-8").split("\n", 1)
        (artefacts / "pbxctrl").write_text(f"#!{PYTHON} -IS\n{script}", encoding="utf-8")
        (artefacts / "pbxctrl.dat").write_bytes((STANDIN / "pbxctrl.dat").read_bytes())
        (reference / "pbx.xml").write_bytes((STANDIN / "pbx.xml").read_bytes())
        files = (artefacts / "pbxctrl", artefacts / "pbxctrl.dat")
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def declare(self, log_duration: int) -> None:
        """Change one setting of every instance, and compile."""
        text = re.sub(r"(?m)^log_duration = .*$", f"log_duration = {log_duration}", self.text)
        (self.fleet / "desired/fleet.toml").write_text(text)
        self.run("compile")

    def run(self, *words: str) -> Ran:
        """Run a command on the host, which must end well."""
        on_host = ["live", "--root", str(self.root)] if words[0] != "compile" else []
        argv = [str(PBXFLEET), "-C", str(self.fleet), "--json", words[0], *on_host, *words[1:]]
        begun = time.perf_counter()
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(argv)}: exit code {process.returncode}\n{said.decode()[-2000:]}")
        return Ran(wall_s, usage.ru_utime + usage.ru_stime, json.loads(said))

    def apply(self, log_duration: int) -> Ran:
        """Change every instance and apply that."""
        self.declare(log_duration)
        return self.run("apply", "--auto-approve")

    def processes(self) -> dict[int, list[str]]:
        """Arguments of the stand-ins below the folder, by number."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    argv = (entry / "cmdline").read_bytes().decode().split("\0")[:-1]
                    if any(word.startswith(f"{self.root}/") for word in argv):
                        found[int(entry.name)] = argv
        return found

    def by_hand(self, number: int) -> float:
        """Seconds that one instance is down when its process is told to end and started again."""
        folder = str(self.root / f"usr/local/pbx-{self.names[number - 1]}")
        running = {pid: argv for pid, argv in self.processes().items() if folder in argv}
        (argv,) = running.values()
        begun = time.perf_counter()
        for pid in running:
            os.kill(pid, signal.SIGTERM)
        while any(_runs(pid) for pid in running):
            time.sleep(0.002)
        null = subprocess.DEVNULL
        started = subprocess.Popen(argv, stdin=null, stdout=null, stderr=null)
        started.returncode = 0  # it outlives us
        while not _answers(f"127.77.1.{number}"):
            time.sleep(0.002)
        return time.perf_counter() - begun

    def end(self) -> None:
        """End every process that was started here."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] not in "ZX"
    return False


def _answers(address: str) -> bool:
    try:
        socket.create_connection((address, HTTP), timeout=1).close()
    except OSError:
        return False
    return True


def live(folder: Path, fleet_text: str, count: int, runs: int) -> list[str]:
    """Lines of the table: downtimes, an apply of `count` changed instances, and a drift check of them."""
    site = LiveSite(folder, fleet_text, count)
    try:
        site.apply(1)
        by_hand = [site.by_hand(1 + number % count) for number in range(runs)]
        changed = site.apply(2)
        downtimes = changed.said["downtimes"]
        if len(downtimes) != count:
            sys.exit(f"{len(downtimes)} of {count} instances were restarted")
        drifts = [site.run("drift") for _ in range(runs)]
    finally:
        site.end()
    floor_ms = statistics.median(by_hand) * 1000
    down_ms = statistics.median(d["seconds"] for d in downtimes) * 1000
    own_ms = statistics.median(d["own_seconds"] for d in downtimes) * 1000
    worst_ms = max(d["own_seconds"] for d in downtimes) * 1000
    cpu_s = min(drift.cpu_s for drift in drifts) * 100 / count
    each_ms = changed.wall_s / count * 1000
    return [
        f"| stand-in stopped and started by hand | {floor_ms:.0f} ms | 1.0 | floor |",
        f"| the same by apply, to the proof that it runs (median) | {down_ms:.0f} ms "
        f"| {down_ms / floor_ms:.1f} | |",
        f"| our own part of that downtime (median; longest {worst_ms:.0f} ms) | {own_ms:.0f} ms "
        f"| {own_ms / floor_ms:.2f} | {_verdict(own_ms / floor_ms, OWN_PART, '')} |",
        f"| apply of {count} changed instances, one after the other | {changed.wall_s:.1f} s "
        f"| {each_ms / floor_ms:.1f} ({each_ms:.0f} ms each) | |",
        f"| drift check of 100 running instances, processor time | {cpu_s:.2f} s "
        f"| | {_verdict(cpu_s, CPU_S, ' s')} |",
    ]


def _verdict(found: float, limit: float, unit: str) -> str:
    return f"at most {limit:g}{unit}: {'met' if found <= limit else 'MISSED'}"
