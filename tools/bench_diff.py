"""How long a diff of two revisions takes, beside git's own diff of the same files.

    .venv/bin/python tools/bench_diff.py                # 25 hosts with 40 instances, one of which changed
    .venv/bin/python tools/bench_diff.py --hosts 5 25 --runs 7 --write docs/how-to/pull-requests.md

"kept" is after `validate` in the same job, as in CI; "cold" is with nothing kept. Floors are measured
in the same run: a bare interpreter, and `git diff --stat`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
from pathlib import Path

from bench import PBXFLEET, Sample, met, sample, write
from bench_scale import PER_HOST, make_fleet

LIMIT_S = 2.0


def git(fleet: Path, *words: str) -> list[str]:
    """A git command in the fleet."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    return ["git", "-C", str(fleet), *identity, *words]


def make_history(fleet: Path, hosts: int) -> None:
    """Two commits; the second gives one instance in the middle another system name."""
    make_fleet(fleet, hosts)
    program = [str(PBXFLEET), "-C", str(fleet), "--quiet", "compile"]
    sample(program)
    sample(git(fleet, "init", "-q"))
    changed = fleet / f"desired/instances/c{hosts // 2}x1.toml"
    for text in ("one", "two"):
        changed.write_text(re.sub("sys_name = .*", f'sys_name = "{text}"', changed.read_text()))
        sample(program)
        sample(git(fleet, "add", "-A"))
        sample(git(fleet, "commit", "-qm", text))


def measure(folder: Path, hosts: int, runs: int) -> list[str]:
    """Rows of the table for one size."""
    fleet = folder / f"fleet-{hosts}"
    make_history(fleet, hosts)
    words = [str(PBXFLEET), "-C", str(fleet), "diff", "HEAD~1", "HEAD"]
    commands = {
        "`python -c pass`": ["python3", "-c", "pass"],
        "`git diff --stat`": git(fleet, "diff", "--stat", "HEAD~1", "HEAD"),
        "`pbxfleet diff`, kept": words,
        "`pbxfleet diff`, cold": words,
        "`pbxfleet diff --no-checks`": [*words, "--no-checks"],
    }
    found: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, argv in commands.items():
            if name.endswith("cold"):
                shutil.rmtree(folder / "pbxfleet", ignore_errors=True)
            elif name.endswith("kept"):
                sample([str(PBXFLEET), "-C", str(fleet), "--quiet", "validate"])
            found[name].append(sample(argv))
    best = {name: min(s.wall_s for s in samples) for name, samples in found.items()}
    floor = best["`git diff --stat`"]
    return [
        f"| {hosts * PER_HOST} | {name} | {wall_s:.2f} | {wall_s / floor:.0f} | {verdict(name, wall_s)} |"
        for name, wall_s in best.items()
    ]


def verdict(name: str, wall_s: float) -> str:
    """Whether the limit holds, for what has one."""
    return f"under {LIMIT_S:g}: {met(wall_s < LIMIT_S)}" if "pbxfleet" in name else "floor"


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[25])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into a document")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pbxfleet-bench-"))
    os.environ["XDG_CACHE_HOME"] = str(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    head = "| instances | command | seconds | times `git diff` | limit (s) |"
    lines = [head, "| ---: | --- | ---: | ---: | --- |"]
    try:
        for hosts in args.hosts:
            lines += measure(folder, hosts, args.runs)
    finally:
        shutil.rmtree(folder)
    print("\n".join(lines))
    if args.write:
        write("\n".join(lines), args.write)


if __name__ == "__main__":
    main()
