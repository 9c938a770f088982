"""What a host's [network] compiles to: a folder a case, desired files in, files of the host out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pbxfleet.render import network
from support.network_fleet import compiled, network_files, resolved_host

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(folder.name for folder in GOLDEN.iterdir())


def desired(case: str) -> dict[str, str]:
    """The files of a case, by their names in the repository."""
    folder = GOLDEN / case
    files = (path for path in sorted((folder / "desired").rglob("*")) if path.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in files}


@pytest.mark.parametrize("case", CASES)
def test_the_files_are_the_golden_ones(case: str, update_golden: bool) -> None:
    found = network_files(desired(case))
    expected = GOLDEN / case / "expected"
    if update_golden:
        shutil.rmtree(expected, ignore_errors=True)
        for name, content in found.items():
            path = expected / name[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    files = (path for path in expected.rglob("*") if path.is_file())
    assert found == {f"/{p.relative_to(expected).as_posix()}": p.read_bytes() for p in files}


@pytest.mark.parametrize("case", CASES)
def test_no_instance_is_interrupted_by_a_change_of_the_network(case: str) -> None:
    target = compiled(resolved_host(desired(case))).target
    ours = [r for r in target.resources.values() if f"root{r.path}" == r.source]
    files = network_files(desired(case))
    assert {str(r.impact) for r in ours if r.path in files} <= {"none"}


@pytest.mark.parametrize("case", CASES)
def test_paths_are_those_of_the_files(case: str) -> None:
    host = resolved_host(desired(case))
    assert [f.path for f in network.network_files(host)] == list(network.network_paths(host))


def test_without_the_table_nothing_of_the_network_is_rendered() -> None:
    assert network_files({}) == {}
