"""What the words of a command line are taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.e2e import in_process


@pytest.mark.parametrize("what", ["nofile.plan", "plans/fra1", "./fra1"])
def test_a_plan_file_that_is_not_there_is_not_taken_for_a_host(tmp_path: Path, what: str) -> None:
    done = in_process("apply", "-C", str(tmp_path), "--auto-approve", str(what))
    assert done.code == 1
    assert f"{what} does not exist" in done.err and "rendered/" not in done.err
