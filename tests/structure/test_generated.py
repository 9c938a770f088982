"""What is generated and kept in the repository is what would be generated now."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.tree import ROOT

GENERATORS = {
    "make schemas": ("tools/schemas.py", "--check"),
    "make docs": ("tools/docs.py", "--check"),
    "pbxfleet compile": ("-m", "pbxfleet", "-C", str(ROOT), "compile", "--check"),
}


@pytest.mark.parametrize("repair", GENERATORS)
def test_generated_files_are_fresh(repair: str) -> None:
    argv = (sys.executable, *GENERATORS[repair])
    done = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"run `{repair}`\n{done.stdout}{done.stderr}"
