"""Change a pbx.xml that others may write at any moment, also while the instance is stopped.

A child that outlived its parent, a second supervisor, the vendor's stock service, a person with an
editor: whoever wrote between our look and our rename must not lose it, and must not undo ours unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host

TRIES = 5
PAUSE_S = 0.1  # a writer that is half-way through (cut off, then filled) has ended by then
CONTESTED = "HST110"

T = TypeVar("T")
Certain = Callable[[], None]
Change = Callable[[bytes], bytes]


def bring(host: Host, path: HostPath, change: Change, must_be_stopped: Certain) -> bytes:
    """Make the file `change` of what it is now, and see that it stays so; the bytes that then lie there.

    `must_be_stopped` raises HostError unless nothing runs in the instance's directory; it is asked
    before every look, and after the file was replaced. Who else writes meanwhile is read again, and
    changed again, at most TRIES times: then HostError HST110, and the file is as the other one left it.
    """
    for attempt in range(TRIES):
        if attempt:
            host.pause(PAUSE_S)
        must_be_stopped()
        before, after = settled(host, path, change)
        if after != before and not host.swap(path, before, after, None, ""):
            continue
        must_be_stopped()
        if host.read(path) == after:
            return after
    raise HostError(
        path, f"somebody else writes it: changed {TRIES} times in a row", code=CONTESTED
    )


def settled(host: Host, path: HostPath, understand: Callable[[bytes], T]) -> tuple[bytes, T]:
    """The bytes of the file, and what `understand` makes of them; its HostError once they stay the same.

    A file that is not there, or cannot be understood, may be one that somebody is about to write.
    """
    before = host.read(path)
    for attempt in range(TRIES):
        try:
            if before is None:
                raise HostError(path, "the file vanished")
            return before, understand(before)
        except HostError:
            host.pause(PAUSE_S)
            again = host.read(path)
            if again == before or attempt + 1 == TRIES:
                raise
            before = again
    raise AssertionError("the last try returns or raises")


def bring_new(
    host: Host, path: HostPath, new: tuple[bytes, int | None, str], change: Change, certain: Certain
) -> bytes:
    """Make the file `new` (content, mode, owner) where none is; where one appeared, as `bring`."""
    certain()
    content, mode, owner = new
    if host.swap(path, None, content, mode, owner):
        certain()
        if host.read(path) == content:
            return content
    return bring(host, path, change, certain)
