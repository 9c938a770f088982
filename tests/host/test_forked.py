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

from pbxfleet.host.forked import WORTH_IT, WorkerFailed, beside, by_neighbours, forked

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
        with forked(content, sizes) as results:
            assert list(results) == [content(size) for size in sizes]


@given(size=st.integers(0, 40), cores=st.integers(1, 5))
def test_each_child_gets_neighbours(size: int, cores: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
        items = by_neighbours(range(size))
    assert sorted(items) == list(range(size))
    workers = min(cores, size)
    for own in (items[number::workers] for number in range(workers)):
        assert own == list(range(own[0], own[0] + len(own)))


def children() -> set[int]:
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return set(map(int, found))


def process(_: int) -> bytes:
    return str(os.getpid()).encode()


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
    with pytest.raises(WorkerFailed), forked(work, range(WORTH_IT)) as results:
        list(results)
    assert children() == before
    with pytest.raises(WorkerFailed), beside(lambda: work(0)) as result:
        result()
    assert children() == before


def test_who_stops_listening_leaves_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    two_cores(monkeypatch)
    before = children()
    with forked(content, [1_000_000] * (2 * WORTH_IT)) as results:
        assert len(list(islice(results, 2))) == 2
        assert children() > before
    assert children() == before
    with beside(lambda: content(1_000_000)):
        assert children() > before
    assert children() == before


def test_a_few_items_are_worked_on_here(monkeypatch: pytest.MonkeyPatch) -> None:
    two_cores(monkeypatch)
    with forked(process, range(WORTH_IT - 1)) as results:
        assert set(results) == {process(0)}


def test_beside_is_in_another_process_if_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    two_cores(monkeypatch)
    with beside(lambda: process(0)) as result:
        assert result() != process(0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with beside(lambda: process(0)) as result:
        assert result() == process(0)
