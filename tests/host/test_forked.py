"""Work on several cores: what comes out is what a loop gives, and no child outlives it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbxfleet.host.forked import WORTH_IT, WorkerFailed, forked

SIZES = st.lists(st.integers(0, 200_000), max_size=3 * WORTH_IT)


def content(size: int) -> bytes:
    return bytes([size % 251]) * size


def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@settings(max_examples=25)
@given(sizes=SIZES)
def test_the_results_are_those_of_a_loop(sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        two_cores(patch)
        assert list(forked(content, sizes)) == [content(size) for size in sizes]


def children() -> set[int]:
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return set(map(int, found))


def fails(_: int) -> bytes:
    raise ValueError("of the child's own")


def is_killed(_: int) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


@pytest.mark.parametrize("work", [fails, is_killed])
def test_a_child_that_fails_is_told_of(
    work: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    two_cores(monkeypatch)
    before = children()
    with pytest.raises(WorkerFailed):
        list(forked(work, range(WORTH_IT)))
    assert children() == before


def test_who_stops_listening_leaves_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    two_cores(monkeypatch)
    before = children()
    results = forked(content, [1_000_000] * (2 * WORTH_IT))
    assert len(list(islice(results, 2))) == 2
    assert children() > before
    results.close()  # type: ignore[attr-defined]
    assert children() == before


def test_a_few_items_are_worked_on_here(monkeypatch: pytest.MonkeyPatch) -> None:
    two_cores(monkeypatch)
    done = forked(lambda _: str(os.getpid()).encode(), range(WORTH_IT - 1))
    assert set(done) == {str(os.getpid()).encode()}
