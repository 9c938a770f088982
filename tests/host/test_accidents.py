"""Full disks, kills and dying file systems: the old content or the new, never something between."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.local import LocalHost
from support.beds import bed_required, require_root

P = HostPath

PRELUDE = """
import os, resource, signal, sys
from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath as P
from pbxfleet.host.local import LocalHost
host = LocalHost(sys.argv[1], "direct")
"""


def run(root: Path, code: str) -> subprocess.CompletedProcess[str]:
    argv = (sys.executable, "-c", PRELUDE + code, str(root))
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


@pytest.mark.parametrize("moment", ["before", "half", "all"])
def test_a_kill_in_the_middle_leaves_the_old_content(tmp_path: Path, moment: str) -> None:
    host = LocalHost(str(tmp_path), "direct")
    host.write(P("/pbx.xml"), b"old", 0o640, "")
    written = {"before": "", "half": "os.write(file, b'ne')", "all": "os.write(file, b'new')"}
    done = run(
        tmp_path,
        f"""
def fill(file):
    {written[moment] or "pass"}
    os.kill(os.getpid(), signal.SIGKILL)
host._put(P("/pbx.xml"), None, "", fill)
""",
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (host.read(P("/pbx.xml")), host.look(P("/pbx.xml")).mode) == (b"old", 0o640)
    (left,) = host.sweep(P("/"))
    assert left.startswith("/.pbxfleet-")
    assert names(tmp_path) == ["pbx.xml"]


@pytest.mark.parametrize(
    "effect",
    [
        'host.write(P("/f"), b"n" * 9000, None, "")',
        'host.write(P("/new"), b"n" * 9000, 0o600, "")',
        'host.append(P("/f"), b"n" * 9000)',
        'host.copy_in(P("/f"), "/proc/self/exe", digest_of(open("/proc/self/exe", "rb").read()), 0o700, "")',
    ],
)
def test_a_file_that_becomes_too_large_changes_nothing(tmp_path: Path, effect: str) -> None:
    host = LocalHost(str(tmp_path), "direct")
    host.write(P("/f"), b"o" * 100, 0o640, "")
    done = run(
        tmp_path,
        f"""
import sys
sys.dont_write_bytecode = True  # it would be half-written under this limit
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    {effect}
except HostError as error:
    print(error.errno, error.message)
""",
    )
    assert done.stdout == f"{errno.EFBIG} file too large\n", done.stderr
    assert (host.read(P("/f")), host.look(P("/f")).mode) == (b"o" * 100, 0o640)
    assert names(tmp_path) == ["f"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB and 16 names."""
    require_root("a file system of its own")
    disk = tmp_path / "disk"
    disk.mkdir()
    options = "size=256k,nr_inodes=16,mode=755"
    argv = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk))
    mounted = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=30)
    if mounted.returncode != 0:
        bed_required("a file system of its own", mounted.stderr.strip())
    try:
        yield disk
    finally:
        subprocess.run(("umount", "-l", str(disk)), check=True, timeout=30)


def test_a_full_disk_changes_nothing(small_disk: Path, tmp_path: Path) -> None:
    host = LocalHost(str(small_disk), "direct")
    large = bytes(300 * 1024)
    source = tmp_path / "artefact"
    source.write_bytes(large)
    host.write(P("/f"), b"old", 0o640, "")
    for attempt in (
        lambda: host.write(P("/f"), large, 0o600, ""),
        lambda: host.append(P("/f"), large),
        lambda: host.copy_in(P("/f"), str(source), digest_of(large), 0o755, ""),
        lambda: host.write(P("/new"), large, 0o600, ""),
    ):
        with pytest.raises(HostError) as refusal:
            attempt()
        assert refusal.value.errno == errno.ENOSPC
        assert refusal.value.message == "no space left on device"
        assert names(small_disk) == ["f"]
        assert (host.read(P("/f")), host.look(P("/f")).mode) == (b"old", 0o640)
    host.write(P("/f"), b"new", 0o600, "")
    assert host.read(P("/f")) == b"new"


