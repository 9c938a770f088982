"""Repository folders: whatever is in them is read or named, and only what differs is written."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.errors import HostError
from pbxfleet.host.workspace import LARGEST_BYTES, ReadProblem, read_tree
from pbxfleet.host.written_tree import TreeChange, write_tree
from support.beds import require_root


def reasons(folder: Path, subfolder: str = "", **options: object) -> dict[str, str]:
    tree = read_tree(str(folder), subfolder, **options)  # type: ignore[arg-type]
    return {name: c.reason for name, c in tree.items() if isinstance(c, ReadProblem)}


def test_files_are_named_from_the_top(tmp_path: Path) -> None:
    (tmp_path / "desired" / "hosts").mkdir(parents=True)
    (tmp_path / "desired" / "fleet.toml").write_bytes(b"format = 1\n")
    (tmp_path / "desired" / "hosts" / "fra1.toml").write_bytes(b"")
    (tmp_path / "desired" / ".fleet.toml.swp").write_bytes(b"")
    (tmp_path / "other").write_bytes(b"")
    tree = read_tree(str(tmp_path), "desired")
    assert tree == {"desired/fleet.toml": b"format = 1\n", "desired/hosts/fra1.toml": b""}
    assert list(tree) == sorted(tree)
    assert ".fleet.toml.swp" in read_tree(str(tmp_path / "desired"), hidden=True)
    assert read_tree(str(tmp_path), "none") == {}
    assert read_tree(str(tmp_path / "none")) == {}
    assert reasons(tmp_path, "other") == {"other": "is not a folder of this repository"}


def test_everything_odd_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    desired, outside = tmp_path / "repo" / "desired", tmp_path / "outside"
    desired.mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_bytes(b"password")
    (desired / "good.toml").write_bytes(b"good")
    (desired / "alias.toml").symlink_to("good.toml")
    (desired / "folder.toml").mkdir()
    os.mkfifo(desired / "fifo.toml")
    (desired / "dangling.toml").symlink_to("nothing.toml")
    (desired / "loop.toml").symlink_to("loop.toml")
    (desired / "secret.toml").symlink_to(outside / "secret")
    (desired / "up.toml").symlink_to("../../outside/secret")
    (desired / "out").symlink_to(outside)
    (desired / "zero.toml").symlink_to("/dev/zero")
    (desired / "again").symlink_to(".")
    (desired / "large.toml").write_bytes(bytes(2001))
    (desired / "just.toml").write_bytes(bytes(2000))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(desired / "socket.toml"))
    (desired / "new\nline.toml").write_bytes(b"")
    with open(os.fsencode(desired) + b"/bytes\xff.toml", "wb"):
        pass
    assert reasons(tmp_path / "repo", "desired", file_suffixes=(".toml",), largest_bytes=2000) == {
        "desired/again": "is a link to a folder that is read already",
        "desired/bytes\\xff.toml": "has a name with characters that cannot be printed",
        "desired/dangling.toml": "is a link that leads nowhere",
        "desired/fifo.toml": "is not a regular file",
        "desired/folder.toml": "is a folder, not a file",
        "desired/large.toml": "is larger than 2,000 bytes",
        "desired/loop.toml": "is a link that leads to itself",
        "desired/new\\nline.toml": "has a name with characters that cannot be printed",
        "desired/out": "is a link that leads out of the repository",
        "desired/secret.toml": "is a link that leads out of the repository",
        "desired/socket.toml": "is not a regular file",
        "desired/up.toml": "is a link that leads out of the repository",
        "desired/zero.toml": "is a link that leads out of the repository",
    }
    tree = read_tree(str(tmp_path / "repo"), "desired", largest_bytes=2000)
    assert tree["desired/good.toml"] == tree["desired/alias.toml"] == b"good"
    assert tree["desired/just.toml"] == bytes(2000)


def test_ten_megabytes_are_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 10_000_000)
    (tmp_path / "g").write_bytes(b"")
    os.truncate(tmp_path / "g", LARGEST_BYTES + 1)
    tree = read_tree(str(tmp_path))
    assert len(tree["f"]) == 10_000_000  # type: ignore[arg-type]
    assert tree["g"] == ReadProblem("is larger than 16,777,216 bytes")


def test_what_may_not_be_read() -> None:
    require_root("another user")
    code = (
        "import os, sys\nfrom pbxfleet.host.workspace import read_tree\n"
        "os.setuid(4711)\nprint(read_tree(sys.argv[1]))"
    )
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "f").write_bytes(b"secret")
        (folder / "f").chmod(0o600)
        (folder / "d").mkdir(mode=0o700)
        (folder / "g").write_bytes(b"open")
        (folder / "g").chmod(0o644)
        argv = (sys.executable, "-c", code, name)
        done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    denied = ReadProblem("cannot be read: permission denied")
    assert done.stdout == f"{ {'d': denied, 'f': denied, 'g': b'open'} }\n"


def test_links_do_not_multiply_what_is_read(tmp_path: Path) -> None:
    """Thirty folders with two links each to the next one would be a thousand million files."""
    for level in range(30):
        folder = tmp_path / f"level{level:02}"
        folder.mkdir()
        (folder / "f").write_bytes(b"")
        for name in ("a", "b"):
            (folder / name).symlink_to(f"../level{level + 1:02}")
    started = time.monotonic()
    tree = read_tree(str(tmp_path))
    assert len([name for name in tree if name.endswith("/f")]) == 30
    assert time.monotonic() - started < 20


def test_a_folder_that_nests_deeper_than_a_path_can_be(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(100):
        os.mkdir("d" * 100, dir_fd=here)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (reason,) = reasons(tmp_path).values()
    assert reason == "lies too deep to be read"


def test_links_inside_the_repository_are_followed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "fra1.toml").write_bytes(b"x")
    (tmp_path / "desired").mkdir()
    (tmp_path / "desired" / "hosts").symlink_to("../shared")
    assert read_tree(str(tmp_path), "desired") == {"desired/hosts/fra1.toml": b"x"}
    (tmp_path / "all").symlink_to("desired")
    assert read_tree(str(tmp_path), "all") == {"all/hosts/fra1.toml": b"x"}


NAMES = st.sampled_from(["a", "b", "b/c", "b/d", "e/f/g", "e/f", "e", "h/i", "manifest.json"])
FILES = st.dictionaries(NAMES, st.binary(max_size=20), max_size=6).filter(
    lambda files: not any(a.startswith(f"{b}/") for a in files for b in files)
)


@given(before=FILES, after=FILES, umask=st.sampled_from([0o000, 0o022, 0o077]))
def test_the_folder_holds_exactly_what_was_asked_for(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, bytes],
    after: dict[str, bytes],
    umask: int,
) -> None:
    folder = tmp_path_factory.mktemp("w") / "rendered" / "fra1"
    old = os.umask(umask)
    try:
        assert write_tree(str(folder), before) == TreeChange(tuple(sorted(before)), ())
        done = write_tree(str(folder), after, programs={"a"})
        again = write_tree(str(folder), after, programs={"a"})
    finally:
        os.umask(old)
    assert read_tree(str(folder), hidden=True) == after
    assert done.removed == tuple(sorted(before.keys() - after.keys()))
    changed = {name for name in after if before.get(name) != after[name] or name == "a"}
    assert done.written == tuple(sorted(changed))
    assert not again
    modes = {name: (folder / name).stat().st_mode & 0o777 for name in after}
    assert modes == {name: 0o755 if name == "a" else 0o644 for name in after}
    folders = {p for p in folder.rglob("*") if p.is_dir()}
    assert all(any(path.iterdir()) for path in folders)
    assert folder.exists() is bool(after)


def test_a_file_that_is_as_it_should_be_is_not_touched(tmp_path: Path) -> None:
    write_tree(str(tmp_path), {"a": b"1", "b": b"2"})
    (tmp_path / "a").chmod(0o664)  # checked out under another umask
    before = [(tmp_path / name).lstat() for name in "ab"]
    assert not write_tree(str(tmp_path), {"a": b"1", "b": b"2"})
    assert [(tmp_path / name).lstat() for name in "ab"] == before
    assert write_tree(str(tmp_path), {"a": b"1", "b": b"2"}, programs={"b"}).written == ("b",)
    assert write_tree(str(tmp_path), {"a": b"1", "b": b"2"}).written == ("b",)


def test_nothing_outside_is_changed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "rendered"
    for path in (outside / "deep", folder):
        path.mkdir(parents=True)
    (outside / "f").write_bytes(b"theirs")
    (outside / "deep" / "f").write_bytes(b"theirs")
    (folder / "f").symlink_to("../outside/f")
    (folder / "deep").symlink_to("../outside/deep")
    (folder / "stale").symlink_to("../outside")
    with pytest.raises(HostError):
        write_tree(str(folder), {"f": b"ours", "deep/f": b"ours"}, prune=False)
    done = write_tree(str(folder), {"f": b"ours", "deep/f": b"ours"})
    assert done.removed == ("deep", "stale")
    assert (outside / "f").read_bytes() == (outside / "deep" / "f").read_bytes() == b"theirs"
    assert read_tree(str(folder)) == {"f": b"ours", "deep/f": b"ours"}


def test_without_pruning_the_rest_stays(tmp_path: Path) -> None:
    write_tree(str(tmp_path), {"a": b"1", "d/b": b"2"})
    assert write_tree(str(tmp_path), {"a": b"3"}, prune=False) == TreeChange(("a",), ())
    assert read_tree(str(tmp_path)) == {"a": b"3", "d/b": b"2"}
    assert write_tree(str(tmp_path), {}) == TreeChange((), ("a", "d/b"))
    assert not tmp_path.exists()
    assert not write_tree(str(tmp_path), {})
