"""Replacing a file that others write: whoever comes between loses nothing, at whatever moment."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host import exchange
from pbxfleet.host.files import Files
from pbxfleet.host.owners import Owners
from pbxfleet.host.rooted import Root
from pbxfleet.host.temporary import is_temporary, ours_beside
from support.machine import Machine

PATH = HostPath("/pbx.xml")
ROUNDS = 150


class Hurried(Files):
    """Somebody does something while the new content is on its way to the disk."""

    meanwhile: Callable[[], None] | None = None

    def _sync(self, file: int) -> None:
        super()._sync(file)
        if self.meanwhile is not None:
            action, self.meanwhile = self.meanwhile, None
            action()


@pytest.fixture
def files(tmp_path: Path) -> Hurried:
    return Hurried(Root(str(tmp_path)), Owners())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    file = tmp_path / "pbx.xml"
    file.write_bytes(b"one")
    file.chmod(0o640)
    return file


def swap(files: Files, before: bytes | None, after: bytes) -> bool:
    return files.swap(PATH, before, after, None, "")


def renames(place: Path, content: bytes) -> None:
    other = place.with_name("theirs")
    other.write_bytes(content)
    other.chmod(0o640)
    other.rename(place)


def writes_into_it(place: Path, content: bytes) -> None:
    with place.open("r+b") as file:
        file.write(content)


def removes(place: Path) -> None:
    place.unlink()


def links(place: Path) -> None:
    place.unlink()
    place.symlink_to("elsewhere")


def makes_a_directory(place: Path) -> None:
    place.unlink()
    place.mkdir()


def gives_other_rights(place: Path) -> None:
    place.chmod(0o600)


def test_what_was_read_is_replaced_and_keeps_its_mode(files: Hurried, place: Path) -> None:
    assert swap(files, b"one", b"two")
    assert (place.read_bytes(), place.stat().st_mode & 0o7777) == (b"two", 0o640)
    assert not swap(files, b"one", b"three")
    assert place.read_bytes() == b"two"
    assert os.listdir(place.parent) == ["pbx.xml"]


INTERFERENCES: list[Callable[[Path], None]] = [
    lambda place: renames(place, b"their"),
    lambda place: writes_into_it(place, b"eno"),  # as long as before, in the same place
    lambda place: writes_into_it(place, b"longer"),
    removes,
    links,
    makes_a_directory,
    gives_other_rights,
]


@pytest.mark.parametrize("interference", INTERFERENCES)
def test_who_comes_between_is_left_alone(
    files: Hurried, place: Path, interference: Callable[[Path], None]
) -> None:
    twin = place.parent.parent / f"twin-{place.parent.name}"
    twin.mkdir()
    other = twin / "pbx.xml"
    other.write_bytes(b"one")
    other.chmod(0o640)
    interference(other)
    files.meanwhile = lambda: interference(place)
    assert not swap(files, b"one", b"two")
    assert listed(place.parent) == listed(twin)


def listed(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in folder.iterdir()
    }


def test_a_file_is_made_only_where_nothing_is(files: Hurried, place: Path) -> None:
    assert not swap(files, None, b"two")
    assert place.read_bytes() == b"one"
    place.unlink()
    files.meanwhile = lambda: renames(place, b"their")
    assert not swap(files, None, b"two")
    assert place.read_bytes() == b"their"
    place.unlink()
    assert swap(files, None, b"two")
    assert (place.read_bytes(), place.stat().st_mode & 0o7777) == (b"two", 0o600)
    assert (place.stat().st_nlink, os.listdir(place.parent)) == (1, ["pbx.xml"])


def race(files: Files, place: Path, write: Callable[[Path, bytes], None]) -> int:
    """How many of their writes were lost to a merge that did not know them."""
    lost = 0
    for number in range(ROUNDS):
        place.write_bytes(b"start")
        place.chmod(0o640)
        theirs = b"%05d" % number
        writer = threading.Thread(target=write, args=(place, theirs))
        writer.start()
        ended = False
        while not ended:
            ended = not writer.is_alive()
            before = files.read(PATH)
            if before is not None and swap(files, before, before + b"|"):
                ended = ended and b"|" in before
        writer.join()
        lost += not place.read_bytes().startswith(theirs)
    return lost


def test_of_a_thousand_races_none_loses_a_write(files: Hurried, place: Path) -> None:
    files.durable = False
    assert race(files, place, renames) == 0
    assert [name for name in os.listdir(place.parent) if is_temporary(name)] == []


def test_a_file_that_displaced_another_goes_back(place: Path) -> None:
    """What happens when somebody was faster than the look before the rename: step by step."""
    directory = os.open(place.parent, os.O_RDONLY)
    try:
        ours = place.with_name(".pbxfleet-1-0")
        ours.write_bytes(b"two")
        inode = ours.stat().st_ino
        assert exchange._swapped(directory, ours.name, place.name)
        assert place.read_bytes() == b"two"
        exchange._back(directory, ours.name, place.name, inode)
        assert (place.read_bytes(), os.listdir(place.parent)) == (b"one", ["pbx.xml"])
        renames(ours, b"one")  # displaced, while somebody has already put a newer one in its place
        renames(place, b"newest")
        exchange._back(directory, ours.name, place.name, inode)
        assert (place.read_bytes(), os.listdir(place.parent)) == (b"newest", ["pbx.xml"])
    finally:
        os.close(directory)


def test_a_host_in_memory_swaps_as_well() -> None:
    machine = Machine()
    assert machine.swap(PATH, None, b"one", 0o640, "root:root")
    assert not machine.swap(PATH, None, b"two", None, "")
    assert not machine.swap(PATH, b"other", b"two", None, "")
    assert machine.swap(PATH, b"one", b"two", None, "")
    assert (machine.read(PATH), machine.look(PATH).mode) == (b"two", 0o640)


def displaced(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if ours_beside(path.name) is not None]


def test_whoever_is_killed_right_after_the_exchange_leaves_what_was_displaced(
    files: Hurried, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody wrote at the last moment is in no sweep's way, and is told from what we wrote."""
    real = exchange.renamed

    def then_the_end(directory: int, old: str, new: str, flags: int) -> bool:
        renames(place, b"their")
        real(directory, old, new, flags)
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange, "renamed", then_the_end)
    with pytest.raises(KeyboardInterrupt):
        swap(files, b"one", b"two")
    assert place.read_bytes() == b"two"
    files.sweep(HostPath("/"))
    (left,) = displaced(place.parent)
    assert left.read_bytes() == b"their"
    assert ours_beside(left.name) == place.stat().st_ino != left.stat().st_ino


def test_a_directory_that_cannot_be_synced_after_the_exchange_loses_nothing(
    files: Hurried, place: Path
) -> None:
    def full() -> None:
        raise OSError(errno.EIO, "no")

    files.meanwhile = lambda: setattr(files, "meanwhile", full)
    with pytest.raises(HostError):
        swap(files, b"one", b"two")
    contents = {place.read_bytes(), *(path.read_bytes() for path in displaced(place.parent))}
    assert contents >= {b"two", b"one"} or contents == {b"one"}


def test_before_the_exchange_only_ours_is_beside(
    files: Hurried, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def the_end(directory: int, old: str, new: str, flags: int) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange, "renamed", the_end)
    with pytest.raises(KeyboardInterrupt):
        swap(files, b"one", b"two")
    (left,) = displaced(place.parent)
    assert (left.read_bytes(), left.stat().st_ino) == (b"two", ours_beside(left.name))