def test_a_disk_without_room_for_another_name_changes_nothing(small_disk: Path) -> None:
    host = LocalHost(str(small_disk), "direct")
    host.write(P("/f"), b"old", 0o640, "")
    number = 0
    while True:
        try:
            (small_disk / f"filler-{number}").touch()
        except OSError:
            break
        number += 1
    before = names(small_disk)
    for attempt in (
        lambda: host.write(P("/f"), b"new", 0o600, ""),
        lambda: host.make_directory(P("/a/b"), 0o755, ""),
        lambda: host.make_link(P("/l"), "x"),
    ):
        with pytest.raises(HostError):
            attempt()
        assert names(small_disk) == before
    assert host.read(P("/f")) == b"old"
    (small_disk / "filler-0").unlink()
    host.write(P("/f"), b"new", 0o600, "")
    assert host.read(P("/f")) == b"new"


def test_a_read_only_disk_changes_nothing(small_disk: Path) -> None:
    host = LocalHost(str(small_disk), "direct")
    host.write(P("/f"), b"old", 0o640, "")
    argv = ("mount", "-o", "remount,ro", str(small_disk))
    subprocess.run(argv, check=True, timeout=30)
    for attempt in (
        lambda: host.write(P("/f"), b"new", 0o600, ""),
        lambda: host.set_attributes(P("/f"), 0o600, ""),
        lambda: host.remove(P("/f")),
        lambda: host.append(P("/f"), b"new"),
        lambda: host.make_directory(P("/d"), 0o755, ""),
    ):
        with pytest.raises(HostError) as refusal:
            attempt()
        assert refusal.value.errno == errno.EROFS
    assert (host.read(P("/f")), host.look(P("/f")).mode) == (b"old", 0o640)


def test_the_superuser_sets_owners_and_keeps_them(tmp_path: Path) -> None:
    require_root("other owners")
    host = LocalHost(str(tmp_path), "direct")
    host.make_directory(P("/d"), 0o750, "4711:4712")
    host.write(P("/d/f"), b"old", 0o4750, "4711:4712")
    host.write(P("/d/f"), b"new", None, "root:root")
    assert host.look(P("/d")).owner == host.look(P("/d/f")).owner == "4711:4712"
    assert host.look(P("/d/f")).mode == 0o4750
    host.set_attributes(P("/d/f"), 0o2755, "root:4712")
    seen = host.look(P("/d/f"))
    assert (seen.owner, seen.mode) == ("root:4712", 0o2755)
    host.write(P("/d/f"), b"", 0o600, "")
    assert host.look(P("/d/f")).owner == "root:root"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are closed for all others."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        yield Path(name)


def test_without_rights_refusals_are_errors_and_restore_is_possible(open_folder: Path) -> None:
    require_root("another user")
    root = open_folder
    os.chown(root, 4711, 4711)
    (root / "theirs").write_bytes(b"secret")
    (root / "theirs").chmod(0o600)
    (root / "closed").mkdir(mode=0o700)
    code = """
import grp, pwd  # the other user may not be able to read this interpreter's library
os.setgid(4711); os.setuid(4711)
host = LocalHost(sys.argv[1], "direct")
print(host.owners_matter, host.look(P("/closed")).what)
host.write(P("/own"), b"x", 0o600, "root:root")
host.set_attributes(P("/own"), 0o000, "root:root")
print(oct(os.lstat(sys.argv[1] + "/own").st_mode))
host.set_attributes(P("/own"), 0o640, "root:root")
print(host.look(P("/own")).mode == 0o640, host.look(P("/own")).owner)
for attempt in (lambda: host.look(P("/theirs")), lambda: host.names(P("/closed")),
                lambda: host.set_attributes(P("/theirs"), 0o644, "")):
    try:
        attempt()
    except HostError as error:
        print(error.message)
"""
    done = run(root, code)
    assert done.stdout.splitlines() == [
        "False directory",
        "0o100000",
        "True 4711:4711",
        "permission denied",
        "permission denied",
        "operation not permitted",
    ], done.stderr
