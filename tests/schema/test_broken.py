"""Broken fleets, one folder each: `desired/` over that of `_base`, and what is said in `diagnostics.txt`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.fleetfiles import files_below, printed, read_desired
from support.tree import PACKAGE, ROOT, python_files

BROKEN = ROOT / "tests" / "golden" / "broken"
CASES = sorted(p.name for p in BROKEN.iterdir() if p.name != "_base")


def files_of(case: Path) -> dict[str, bytes]:
    files = {**files_below(BROKEN / "_base"), **files_below(case)}
    files.pop("diagnostics.txt", None)
    return files


@pytest.mark.parametrize("case", CASES)
def test_broken_fleet(case: str, update_golden: bool) -> None:
    files = files_of(BROKEN / case)
    expected = BROKEN / case / "diagnostics.txt"
    said = printed(files, read_desired(files))
    if update_golden:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_every_code_has_a_case() -> None:
    """Codes about bytes and missing files have their cases in Python: tests/source/test_load.py."""
    said = "".join((BROKEN / case / "diagnostics.txt").read_text() for case in CASES)
    folders = (PACKAGE / "source", PACKAGE / "schema")
    texts = (path.read_text() for folder in folders for path in python_files(folder))
    codes = set(re.findall(r'"((?:SRC|FMT)[0-9]{3})"', "".join(texts)))
    without = {code for code in codes if f"[{code}]" not in said}
    assert without == {
        "SRC101",
        "SRC102",
        "SRC103",
        "SRC104",
        "SRC105",
        "SRC107",
        "SRC119",
        "FMT101",
    }


def test_the_base_is_whole() -> None:
    read = read_desired(files_of(BROKEN / "_base"))
    assert read.diagnostics == ()
    assert read.value is not None
