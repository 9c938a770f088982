"""Tests cannot hurt the machine they run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.host.local import LocalHost
from support.guard import ThisMachineTouchedError


@pytest.mark.parametrize("root", [None, "", "/", "//", "/tmp/.."])
def test_a_local_host_for_this_machine_cannot_be_made(root: str | None) -> None:
    with pytest.raises(ThisMachineTouchedError):
        LocalHost(root=root, services="direct")


def test_a_local_host_below_a_folder_can_be_made(tmp_path: Path) -> None:
    LocalHost(root=str(tmp_path), services="direct")


@pytest.mark.real_root
def test_a_test_that_says_so_may_have_it() -> None:
    LocalHost(root=None, services="direct")
