"""How validate and compile grow with the fleet: a table, a picture, and whether the limits hold.

    make bench-scale                # or: .venv/bin/python tools/bench_scale.py --hosts 10 25 50 100
    .venv/bin/python tools/bench_scale.py --write docs/scale.md

Each size is a fleet of its own: hosts with 40 instances, half of them in YAML, addresses and cores half
declared and half allocated, one failover pair between neighbouring hosts. "cold" is with nothing kept
and nothing rendered; "one changed" is after one instance got another system name, which is compared
with that of every other. Times are of the whole command.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench import FLEET, PBXFLEET, Sample, make_artefacts, met, sample, write

PER_HOST = 40
HOST = """\
address = "10.{h}.0.2"
reserve_address = true
addresses = ["10.{h}.0.10-10.{h}.0.200"]
cpus = "0-63"
system_cpus = "0-1"
rtp = "49152-64511"
services = "systemd"
directory = "/usr/local/pbx-{{instance}}"
failover_file = "/etc/pbx/failover-{{instance}}.conf"
failover_template = "templates/failover.conf.j2"
"""
TEMPLATE = "role {{ role }}\npeer {{ peer_url }}\n"
LIMITS = {
    "validate, cold": 6.0,
    "compile, cold": 20.0,
    "validate, one changed": 1.0,
    "compile, one changed": 1.0,
}
MEMORY_MIB = 500
SETTLED_S = 2.5  # files that were written just now are read again; nobody edits that fast
COLOURS = {
    "validate, cold": "#2563eb",
    "compile, cold": "#b45309",
    "validate, one changed": "#15803d",
    "compile, one changed": "#9333ea",
}


class Measured(NamedTuple):
    """What one size took: samples by what was done."""

    hosts: int
    samples: dict[str, Sample]

    @property
    def instances(self) -> int:
        return self.hosts * PER_HOST


def make_fleet(fleet: Path, hosts: int) -> None:
    """A repository with `hosts` hosts of 40 instances each."""
    digests = make_artefacts(fleet)
    for name in ("hosts", "instances", "templates"):
        (fleet / "desired" / name).mkdir()
    text = FLEET.format(pbxctrl=digests["pbxctrl"], dat=digests["pbxctrl.dat"])
    (fleet / "desired/fleet.toml").write_text(text)
    (fleet / "desired/templates/failover.conf.j2").write_text(TEMPLATE)
    for h in range(hosts):
        (fleet / f"desired/hosts/h{h}.toml").write_text(HOST.format(h=h))
        for i in range(PER_HOST):
            write_instance(fleet, h, i, hosts)


def write_instance(fleet: Path, h: int, i: int, hosts: int) -> None:
    """One instance: YAML with a declared address, or TOML with an allocated one."""
    name = f"c{h}x{i}"
    pair = ""
    if i == 0 and h ^ 1 < hosts:
        role = "primary" if h % 2 == 0 else "secondary"
        pair = f"failover: {{role: {role}, peer: c{h ^ 1}x0}}\n"
    tenants = f"{name}.example.com", f"a{name}.example.com"
    if i % 2 == 0:
        text = f"host: h{h}\naddress: 10.{h}.0.{100 + i}\ncpu: auto\n{pair}"
        text += f"tenants: [{', '.join(tenants)}]\nsettings:\n  sys_name: PBX {name}\n"
        (fleet / f"desired/instances/{name}.yaml").write_text(text)
    else:
        text = f'host = "h{h}"\naddress = "auto-ipv4"\ncpu = "auto"\ntenants = {list(tenants)}\n'
        text += f'[settings]\nsys_name = "PBX {name}"\n'
        (fleet / f"desired/instances/{name}.toml").write_text(text)


def measure(folder: Path, hosts: int, runs: int) -> Measured:
    """All four times of one size; the changes are to an instance in the middle of the fleet."""
    fleet = folder / f"fleet-{hosts}"
    make_fleet(fleet, hosts)
    os.environ["XDG_CACHE_HOME"] = str(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    program = [str(PBXFLEET), "-C", str(fleet), "--quiet"]
    samples: dict[str, list[Sample]] = {what: [] for what in LIMITS}
    changed = fleet / f"desired/instances/c{hosts // 2}x1.toml"
    for run in range(runs):
        for what, argv in (
            ("validate", [*program, "validate"]),
            ("compile", [*program, "compile"]),
        ):
            put_aside(folder / "pbxfleet", folder)
            if what == "compile":
                put_aside(fleet / "rendered", folder)
            samples[f"{what}, cold"].append(sample(argv))
        time.sleep(SETTLED_S)
        sample([*program, "compile"])
        for what in ("validate", "compile"):
            text = re.sub("sys_name = .*", f'sys_name = "{what} {run}"', changed.read_text())
            changed.write_text(text)
            samples[f"{what}, one changed"].append(sample([*program, what]))
    return Measured(hosts, {w: min(found, key=lambda s: s.wall_s) for w, found in samples.items()})


def put_aside(tree: Path, folder: Path) -> None:
    """Take a tree out of the way; removing it here would make the next files dear.

    ext4 searches long for an inode while many were freed within the last minute.
    """
    if tree.exists():
        tree.rename(Path(tempfile.mkdtemp(dir=folder)) / tree.name)


def table(measured: list[Measured]) -> str:
    """Markdown: one row a size; the largest is held against the limits."""
    names = list(LIMITS)
    head = " | ".join(f"{name} (s)" for name in names)
    lines = [f"| instances | {head} | memory (MiB) |", "| ---: " * (len(names) + 2) + "|"]
    for m in measured:
        cells = " | ".join(f"{m.samples[name].wall_s:.2f}" for name in names)
        lines.append(f"| {m.instances:,} | {cells} | {peak(m):.0f} |")
    largest = measured[-1]
    held = " | ".join(
        f"under {limit:g}: {met(largest.samples[name].wall_s < limit)}"
        for name, limit in LIMITS.items()
    )
    lines.append(f"| limit | {held} | under {MEMORY_MIB}: {met(peak(largest) < MEMORY_MIB)} |")
    return "\n".join(lines)


def peak(measured: Measured) -> float:
    """The largest memory of any of the commands, in MiB."""
    return max(s.peak_mib for s in measured.samples.values())


def floor(folder: Path, hosts: int) -> Sample:
    """Copying the rendered files of a size: what writing them costs at least."""
    copy = folder / "copy"
    found = sample(["cp", "-r", str(folder / f"fleet-{hosts}" / "rendered"), str(copy)])
    shutil.rmtree(copy)
    return found


def picture(measured: list[Measured]) -> str:
    """An SVG: seconds over instances, one line for each kind of run; straight is linear."""
    width, height, left, top = 640, 360, 56, 24
    right, bottom = 170, 44
    most = max(m.instances for m in measured)
    longest = max(s.wall_s for m in measured for s in m.samples.values())
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50) if longest / s <= 8)
    ceiling = (int(longest / step) + 1) * step

    def x(instances: float) -> float:
        return left + instances / most * (width - left - right)

    def y(seconds: float) -> float:
        return height - bottom - seconds / ceiling * (height - top - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        "<title>Seconds of validate and compile over the number of instances</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number in range(int(ceiling / step) + 1):
        at, label = y(number * step), f"{number * step:g} s"
        parts.append(f'<path d="M{left} {at:.1f}H{width - right}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    for m in measured:
        parts.append(
            f'<text x="{x(m.instances):.1f}" y="{height - bottom + 18}" '
            f'text-anchor="middle">{m.instances:,}</text>'
        )
    middle = (left + width - right) / 2
    parts.append(f'<text x="{middle:.0f}" y="{height - 8}" text-anchor="middle">instances</text>')
    heights: list[float] = []
    for name, colour in sorted(COLOURS.items(), key=lambda i: -measured[-1].samples[i[0]].wall_s):
        points = " ".join(f"{x(m.instances):.1f},{y(m.samples[name].wall_s):.1f}" for m in measured)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        label = max([y(measured[-1].samples[name].wall_s) + 4, *(h + 15 for h in heights)])
        heights.append(label)
        parts.append(f'<text x="{width - right + 8}" y="{label:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    """Print the table; with --write put it and the picture into a document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[10, 25, 50, 75, 100])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="document; FILE.svg is beside it"
    )
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pbxfleet-scale-"))
    try:
        measured = [measure(folder, hosts, args.runs) for hosts in sorted(args.hosts)]
        least = floor(folder, measured[-1].hosts)
    finally:
        shutil.rmtree(folder)
    ratio = measured[-1].samples["compile, cold"].wall_s / least.wall_s
    text = table(measured)
    text += f"\n\n`cp -r` of the {measured[-1].instances:,} instances' rendered files takes "
    text += f"{least.wall_s:.2f} s; compile from nothing takes {ratio:.0f} times as long."
    print(text)
    if args.write:
        write(text, args.write)
        args.write.with_suffix(".svg").write_text(picture(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
