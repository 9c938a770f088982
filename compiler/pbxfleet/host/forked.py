"""Work on several cores: the same results in the same order as in a loop, only sooner.

Each child is a copy of this process as it is, so nothing has to be handed to it; only results travel.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

HEADER_BYTES = 8
WORTH_IT = 4  # items; with fewer the copies cost more than they save


class WorkerFailed(Exception):
    """A child could not do its work; what went wrong shows where the work is done in this process."""


@contextmanager
def forked(
    work: Callable[[T], bytes], items: Sequence[T], least: int = WORTH_IT
) -> Iterator[Iterator[bytes]]:
    """`work` of each item, in order; asking for one raises WorkerFailed if it raises or is killed.

    As many children as this process may use cores, which begin at once; for fewer than `least` items
    or with a single core none, and an item is worked on when it is asked for.
    """
    workers = _workers(len(items))
    if _cores() < 2 or len(items) < least:
        yield map(work, items)
        return
    children: list[tuple[int, int]] = []
    try:
        for number in range(workers):
            children.append(_child(work, items[number::workers]))
        yield (_received(children[number % workers][1]) for number in range(len(items)))
    finally:
        for child in children:
            _end(*child)


def by_neighbours(items: Sequence[T]) -> list[T]:
    """The items in the order in which each child of `forked` works on neighbours.

    For items that share what has to be made for them.
    """
    workers = _workers(len(items))
    places = (at for first in range(workers) for at in range(first, len(items), workers))
    found = dict(zip(places, items, strict=True))
    return [found[at] for at in range(len(items))]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _workers(items: int) -> int:
    return min(_cores(), items)


@contextmanager
def beside(work: Callable[[], bytes]) -> Iterator[Callable[[], bytes]]:
    """`work` in a child while this process goes on; asking for what it gives waits for it.

    As `forked` of a single item.
    """
    with forked(lambda _: work(), [None], 1) as results:
        yield lambda: next(results)


def _child(work: Callable[[T], bytes], items: Sequence[T]) -> tuple[int, int]:
    """Process number of a new child, and the pipe that its results come from."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        for item in items:
            result = work(item)
            _send(writing, len(result).to_bytes(HEADER_BYTES, "big"))
            _send(writing, result)
        code = 0
    finally:
        os._exit(code)  # what the parent has open and registered is not the child's to end


def _end(pid: int, pipe: int) -> None:
    os.close(pipe)
    os.kill(pid, signal.SIGKILL)  # ours until it is waited for; most have ended by now
    os.waitpid(pid, 0)


def _send(pipe: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(pipe, left) :]


def _received(pipe: int) -> bytes:
    return _read(pipe, int.from_bytes(_read(pipe, HEADER_BYTES), "big"))


def _read(pipe: int, size_bytes: int) -> bytes:
    parts: list[bytes] = []
    while size_bytes:
        part = os.read(pipe, min(size_bytes, 1 << 20))
        if not part:
            raise WorkerFailed
        parts.append(part)
        size_bytes -= len(part)
    return b"".join(parts)
