"""Benchmarks: every figure is a ratio against a floor that is measured in the same run.

    make bench                      # or: .venv/bin/python tools/bench.py --counts 10 100 1000 --runs 7
    .venv/bin/python tools/bench.py --write README.md     # the table there is replaced by this run's

Floors: a bare `python -c pass` for start-up, `diff -rq rendered live` for a plan with nothing to do,
a stand-in stopped and started by hand for a downtime.
Wall seconds are the best of several runs, interleaved; memory is the peak of the process itself.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench_live import live

ROOT = Path(__file__).resolve().parent.parent
STANDIN = ROOT / "compiler" / "pbxfleet" / "standin"
PBXFLEET = Path(sys.executable).with_name("pbxfleet")
BEGIN, END = "<!-- bench -->", "<!-- end of bench -->"

FLEET = """\
format = 1
name = "bench"
[defaults]
release = "70.5"
listen = {{ http = 80, https = 443, sip_udp = 5060, sip_tcp = 5060, sip_tls = 5061, \
tftp = "off", snmp = "off", ldap = "off" }}
[defaults.settings]
log_duration = 86400
log_length = 200
[releases."70.5"]
pbxctrl = {{ source = "file:../artefacts/pbxctrl", sha256 = "{pbxctrl}" }}
dat = {{ source = "file:../artefacts/pbxctrl.dat", sha256 = "{dat}" }}
reference = "reference/pbx.xml"
reference_address = "198.51.100.10"
[catalogue]
sip_udp = "sip_udp_port"
sip_tcp = "sip_tcp_port"
sip_tls = "sip_tls_port"
tftp = "tftp_port"
snmp = "snmp_port"
ldap = "ldap_port"
rtp_bind = "rtp_bind_ip4"
rtp_start = "rtp_port_start"
rtp_end = "rtp_port_end"
affinity = "affinity_mask"
"""
HOST = """\
addresses = ["10.0.0.1-10.0.255.254"]
rtp = "49152-64511"
services = "systemd"
directory = "/usr/local/pbx-{instance}"
failover_file = "/etc/pbx/failover-{instance}.conf"
"""


class Sample(NamedTuple):
    """One run: wall seconds and peak memory in MiB."""

    wall_s: float
    peak_mib: float


def sample(argv: list[str], *, ok: tuple[int, ...] = (0,)) -> Sample:
    """Run a command once; its exit code must be one of `ok`."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    said = process.stderr.read() if process.stderr else b""
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ok:
        sys.exit(f"{' '.join(argv)}: exit code {process.returncode}\n{said.decode()}")
    return Sample(wall_s, usage.ru_maxrss / 1024)


def best(runs: int, *commands: tuple[list[str], tuple[int, ...]]) -> list[Sample]:
    """The best run of each command; the runs take turns, so that a busy moment hits them alike."""
    found: list[list[Sample]] = [[] for _ in commands]
    for _ in range(runs):
        for number, (argv, ok) in enumerate(commands):
            found[number].append(sample(argv, ok=ok))
    return [Sample(min(s.wall_s for s in g), max(s.peak_mib for s in g)) for g in found]


def make_artefacts(fleet: Path) -> dict[str, str]:
    """A release of small files and its reference file in a new repository; digests by file name."""
    (fleet / "artefacts").mkdir(parents=True)
    (fleet / "desired/reference").mkdir(parents=True)
    digests = {}
    for name in ("pbxctrl", "pbxctrl.dat"):
        shutil.copy(STANDIN / name, fleet / "artefacts" / name)
        digests[name] = hashlib.sha256((STANDIN / name).read_bytes()).hexdigest()
    shutil.copy(STANDIN / "pbx.xml", fleet / "desired/reference/pbx.xml")
    return digests


def make_fleet(folder: Path, count: int) -> Path:
    """A repository with one host of `count` instances and a release made of small files."""
    fleet = folder / f"fleet-{count}"
    digests = make_artefacts(fleet)
    for name in ("hosts", "instances"):
        (fleet / "desired" / name).mkdir()
    text = FLEET.format(pbxctrl=digests["pbxctrl"], dat=digests["pbxctrl.dat"])
    (fleet / "desired/fleet.toml").write_text(text)
    (fleet / "desired/hosts/big.toml").write_text(HOST)
    for number in range(count):
        address = f"10.0.{number // 250}.{number % 250 + 1}"
        body = f'host = "big"\naddress = "{address}"\n[settings]\nsys_name = "PBX {number}"\n'
        (fleet / f"desired/instances/pbx{number}.toml").write_text(body)
    return fleet


