"""Benchmark: a look at a hundred running instances that are as they were applied, beside `diff -rq`.

    .venv/bin/python tools/bench_drift.py [--count 100] [--runs 20]

Stand-in PBX processes run below a folder; in a network and a process namespace of its own it disturbs
nobody: unshare --net --pid --mount-proc --fork --kill-child sh -c 'ip link set lo up && exec COMMAND'.
Every figure is the least of many runs that take turns, so that other work on the machine counts little.
The floor is a bare interpreter; `diff -rq` compares the rendered files with those on the host, and
neither processes nor sockets nor settings.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench import FLEET
from bench_live import PBXFLEET, LiveSite

WALL_S = 0.250  # over the floor, at most
CPU_S = 0.200


class Cost(NamedTuple):
    """One run: wall seconds, and processor seconds of the command and what it started."""

    wall_s: float
    cpu_s: float


def cost(argv: list[str], allowed: tuple[int, ...]) -> Cost:
    """Run a command whose exit code must be one of `allowed`, and which must say nothing with 0."""
    begun = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed or (process.returncode == 0 and said):
        sys.exit(f"{' '.join(argv)}: exit code {process.returncode}\n{said.decode()[-2000:]}")
    return Cost(wall_s, usage.ru_utime + usage.ru_stime)


def least(runs: int, commands: list[tuple[list[str], tuple[int, ...]]]) -> list[Cost]:
    """The least of each command; the runs take turns."""
    found: list[list[Cost]] = [[] for _ in commands]
    for _ in range(runs):
        for number, (argv, allowed) in enumerate(commands):
            found[number].append(cost(argv, allowed))
    return [Cost(min(c.wall_s for c in g), min(c.cpu_s for c in g)) for g in found]


def table(site: LiveSite, runs: int) -> list[str]:
    """The lines of the table."""
    rendered = site.fleet / "rendered" / "live" / "root"
    drift = [str(PBXFLEET), "-C", str(site.fleet), "drift", "live", "--root", str(site.root)]
    bare, diff, looked = least(
        runs,
        [
            ([sys.executable, "-c", "pass"], (0,)),
            (["diff", "-rq", str(rendered), str(site.root)], (0, 1)),
            (drift, (0,)),
        ],
    )
    files = sum(1 for path in rendered.rglob("*") if path.is_file())
    wall_s, cpu_s = looked.wall_s - bare.wall_s, looked.cpu_s - bare.cpu_s
    count = len(site.names)
    return [
        "| what | wall | processor | over a bare interpreter | limit |",
        "| --- | --- | --- | --- | --- |",
        f"| `python -c pass` | {_ms(bare.wall_s)} | {_ms(bare.cpu_s)} | | floor |",
        f"| `diff -rq rendered live`, {files} files | {_ms(diff.wall_s)} | {_ms(diff.cpu_s)} | | |",
        f"| drift of {count} running instances | {_ms(looked.wall_s)} | {_ms(looked.cpu_s)} "
        f"| {_ms(wall_s)} wall, {_ms(cpu_s)} processor | at most {_ms(WALL_S)} and {_ms(CPU_S)}: "
        f"{'met' if wall_s <= WALL_S and cpu_s <= CPU_S else 'MISSED'} |",
        f"| ratio to `diff -rq` | {looked.wall_s / diff.wall_s:.1f} "
        f"| {looked.cpu_s / diff.cpu_s:.1f} | | |",
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="running instances (default: 100)")
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    # Bytecode is what an installed program has; and a benchmark is in a hurry.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PBXFLEET_PRIORITY"] = "normal"
    folder = Path(tempfile.mkdtemp(prefix="pbxfleet-bench-"))
    site = LiveSite(folder, FLEET, args.count)
    try:
        site.apply(1)
        print("\n".join(table(site, args.runs)))
    finally:
        site.end()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
