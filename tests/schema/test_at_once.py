"""A file with errors hides no problem of the others, and invents none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from pbxfleet.app.fleet import Fleet
from pbxfleet.app.reading import read_fleet
from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.source.excerpt import render, summary
from support.fleetfiles import files_below
from support.pages import base_fleet, examples, laid_over
from support.tree import PACKAGE, ROOT

GOLDEN = ROOT / "tests" / "golden" / "at-once"
CASES = sorted(path.name for path in GOLDEN.iterdir())

BETWEEN = ("REF", "REL", "BND", "NET", "RTP", "CPU", "DIR", "SET", "FLO", "ALC", "ADV")
CODES = sorted(
    page.stem
    for page in (PACKAGE / "pages").glob("*.md")
    if page.stem.startswith(BETWEEN) and examples(page.stem)[0]
)
OURS = ("FMT", "SRC")
TYPO = b"\n[no_such_table]\nkey = 1\n"


def read(folder: Path, files: Mapping[str, bytes]) -> Fleet:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return read_fleet(str(folder))


@pytest.mark.parametrize("case", CASES)
def test_what_is_told(case: str, tmp_path: Path, update_golden: bool) -> None:
    files = files_below(GOLDEN / case)
    files.pop("diagnostics.txt", None)
    fleet = read(tmp_path, laid_over(files))
    assert fleet.resolved is None
    said = f"{render(fleet.diagnostics, fleet.texts())}\n{summary(fleet.diagnostics)}\n"
    expected = GOLDEN / case / "diagnostics.txt"
    if update_golden:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_nothing_is_compiled(tmp_path: Path) -> None:
    files = files_below(GOLDEN / "broken-instance")
    read(tmp_path, laid_over(files))
    compiled = compile_fleet(str(tmp_path))
    assert compiled.failed and compiled.changed == () and not (tmp_path / "rendered").exists()


def told(fleet: Fleet) -> set[tuple[str, str, int]]:
    """Codes and lines; the words may name another instance of the several that a problem is about."""
    return {identity(one) for one in fleet.diagnostics if not one.code.startswith(OURS)}


def identity(one: Diagnostic) -> tuple[str, str, int]:
    return (one.code, "", 0) if one.span is None else (one.code, one.span.file, one.span.line)


@pytest.mark.parametrize("code", CODES)
def test_a_further_broken_file_changes_nothing(code: str, tmp_path: Path) -> None:
    files = laid_over(examples(code)[0])
    whole = told(read(tmp_path / "whole", files))
    broken = {**files, "desired/instances/zeta.toml": b'host = "fra1"\naddress = 7\n'}
    found = read(tmp_path / "broken", broken)
    assert told(found) <= whole
    withheld = {one[0] for one in whole} - {one[0] for one in told(found)}
    # The file that nobody understands may map the role, and its instances may have the free core.
    assert withheld <= {"REF105", "CPU105"}


@pytest.mark.parametrize("code", CODES)
def test_no_broken_file_makes_echoes(code: str, tmp_path: Path) -> None:
    files = laid_over(examples(code)[0])
    whole = told(read(tmp_path / "whole", files))
    for number, name in enumerate(n for n in files if n.endswith((".toml", ".yaml"))):
        typo = TYPO if name.endswith(".toml") else b"\nno_such_key: 1\n"
        found = read(tmp_path / str(number), {**files, name: files[name] + typo})
        assert any(one.code.startswith(OURS) for one in found.diagnostics), name
        assert told(found) <= whole, name


def test_the_base_fleet_has_nothing_to_echo(tmp_path: Path) -> None:
    assert told(read(tmp_path, base_fleet())) == set()