def start_up(runs: int) -> list[str]:
    """--help and --version against a bare interpreter."""
    bare = ([sys.executable, "-c", "pass"], (0,))
    floor, helped, version = best(
        runs, bare, ([str(PBXFLEET), "--help"], (0,)), ([str(PBXFLEET), "--version"], (0,))
    )
    return [
        f"| `python -c pass` | {floor.wall_s * 1000:.0f} ms | 1.0 | floor |",
        row("`pbxfleet --help`", helped, floor, 4),
        row("`pbxfleet --version`", version, floor, 4),
    ]


def row(name: str, found: Sample, floor: Sample, limit: float | None) -> str:
    """One line of the table: time, ratio, and whether it is within the limit."""
    ratio = found.wall_s / floor.wall_s
    verdict = f"at most {limit:g}: {met(ratio <= limit)}" if limit is not None else ""
    return f"| {name} | {found.wall_s * 1000:.0f} ms | {ratio:.1f} | {verdict} |"


def met(truth: bool) -> str:
    return "met" if truth else "MISSED"


def one_size(folder: Path, count: int, runs: int, *, limited: bool) -> list[str]:
    """Compile, apply below a folder, and plan with nothing to do, for `count` instances.

    The limits are about the largest size; the others show how it grows.
    """
    fleet, root = make_fleet(folder, count), folder / f"root-{count}"
    root.mkdir()
    program = [str(PBXFLEET), "-C", str(fleet), "--quiet"]
    cold = sample([*program, "compile"])
    applied = sample([*program, "apply", "big", "--root", str(root), "--auto-approve"])
    rendered = fleet / "rendered" / "big" / "root"
    floor, plan = best(
        runs,
        (["diff", "-rq", str(rendered), str(root)], (0, 1)),
        ([*program, "plan", "big", "--root", str(root), "--detailed-exitcode"], (0,)),
    )
    files = sum(1 for p in root.rglob("*") if p.is_file())
    each = cold.wall_s / count * 1000
    speed = f"at most 10 ms: {met(each <= 10)}" if limited else ""
    memory = f"under 150 MiB: {met(plan.peak_mib < 150)}" if limited else ""
    return [
        f"| compile, {count} instances | {cold.wall_s * 1000:.0f} ms | {each:.1f} ms each | {speed} |",
        f"| first apply below a folder, {count} instances | {applied.wall_s * 1000:.0f} ms "
        f"| {applied.wall_s / count * 1000:.1f} ms each | |",
        f"| `diff -rq rendered live`, {files} files | {floor.wall_s * 1000:.0f} ms | 1.0 | floor |",
        row(f"plan with nothing to do, {count} instances", plan, floor, 3 if limited else None),
        f"| its memory | {plan.peak_mib:.0f} MiB | | {memory} |",
    ]


def write(table: str, path: Path) -> None:
    """Replace the table between the two marks of a document."""
    text = path.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        sys.exit(f"{path} has no place for the table: {BEGIN} and {END}")
    path.write_text(f"{head}{begin}\n{table}\n{end}{tail}", encoding="utf-8")


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--live", type=int, default=100, help="running instances (default: 100)")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--keep", help="work in this folder and leave it there")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into a document")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = Path(args.keep) if args.keep else Path(tempfile.mkdtemp(prefix="pbxfleet-bench-"))
    lines = ["| what | time | ratio | limit |", "| --- | --- | --- | --- |", *start_up(args.runs)]
    try:
        for count in args.counts:
            lines += one_size(folder, count, args.runs, limited=count == max(args.counts))
        if args.live:
            lines += live(folder / "live", FLEET, args.live, args.runs)
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    print("\n".join(lines))
    if args.write:
        write("\n".join(lines), args.write)
    print(json.dumps({"cpus": os.cpu_count(), "python": sys.version.split()[0]}), file=sys.stderr)


if __name__ == "__main__":
    main()
