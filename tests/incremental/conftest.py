"""A cache of its own for every test, and how to see what is worked out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.app.workshop import Workshop
from pbxfleet.host import stamps
from support.kept_fleet import SETTLED_NS


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(stamps, "SETTLED_NS", SETTLED_NS)


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the hosts that are resolved anew from now on, in order."""
    done: list[str] = []
    work_out = Workshop.work_out

    def noted(self: Workshop, todo: list[str], *args: object, **options: bool) -> object:
        done.extend(todo)
        return work_out(self, todo, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Workshop, "work_out", noted)
    return done
