"""Sites of the end-to-end tests; whatever a test left running is ended by its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.running_site import RunningSite


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
