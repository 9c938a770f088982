"""What is made ready beside its place is what a write would have put there, and costs a rename then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.local import LocalHost

BIG = b"a release file\n" * 20_000
SMALL = b"[Unit]\n"
PLACE = HostPath("/etc/pbx/file")


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    (tmp_path / "root").mkdir()
    made = LocalHost(str(tmp_path / "root"), "direct")
    made.make_directory(HostPath("/etc/pbx"), 0o755, "root:root")
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "pbxctrl"
    file.write_bytes(BIG)
    return file


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "root/etc/pbx").iterdir())


def read_bytes(act: Callable[[], object]) -> int:
    """How many bytes of files are read meanwhile."""

    def so_far() -> int:
        words = Path("/proc/self/io").read_text(encoding="ascii").split()
        return int(words[words.index("rchar:") + 1])

    before = so_far()
    act()
    return so_far() - before


@pytest.mark.parametrize("before", [None, b"before"])
def test_what_is_staged_is_put_there(
    host: LocalHost, tmp_path: Path, source: Path, before: bytes | None
) -> None:
    if before is not None:
        host.write(PLACE, before, 0o600, "root:root")
    host.stage_copy(PLACE, str(source), digest_of(BIG), 0o755, "root:root")
    assert host.read(PLACE) == before
    source.unlink()
    host.copy_in(PLACE, str(source), digest_of(BIG), 0o755, "root:root")
    assert (host.read(PLACE), host.look(PLACE).mode) == (BIG, 0o755)
    assert left(tmp_path) == ["file"]


def test_it_is_not_read_again_to_say_what_it_is(host: LocalHost, source: Path) -> None:
    host.stage_copy(PLACE, str(source), digest_of(BIG), 0o755, "root:root")
    host.copy_in(PLACE, str(source), digest_of(BIG), 0o755, "root:root")
    assert read_bytes(lambda: host.look(PLACE)) < len(BIG)
    assert host.look(PLACE).digest == digest_of(BIG)


@pytest.mark.parametrize("keeps_time", [False, True])
def test_but_it_is_once_somebody_has_touched_it(
    host: LocalHost, tmp_path: Path, source: Path, keeps_time: bool
) -> None:
    host.stage_copy(PLACE, str(source), digest_of(BIG), 0o755, "root:root")
    host.copy_in(PLACE, str(source), digest_of(BIG), 0o755, "root:root")
    file = tmp_path / "root/etc/pbx/file"
    times = file.stat()
    # In the same inode, of the same length: only the stamps can tell.
    other = BIG.upper()
    for _ in range(2000):  # until the clock that stamps files has moved on
        file.write_bytes(other)
        if keeps_time:
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        if file.stat().st_ctime_ns != times.st_ctime_ns:
            break
    assert host.look(PLACE).digest == digest_of(other)


def test_a_file_that_rests_is_read_once() -> None:
    library = Path(os.__file__).resolve().parent  # as old as this Python is on this machine
    host = LocalHost(str(library), "direct")
    path = HostPath("/_pydecimal.py")
    first = host.look(path)
    assert read_bytes(lambda: host.look(path)) < first.size_bytes
    assert host.look(path) == first


def _other_mode(host: LocalHost) -> None:
    host.write(PLACE, SMALL, 0o600, "root:root")


def _other_content(host: LocalHost) -> None:
    host.write(PLACE, b"other", 0o644, "root:root")


def _kept_mode(host: LocalHost) -> None:
    host.write(PLACE, SMALL, None, "root:root")


@pytest.mark.parametrize("act", [_other_mode, _other_content, _kept_mode])
def test_only_what_was_meant_is_used(tmp_path: Path, act: Callable[[LocalHost], None]) -> None:
    trees = []
    for staged in (False, True):
        root = tmp_path / str(staged)
        root.mkdir()
        host = LocalHost(str(root), "direct")
        host.make_directory(HostPath("/etc/pbx"), 0o755, "root:root")
        host.write(PLACE, b"before", 0o640, "root:root")
        if staged:
            host.stage(PLACE, SMALL, 0o644, "root:root")
        act(host)
        names = host.names(HostPath("/etc/pbx"))
        trees.append((names, host.read(PLACE), host.look(PLACE).mode))
    assert trees[0] == trees[1]


def test_what_somebody_changed_meanwhile_is_not_used(host: LocalHost, tmp_path: Path) -> None:
    host.stage(PLACE, SMALL, 0o644, "root:root")
    (temporary,) = (tmp_path / "root/etc/pbx").iterdir()
    with temporary.open("ab") as file:
        file.write(b"something")
    host.write(PLACE, SMALL, 0o644, "root:root")
    assert host.read(PLACE) == SMALL
    assert left(tmp_path) == ["file"]


def test_what_is_gone_meanwhile_is_written(host: LocalHost, tmp_path: Path) -> None:
    host.stage(PLACE, SMALL, 0o644, "root:root")
    (temporary,) = (tmp_path / "root/etc/pbx").iterdir()
    temporary.unlink()
    host.write(PLACE, SMALL, 0o644, "root:root")
    assert host.read(PLACE) == SMALL


def test_what_is_not_used_is_removed(host: LocalHost, tmp_path: Path, source: Path) -> None:
    host.stage(PLACE, SMALL, 0o644, "root:root")
    host.stage(PLACE, SMALL + SMALL, 0o644, "root:root")
    host.stage_copy(HostPath("/etc/pbx/b"), str(source), digest_of(BIG), 0o755, "root:root")
    assert len(left(tmp_path)) == 2
    host.unstage()
    assert left(tmp_path) == []


def test_what_a_killed_run_left_is_swept(host: LocalHost, tmp_path: Path) -> None:
    host.stage(PLACE, SMALL, 0o644, "root:root")
    next_run = LocalHost(str(tmp_path / "root"), "direct")
    assert len(next_run.sweep(HostPath("/etc/pbx"))) == 1
    assert left(tmp_path) == []


def test_another_content_is_refused_while_nothing_is_stopped(
    host: LocalHost, tmp_path: Path, source: Path
) -> None:
    wrong = Digest("sha256:" + "0" * 64)
    with pytest.raises(HostError) as raised:
        host.stage_copy(PLACE, str(source), wrong, 0o755, "root:root")
    assert raised.value.code == "HST102"
    assert left(tmp_path) == []


def test_a_folder_that_is_still_to_be_made_is_no_problem(host: LocalHost, tmp_path: Path) -> None:
    host.stage(HostPath("/etc/other/file"), SMALL, 0o644, "root:root")
    assert not (tmp_path / "root/etc/other").exists()
    host.unstage()


def test_nothing_is_put_over_a_folder(host: LocalHost, tmp_path: Path) -> None:
    host.make_directory(PLACE, 0o755, "root:root")
    host.stage(PLACE, SMALL, 0o644, "root:root")
    with pytest.raises(HostError):
        host.write(PLACE, SMALL, 0o644, "root:root")
    host.unstage()
    assert left(tmp_path) == ["file"]
