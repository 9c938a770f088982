"""Whether a rendered tree is what was written: stamps that prove it, and reading that tells."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.core.digest import digest_of
from pbxfleet.host import stamps
from pbxfleet.host.stamps import stamp_of
from pbxfleet.host.written_tree import holds_exactly, write_tree

FILES = {"a": b"1", "d/b": b"22", "d/e/c": b"333"}
DIGESTS = {name: digest_of(content) for name, content in FILES.items()}
SETTLED_NS = 20_000_000


def rewritten(folder: Path) -> None:
    """The same size and the same time of its last change, as far as anybody can set it."""
    before = (folder / "a").stat()
    (folder / "a").write_bytes(b"2")
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(folder: Path) -> None:
    before = (folder / "a").stat()
    (folder / "new").write_bytes(b"2")
    os.utime(folder / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (folder / "new").rename(folder / "a")


def linked(folder: Path) -> None:
    (folder / "d/e/c").rename(folder / "d/e/.c")
    (folder / "d/e/c").symlink_to(".c")


def linked_folder(folder: Path) -> None:
    (folder / "d").rename(folder.with_name("elsewhere"))
    (folder / "d").symlink_to("../elsewhere")


def nothing_left(folder: Path) -> None:
    shutil.rmtree(folder)


ACCIDENTS: list[Callable[[Path], object]] = [
    rewritten,
    replaced,
    linked,
    linked_folder,
    nothing_left,
    lambda folder: (folder / "d/b").unlink(),
    lambda folder: (folder / "d/more").write_bytes(b""),
    lambda folder: (folder / "more").mkdir(),
    lambda folder: (folder / "d/e/more").mkdir(),
    lambda folder: (folder / "a").chmod(0o755),
    lambda folder: os.mkfifo(folder / "d/e/fifo"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tree(str(tmp_path / "h"), FILES)
    return tmp_path / "h"


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_every_accident_shows(
    folder: Path, accident: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "SETTLED_NS", SETTLED_NS)
    time.sleep(2 * SETTLED_NS / 1e9)
    before = stamp_of(str(folder), FILES)
    assert before is not None
    assert stamp_of(str(folder), FILES) == before
    assert holds_exactly(str(folder), DIGESTS)
    accident(folder)
    time.sleep(2 * SETTLED_NS / 1e9)
    assert stamp_of(str(folder), FILES) != before
    assert not holds_exactly(str(folder), DIGESTS)
    write_tree(str(folder), FILES)
    assert holds_exactly(str(folder), DIGESTS)


def test_what_changed_just_now_has_no_stamp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second change within the clock's grain would leave it as it is."""
    assert stamp_of(str(folder), FILES) is None
    later = time.time_ns() + 10 * stamps.SETTLED_NS
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert stamp_of(str(folder), FILES) is not None
    monkeypatch.setattr(time, "time_ns", lambda: later - 20 * stamps.SETTLED_NS)  # set back
    assert stamp_of(str(folder), FILES) is None


def test_a_stamp_is_of_all_files_and_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "SETTLED_NS", -10_000_000_000)
    assert stamp_of(str(folder), FILES) != stamp_of(str(folder), ["a", "d/b"])
    assert stamp_of(str(folder), [*FILES, "none"]) is None
