"""A machine below a folder, on which two instances may run that pbxfleet starts itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.host.local import LocalHost
from support.instances import instance
from support.processes import ended_at_last


@pytest.fixture
def host(tmp_path: Path) -> Iterator[LocalHost]:
    """What it started is ended with the test."""
    with ended_at_last(LocalHost(str(tmp_path), "direct"), instance("a"), instance("b")) as host:
        yield host
