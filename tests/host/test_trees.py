"""Directories on a real disk: moved aside, packed, proven; and nobody makes us read or write elsewhere."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, is_aside
from pbxfleet.host.local import LocalHost
from pbxfleet.host.trees import DEEPEST
from support.beds import require_root

P = HostPath
PBX, ASIDE, TAR = P("/srv/pbx-a"), P("/srv/pbx-a.removed-1"), P("/srv/removed/a-1.tar")


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    """A directory with everything that a directory can hold."""
    folder = tmp_path / "root/srv/pbx-a"
    (folder / "recordings/2024").mkdir(parents=True)
    (folder / "pbx.xml").write_bytes(b"<config/>")
    (folder / "recordings/2024/é \n.wav").write_bytes(bytes(range(256)) * 700)
    (folder / os.fsdecode(b"not-utf8-\xff")).write_bytes(b"x")
    (folder / ("n" * 200)).write_bytes(b"")
    (folder / "link").symlink_to("/etc/shadow")
    (folder / "outside").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(folder, os.O_RDONLY)
        made.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    os.link(folder / "pbx.xml", folder / "second-name")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"secret")
    (folder / "pbx.xml").chmod(0o4640)
    return LocalHost(str(tmp_path / "root"), "direct")


def place(host: LocalHost, path: str) -> Path:
    return Path(host.root.prefix + path)


def left_over(host: LocalHost) -> list[str]:
    return [p.name for p in place(host, "/").rglob(".pbxfleet-*")]


def test_the_size(host: LocalHost) -> None:
    size = host.tree_size(PBX)
    assert (size.entries, size.size_bytes, size.is_mount) == (11, 9 + 256 * 700 + 1 + 0 + 9, False)
    assert host.free_bytes(P("/srv/removed/not/there")) > 0
    with pytest.raises(HostError):
        host.tree_size(P("/srv/none"))


def test_moving_keeps_everything(host: LocalHost) -> None:
    inode = place(host, PBX).stat().st_ino
    host.move_directory(PBX, ASIDE)
    assert place(host, ASIDE).stat().st_ino == inode and not place(host, PBX).exists()
    host.move_directory(ASIDE, PBX)
    assert place(host, PBX).stat().st_ino == inode
    place(host, ASIDE).mkdir()  # as a killed run may have left it
    host.move_directory(PBX, ASIDE)
    assert place(host, ASIDE).stat().st_ino == inode


@pytest.mark.parametrize("there", ["file", "full directory", "link", "link to a directory"])
def test_moving_never_over_anything(host: LocalHost, there: str) -> None:
    to = place(host, ASIDE)
    if there == "file":
        to.write_bytes(b"theirs")
    elif there == "full directory":
        (to / "x").mkdir(parents=True)
    else:
        target = place(host, "/srv/empty")
        target.mkdir()
        to.symlink_to("nowhere" if there == "link" else "empty")
    before = to.lstat()
    with pytest.raises(HostError):
        host.move_directory(PBX, ASIDE)
    assert to.lstat().st_ino == before.st_ino and (place(host, PBX) / "pbx.xml").exists()


@pytest.mark.parametrize("what", ["link", "file", "nothing"])
def test_only_a_directory_is_moved(host: LocalHost, what: str) -> None:
    other = place(host, "/srv/pbx-b")
    if what == "link":
        other.symlink_to("pbx-a")
    elif what == "file":
        other.write_bytes(b"x")
    with pytest.raises(HostError):
        host.move_directory(P("/srv/pbx-b"), P("/srv/pbx-b.removed-1"))
    assert not place(host, "/srv/pbx-b.removed-1").exists(), "nothing is left"
    with pytest.raises(HostError):
        host.move_directory(PBX, P("/var/pbx-a.removed-1"))


def test_an_archive_is_what_tar_and_sha256sum_say_it_is(host: LocalHost, tmp_path: Path) -> None:
    host.archive(PBX, TAR)
    archive = place(host, TAR)
    assert archive.stat().st_mode & 0o7777 == 0o600
    assert archive.parent.stat().st_mode & 0o7777 == 0o700
    subprocess.run(
        ["sha256sum", "-c", "--quiet", f"{archive.name}.sha256"], cwd=archive.parent, check=True
    )
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xpf", str(archive)], cwd=out, check=True)
    (place(host, PBX) / "socket").unlink()  # which no archive can hold
    done = subprocess.run(
        ["diff", "-r", "--no-dereference", place(host, PBX), out / "pbx-a"],
        check=False,
        capture_output=True,
    )
    assert b"Only in" not in done.stdout, done.stdout
    for path in place(host, PBX).rglob("*"):
        copy = out / "pbx-a" / path.relative_to(place(host, PBX))
        assert copy.lstat().st_mode == path.lstat().st_mode, path
        if path.is_file() and not path.is_symlink():
            assert copy.read_bytes() == path.read_bytes()
            assert int(copy.stat().st_mtime) == int(path.stat().st_mtime)
    assert b"secret" not in archive.read_bytes(), "no link was followed"
    assert left_over(host) == []


@pytest.mark.parametrize("there", [TAR, P(f"{TAR}.sha256")])
def test_an_archive_never_takes_the_place_of_another(host: LocalHost, there: HostPath) -> None:
    host.write(P("/srv/x"), b"x", 0o600, "")
    place(host, TAR).parent.mkdir()
    place(host, there).write_bytes(b"theirs")
    with pytest.raises(HostError):
        host.archive(PBX, TAR)
    assert place(host, there).read_bytes() == b"theirs"
    assert len(list(place(host, TAR).parent.iterdir())) == 1


def test_a_file_that_is_written_meanwhile_is_noticed(host: LocalHost) -> None:
    place(host, f"{PBX}/growing").write_bytes(b"x" * 50_000_000)
    stop = threading.Event()

    def grow() -> None:
        with place(host, f"{PBX}/growing").open("ab") as file:
            while not stop.is_set():
                file.write(b"y")
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        with pytest.raises(HostError, match="changed while it was packed"):
            host.archive(PBX, TAR)
    finally:
        stop.set()
        thread.join()
    assert list(place(host, TAR).parent.iterdir()) == [], "nothing is left of it"


@pytest.mark.parametrize("damaged", [b"recordings", b"\x61\x62\x63\x64"], ids=["header", "content"])
def test_a_damaged_archive_does_not_count(
    host: LocalHost, monkeypatch: pytest.MonkeyPatch, damaged: bytes
) -> None:
    """As a disk does that says it has written, and has not."""
    real = os.write

    def lying(file: int, part: bytes) -> int:
        content = bytes(part)
        return real(file, content.replace(damaged, b"\0" * len(damaged)))

    monkeypatch.setattr("pbxfleet.host.temporary.os.write", lying)
    with pytest.raises(HostError, match="read back"):
        host.archive(PBX, TAR)
    assert list(place(host, TAR).parent.iterdir()) == []


def test_a_link_on_the_way_is_not_followed(host: LocalHost, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    place(host, "/srv/removed").symlink_to(outside)
    with pytest.raises(HostError) as refusal:
        host.archive(PBX, TAR)
    assert refusal.value.code == "HST101"
    place(host, "/data").symlink_to(outside)
    for effect in (
        lambda: host.archive(P("/data"), P("/srv/x.tar")),
        lambda: host.move_directory(P("/data/x"), P("/data/y")),
        lambda: host.tree_size(P("/data")),
    ):
        with pytest.raises(HostError):
            effect()
    assert [p.name for p in outside.iterdir()] == ["secret"]


def test_a_tree_without_an_end(host: LocalHost) -> None:
    here = place(host, PBX)
    for _ in range(DEEPEST + 5):
        here = here / "d"
        here.mkdir()
    with pytest.raises(HostError, match="levels"):
        host.archive(PBX, TAR)
    shutil.rmtree(place(host, f"{PBX}/d"))


def test_devices_and_owners(host: LocalHost) -> None:
    require_root("devices")
    os.mknod(place(host, f"{PBX}/null"), 0o20666, os.makedev(1, 3))
    os.chown(place(host, f"{PBX}/pbx.xml"), 4711, 4712)
    host.archive(PBX, TAR)
    with tarfile.open(place(host, TAR)) as tar:
        assert (tar.getmember("pbx-a/null").devmajor, tar.getmember("pbx-a/null").devminor) == (
            1,
            3,
        )
        assert (tar.getmember("pbx-a/pbx.xml").uid, tar.getmember("pbx-a/pbx.xml").gid) == (
            4711,
            4712,
        )


@pytest.mark.parametrize(
    ("name", "aside"),
    [
        ("pbx-a.removed-1", True),
        ("pbx-a.removed-12", True),
        ("pbx-a.removed-", False),
        ("pbx-a.removed-x", False),
        ("pbx-a", False),
        (".removed-1", False),
    ],
)
def test_what_a_moved_directory_is_called(name: str, *, aside: bool) -> None:
    assert is_aside(name) is aside
