"""Somebody swaps directories for links, as fast as the kernel can, while we write: nothing gets out."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.test_attacks import EFFECTS, everything
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State

P = HostPath
SECONDS = 0.35  # for each effect and place
LONGEST_S = 30
EXCHANGE = 2  # renameat2(2)


@contextlib.contextmanager
def swapping(one: Path, other: Path) -> Iterator[None]:
    """Another process exchanges two names without a pause; it ends by itself should this one die."""
    pid = os.fork()
    if not pid:
        signal.alarm(LONGEST_S)
        call = ctypes.CDLL(None).renameat2
        names = os.fsencode(one), os.fsencode(other)
        while True:
            call(-100, names[0], -100, names[1], EXCHANGE)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def places(folder: Path) -> tuple[Path, Path]:
    """A root with an instance and our own folders, and what lies outside of it."""
    root, outside = folder / "root", folder / "outside"
    for place in (root / "usr/local/pbx-a", outside, outside / "pbx-a", outside / "local/pbx-a"):
        place.mkdir(parents=True)
        (place / "pbx.xml").write_bytes(b"foreign")
    (outside / "records").mkdir()
    (root / "folder").mkdir()
    (root / "ours").write_bytes(b"ours")
    return root, outside


@pytest.mark.parametrize("swapped", ["usr/local/pbx-a", "usr/local", "usr"])
def test_no_write_gets_out(tmp_path: Path, swapped: str) -> None:
    root, outside = places(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(outside)
    before = everything(outside)
    done = refused = 0
    with swapping(root / swapped, link):
        for effect in EFFECTS.values():
            until = time.monotonic() + SECONDS / 3
            while time.monotonic() < until:
                host = LocalHost(str(root), "direct")
                try:
                    effect(host, P("/usr/local/pbx-a"))
                    done += 1
                except HostError:
                    refused += 1
    assert everything(outside) == before
    assert done and refused, "the race was on: some were refused and some were not"


def test_the_state_folder_is_swapped(tmp_path: Path) -> None:
    root, outside = places(tmp_path)
    (root / "var/lib/pbxfleet").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(outside)
    before = everything(outside)
    until = time.monotonic() + 3 * SECONDS
    count = 0
    with swapping(root / "var/lib/pbxfleet", link):
        while time.monotonic() < until:
            state = State(LocalHost(str(root), "direct"))
            for act in (
                lambda s=state: s.append_journal({"event": "begin"}),
                lambda s=state, n=count: s.write_record("applied/alpha", b"%d" % n),
                lambda s=state: s.close_journal(),
            ):
                with contextlib.suppress(HostError):
                    act()
            count += 1
    assert everything(outside) == before
    assert count > 10


def test_a_directory_comes_and_goes_while_it_is_packed(tmp_path: Path) -> None:
    """An archive has only what lay in the directory, never what a link led to."""
    root, outside = places(tmp_path)
    (outside / "secret").write_bytes(b"secret of the superuser" * 100)
    inner = root / "usr/local/pbx-a/recordings"
    inner.mkdir()
    for number in range(50):
        (inner / f"{number}.wav").write_bytes(b"call" * 1000)
    link = root / "usr/local/pbx-a/zz"
    link.symlink_to(outside)
    until = time.monotonic() + 4 * SECONDS
    number = made = 0
    with swapping(inner, link):
        while time.monotonic() < until:
            number += 1
            with contextlib.suppress(HostError):
                LocalHost(str(root), "direct").archive(
                    P("/usr/local/pbx-a"), P(f"/archives/a-{number}.tar")
                )
                made += 1
    for path in (root / "archives").glob("*.tar"):
        assert b"secret" not in path.read_bytes()
    assert made, "not every attempt was refused"
    assert not list((root / "archives").glob(".pbxfleet-*"))
