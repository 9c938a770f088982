"""Boxes with stand-in PBX processes; whatever a test started is ended afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.standin import end_all, fresh_address
from support.standin_box import Box


@pytest.fixture
def make_box(tmp_path: Path) -> Iterator[Callable[..., Box]]:
    """Makes boxes below tmp_path, each with an address of its own unless one is given."""
    boxes: list[Box] = []

    def make(name: str = "", address: str = "") -> Box:
        box = Box(tmp_path / (name or f"pbx-{len(boxes) + 1}"), address or fresh_address())
        boxes.append(box)
        return box

    yield make
    end_all(tmp_path)
    for box in boxes:
        for popen in box.foreground:
            popen.kill()
            popen.communicate(timeout=30)


@pytest.fixture
def box(make_box: Callable[..., Box]) -> Box:
    """One box with a configuration on its own address."""
    made = make_box()
    made.configure()
    return made
