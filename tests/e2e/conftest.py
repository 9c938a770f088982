"""Sites of the end-to-end tests; whatever a test left running is ended by its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.running_site import RunningSite

# Where a host has instances; links in a root folder lead there when they are followed.
THEIRS = ("/etc/systemd/system", "/etc/init.d", "/etc/pbx", "/usr/local", "/var/lib")


def instances_of_this_machine() -> dict[str, int]:
    """Names that have to do with a PBX in the places of this machine, with the times of writing."""
    found = {}
    for folder in map(Path, THEIRS):
        if folder.is_dir():
            found |= {str(p): p.lstat().st_mtime_ns for p in folder.glob("*pbx*")}
    return found


@pytest.fixture(scope="session", autouse=True)
def _this_machine_stays_as_it_is() -> Iterator[None]:
    before = instances_of_this_machine()
    yield
    after = instances_of_this_machine()
    assert not [path for path in after if after[path] != before.get(path)]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., RunningSite]]:
    """Makes sites with real processes."""
    made: list[RunningSite] = []

    def make(*names: str, **options: Any) -> RunningSite:
        folder = tmp_path / f"site-{len(made)}"
        site = RunningSite(folder, names or ("ash", "birch"), **options)
        made.append(site)
        return site

    yield make
    for site in made:
        site.end()
