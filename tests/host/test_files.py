"""Files of a host: looked at as they are, changed whole and durably or not at all."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host import views
from pbxfleet.host.files import Files
from pbxfleet.host.local import LocalHost
from pbxfleet.host.owners import Owners
from pbxfleet.host.rooted import Root
from pbxfleet.model.observed import ABSENT, What
from support.beds import require_root

P = HostPath


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    return LocalHost(str(tmp_path), "direct")


def names_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_is_seen_with_mode_owner_and_digest(host: LocalHost, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"content")
    file.chmod(0o640)
    seen = host.look(P("/f"))
    found = file.stat()
    assert seen.what is What.FILE
    assert (seen.mode, seen.size_bytes, seen.digest) == (0o640, 7, digest_of(b"content"))
    assert seen.owner == Owners().name(found.st_uid, found.st_gid)


@pytest.mark.parametrize("size", [0, 1, 4095, views.CHUNK_BYTES - 1, views.CHUNK_BYTES, 2_500_000])
def test_files_of_any_size_are_read_and_digested(
    host: LocalHost, tmp_path: Path, size: int
) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "f").write_bytes(content[:size])
    assert host.read(P("/f")) == content[:size]
    seen = host.look(P("/f"))
    assert (seen.size_bytes, seen.digest) == (size, digest_of(content[:size]))


def test_files_without_a_size_are_read_to_their_end() -> None:
    file = os.open("/proc/self/status", os.O_RDONLY)
    try:
        content = views.read_open(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        size, digest = views.digest_of_open(file, 0)
    finally:
        os.close(file)
    assert content.endswith(b"\n") and b"Cpus_allowed_list" in content
    assert size > 500 and digest.startswith("sha256:")


def test_what_is_no_file_is_told_apart_without_waiting(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o711)
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    kinds = {name: host.look(P(f"/{name}")).what for name in host.names(P("/"))}
    assert kinds == {
        "folder": What.DIRECTORY,
        "link": What.SYMLINK,
        "fifo": What.OTHER,
        "socket": What.OTHER,
    }
    for name in kinds:
        assert host.identity(P(f"/{name}")) is None
        with pytest.raises(HostError) as refusal:
            host.read(P(f"/{name}"))
        assert refusal.value.code == "HST103"


def test_nothing_is_a_value(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in ("/none", "/none/none", "/file/none"):
        assert host.look(P(path)) is ABSENT
        assert host.read(P(path)) is None
        assert host.identity(P(path)) is None
        assert host.names(P(path)) == ()
        host.remove(P(path))
    assert host.names(P("/file")) == ()


def test_identity_changes_with_every_write(host: LocalHost) -> None:
    known = set()
    for _ in range(5):
        host.write(P("/f"), b"same", 0o600, "")
        known.add(host.identity(P("/f")))
    host.set_attributes(P("/f"), 0o644, "")
    known.add(host.identity(P("/f")))
    assert len(known) == 6
    assert host.identity(P("/f")) in known


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o4755, 0o000])
def test_modes_are_as_declared_whatever_the_umask(host: LocalHost, umask: int, mode: int) -> None:
    if umask == 0o777:
        require_root("a umask that locks everybody else out")
    before = os.umask(umask)
    try:
        host.make_directory(P("/a/b"), mode | 0o700, "")
        host.write(P("/a/b/f"), b"x", mode, "")
    finally:
        os.umask(before)
    assert host.look(P("/a")).mode == 0o755
    assert host.look(P("/a/b")).mode == mode | 0o700
    assert os.lstat(host.root.prefix + "/a/b/f").st_mode & 0o7777 == mode


def test_mode_none_keeps_what_was_there(host: LocalHost, tmp_path: Path) -> None:
    host.write(P("/f"), b"old", 0o604, "")
    has_attributes = True
    try:
        os.setxattr(tmp_path / "f", "user.note", b"kept")
    except OSError as error:
        assert error.errno == errno.ENOTSUP  # a file system without them
        has_attributes = False
    host.write(P("/f"), b"new", None, "root:root")
    assert (host.read(P("/f")), host.look(P("/f")).mode) == (b"new", 0o604)
    if has_attributes:
        assert os.getxattr(tmp_path / "f", "user.note") == b"kept"
    host.write(P("/fresh"), b"secret", None, "")
    assert host.look(P("/fresh")).mode == 0o600


def test_a_write_replaces_a_link_and_leaves_its_target_alone(
    host: LocalHost, tmp_path: Path
) -> None:
    (tmp_path / "target").write_bytes(b"target")
    (tmp_path / "f").symlink_to("target")
    host.write(P("/f"), b"new", None, "")
    assert (tmp_path / "target").read_bytes() == b"target"
    assert host.look(P("/f")).what is What.FILE
    assert host.read(P("/f")) == b"new"


def test_other_names_of_a_file_keep_their_content_and_mode(host: LocalHost, tmp_path: Path) -> None:
    host.write(P("/f"), b"old", 0o600, "")
    os.link(tmp_path / "f", tmp_path / "other")
    host.set_attributes(P("/f"), 0o640, "")
    assert (host.look(P("/f")).mode, host.look(P("/other")).mode) == (0o640, 0o600)
    assert host.read(P("/f")) == b"old"
    os.link(tmp_path / "f", tmp_path / "third")
    host.write(P("/f"), b"new", None, "")
    assert host.read(P("/third")) == b"old"
    with pytest.raises(HostError):
        os.link(tmp_path / "f", tmp_path / "fourth")
        host.append(P("/f"), b"more")


@pytest.mark.parametrize("name", ["folder", "fifo"])
def test_only_files_and_links_are_replaced(host: LocalHost, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    path = P(f"/{name}")
    for attempt in (
        lambda: host.write(path, b"x", 0o600, ""),
        lambda: host.append(path, b"x"),
        lambda: host.set_attributes(path, 0o600, ""),
    ):
        with pytest.raises(HostError):
            attempt()
    assert names_below(tmp_path) == ["fifo", "folder"]


def test_removing(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    host.write(P("/f"), b"", 0o600, "")
    for name in ("/f", "/link"):
        host.remove(P(name))
    with pytest.raises(HostError) as refusal:
        host.remove(P("/folder"))
    assert refusal.value.errno == errno.EISDIR
    assert names_below(tmp_path) == ["folder"]


def test_an_existing_directory_is_left_as_it_is(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    (tmp_path / "a" / "f").write_bytes(b"")
    before = (tmp_path / "a").stat()
    host.make_directory(P("/a"), 0o755, "root:root")
    after = (tmp_path / "a").stat()
    assert (before.st_mode, before.st_ino, before.st_ctime_ns) == (
        after.st_mode,
        after.st_ino,
        after.st_ctime_ns,
    )
    with pytest.raises(HostError):
        host.make_directory(P("/a/f"), 0o755, "")


def test_appending(host: LocalHost) -> None:
    host.append(P("/log"), b"one\n")
    assert host.look(P("/log")).mode == 0o600
    host.append(P("/log"), b"two\n")
    assert host.read(P("/log")) == b"one\ntwo\n"


def test_a_missing_parent_is_an_error_not_a_guess(host: LocalHost, tmp_path: Path) -> None:
    for attempt in (
        lambda: host.write(P("/none/f"), b"x", 0o600, ""),
        lambda: host.append(P("/none/f"), b"x"),
        lambda: host.set_attributes(P("/none/f"), 0o600, ""),
        lambda: host.set_attributes(P("/f"), 0o600, ""),
        lambda: host.make_link(P("/none/f"), "x"),
        lambda: host.write(P("/"), b"x", 0o600, ""),
    ):
        with pytest.raises(HostError):
            attempt()
    assert names_below(tmp_path) == []


def test_copying_checks_the_digest_before_anything_is_replaced(
    host: LocalHost, tmp_path: Path
) -> None:
    source = tmp_path / "artefact"
    content = bytes(range(256)) * 9000
    source.write_bytes(content)
    host.write(P("/pbxctrl"), b"old", 0o755, "")
    with pytest.raises(HostError) as refusal:
        host.copy_in(P("/pbxctrl"), str(source), digest_of(b"other"), 0o755, "")
    assert refusal.value.code == "HST102"
    assert host.read(P("/pbxctrl")) == b"old"
    host.copy_in(P("/pbxctrl"), str(source), digest_of(content), 0o700, "")
    assert host.read(P("/pbxctrl")) == content
    assert host.look(P("/pbxctrl")).mode == 0o700
    assert names_below(tmp_path) == ["artefact", "pbxctrl"]


@pytest.mark.parametrize("source", ["none", "folder", "fifo"])
def test_copying_from_what_is_no_file(host: LocalHost, tmp_path: Path, source: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(HostError):
        host.copy_in(P("/f"), str(tmp_path / source), Digest(""), 0o755, "")
    assert not (tmp_path / "f").exists()


def test_links_of_our_own(host: LocalHost, tmp_path: Path) -> None:
    host.make_link(P("/l"), "/etc/x")
    host.make_link(P("/l"), "/etc/y")
    assert host.link_target(P("/l")) == os.readlink(tmp_path / "l") == "/etc/y"
    host.write(P("/f"), b"", 0o600, "")
    assert host.link_target(P("/f")) is None
    assert host.link_target(P("/none")) is None
    assert names_below(tmp_path) == ["f", "l"]


def test_leftovers_of_a_killed_run_are_swept_and_nothing_else(
    host: LocalHost, tmp_path: Path
) -> None:
    for name in (
        ".pbxfleet-12-0",
        ".pbxfleet-12-34",
        ".pbxfleet-x-1",
        ".pbxfleet-12",
        "pbxfleet-1-1",
    ):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".pbxfleet-7-7").mkdir()
    (tmp_path / ".pbxfleet-8-8").mkdir()
    (tmp_path / ".pbxfleet-8-8" / "kept").write_bytes(b"foreign")
    assert host.sweep(P("/")) == ("/.pbxfleet-12-0", "/.pbxfleet-12-34", "/.pbxfleet-7-7")
    assert names_below(tmp_path) == [
        ".pbxfleet-12", ".pbxfleet-8-8", ".pbxfleet-8-8/kept", ".pbxfleet-x-1", "pbxfleet-1-1",
    ]  # fmt: skip


def test_a_temporary_name_that_is_taken_is_passed_over(host: LocalHost, tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f".pbxfleet-{os.getpid()}-{number}").write_bytes(b"foreign")
    host.write(P("/f"), b"x", 0o600, "")
    left = {path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith(".")}
    assert host.read(P("/f")) == b"x"
    assert left == {b"foreign"}


@given(
    contents=st.lists(st.binary(max_size=5000), min_size=1, max_size=6),
    modes=st.lists(st.sampled_from([None, 0o600, 0o644, 0o755]), min_size=6, max_size=6),
)
def test_the_last_write_wins_and_nothing_else_is_left(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], modes: list[int | None]
) -> None:
    folder = tmp_path_factory.mktemp("host")
    host = LocalHost(str(folder), "direct")
    expected = 0o600
    for content, mode in zip(contents, modes, strict=False):
        host.write(P("/f"), content, mode, "")
        expected = expected if mode is None else mode
    assert host.read(P("/f")) == contents[-1]
    assert host.look(P("/f")).mode == expected
    assert names_below(folder) == ["f"]


class TestOwners:
    """Owners are reported always, and set only where that is possible."""

    def files(self, folder: Path, *, matter: bool) -> Files:
        return Files(Root(str(folder)), Owners(matter=matter))

    def test_without_rights_they_are_neither_looked_up_nor_set(self, tmp_path: Path) -> None:
        files = self.files(tmp_path, matter=False)
        files.make_directory(P("/d"), 0o755, "nobody-here:nobody-here")
        files.write(P("/d/f"), b"", 0o600, "nobody-here:nobody-here")
        files.set_attributes(P("/d/f"), 0o644, "nobody-here:nobody-here")
        own = Owners().name(os.geteuid(), (tmp_path / "d").stat().st_gid)
        assert files.look(P("/d/f")).owner == own

    def test_an_unknown_name_is_refused_before_anything_is_written(self, tmp_path: Path) -> None:
        files = self.files(tmp_path, matter=True)
        for owner in ("nobody-here:root", "root:nobody-here"):
            with pytest.raises(HostError) as refusal:
                files.write(P("/f"), b"", 0o600, owner)
            assert refusal.value.code == "HST104"
        assert names_below(tmp_path) == []

    def test_numbers_names_and_unknown_numbers(self) -> None:
        owners = Owners(matter=True)
        assert owners.numbers("/f", "root:0") == (0, 0)
        assert owners.numbers("/f", "4711:4712") == (4711, 4712)
        assert owners.numbers("/f", "") == owners.numbers("/f", ":") == (-1, -1)
        assert owners.numbers("/f", "root:") == (0, -1)
        assert owners.name(0, 0) == "root:root"
        assert owners.name(4_000_001, 4_000_002) == "4000001:4000002"
