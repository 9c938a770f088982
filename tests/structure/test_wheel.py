"""The wheel holds the package, all of it, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from support.tree import PACKAGE, ROOT, project_files


def test_the_wheel_is_the_package(tmp_path: Path) -> None:
    argv = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    built = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        executable = archive.getinfo("pbxfleet/standin/pbxctrl").external_attr >> 16 & 0o111
    ours = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in project_files()
        if path.is_relative_to(PACKAGE)
    }
    assert held == ours
    assert executable, "the stand-in PBX cannot be started from an installed package"
