"""A resolved host compiles to exactly the files of its golden tree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pbxfleet.model.manifest import decode, encode
from support.rendered import GOLDEN, cases, compile_case


@pytest.mark.parametrize("case", cases())
def test_the_rendered_tree_is_the_golden_one(case: str, update_golden: bool) -> None:
    outcome = compile_case(case)
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    files = dict(outcome.value.files)
    expected = GOLDEN / case / "expected"
    if update_golden:
        shutil.rmtree(expected, ignore_errors=True)
        for name, content in files.items():
            path = expected / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    assert files == tree(expected)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("case", cases())
def test_the_manifest_is_the_target(case: str) -> None:
    outcome = compile_case(case)
    assert outcome.value is not None
    target, files = outcome.value
    assert decode(files["manifest.json"]) == target
    assert encode(target) == files["manifest.json"]


@pytest.mark.parametrize("case", cases())
def test_every_rendered_file_is_a_resource_and_the_other_way_round(case: str) -> None:
    outcome = compile_case(case)
    assert outcome.value is not None
    target, files = outcome.value
    named = {r.source for r in target.resources.values() if r.source.startswith("root/")}
    beside = {"manifest.json", *(f"settings/{name}.json" for name in target.instances)}
    assert set(files) == named | beside


def test_no_secret_and_no_path_of_this_machine_is_rendered() -> None:
    outcome = compile_case("systemd")
    assert outcome.value is not None
    here = str(Path(__file__).parents[2]).encode()
    assert not [name for name, content in outcome.value.files.items() if here in content]
    assert b'"secret": "acme/admin", "value": null' in outcome.value.files["settings/acme.json"]
