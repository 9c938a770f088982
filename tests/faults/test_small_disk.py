"""A real disk that is full, has no room for another name, is read-only, holds on to a file, loses power."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.beds import bed_required, require_programs, require_root
from support.sampling import seed
from support.strace import require_strace
from support.tree import ROOT

BED = "an ext4 of its own"
# With the namespaces go the mount, and every process that somebody forgot.
ALONE = ("unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child")


@pytest.mark.parametrize("part", ["hindered", "power"])
def test_small_disk(part: str, tmp_path: Path) -> None:
    require_root(BED)
    require_programs(BED, "mkfs.ext4", "e2fsck", "chattr", "mount", "unshare")
    require_strace()
    _require_loop_devices(tmp_path)
    scenario = Path(__file__).with_name("disk_scenario.py")
    done = subprocess.run(
        (*ALONE, sys.executable, scenario, tmp_path / "site", seed(), part),
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout.endswith("whole\n"), f"seed {seed()}:\n{done.stdout}\n{done.stderr}"


def _require_loop_devices(folder: Path) -> None:
    image, disk = folder / "tried", folder / "disk"
    image.write_bytes(bytes(1 << 20))
    disk.mkdir()
    subprocess.run(("mkfs.ext4", "-q", "-F", image), check=True, timeout=60)
    argv = ("unshare", "--mount", "mount", "-o", "loop", image, disk)
    tried = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    if tried.returncode != 0:
        bed_required(BED, tried.stderr.strip())
