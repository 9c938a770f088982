"""The examples on the pages of the codes that only compiling finds: bad gives the code, good does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from support.pages import examples, laid_over


def codes_of(files: dict[str, bytes], repository: Path) -> set[str]:
    for name, content in laid_over(files).items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return {d.code for d in compile_fleet(str(repository)).fleet.diagnostics}


@pytest.mark.parametrize("code", ["FLO110", "FLO111", "FLO112", "DIR120", "DIR121", "DIR122"])
def test_the_examples_of_the_page(tmp_path: Path, code: str) -> None:
    bad, good = examples(code)
    assert bad and good
    assert code in codes_of(bad, tmp_path / "bad")
    assert code not in codes_of(good, tmp_path / "good")
    assert (tmp_path / "good/rendered/fra1/manifest.json").exists()
