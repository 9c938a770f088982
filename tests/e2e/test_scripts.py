"""Every script of tests/e2e/scripts, in a folder of its own; the language is in support/scripts.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.scripts import Script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(script: Path, tmp_path: Path) -> None:
    Script(script.read_text(encoding="utf-8"), tmp_path).play()
