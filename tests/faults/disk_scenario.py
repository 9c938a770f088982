"""An apply of running instances on a small ext4 that fills up, breaks and loses power.

Run by `test_small_disk.py` in namespaces of its own: `disk_scenario.py FOLDER SEED PART`; the disk is
mounted at FOLDER/host. Prints `whole` at the end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from support.faulty_site import FaultySite, Found
from support.standin import end_all
from support.strace import inject, points

FOLDER, DRAW = Path(sys.argv[1]), random.Random(sys.argv[2])  # noqa: S311  not for secrets
DISK = FOLDER / "host"
IMAGE = FOLDER / "image"
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, linux/fs/ext4/ext4.h
NO_LOG_FLUSH = struct.pack("I", 2)  # what is in memory is lost, as with the power
KILL = "signal=KILL"


def run(*argv: str | Path, check: bool = True) -> int:
    return subprocess.run(
        argv, check=check, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60
    ).returncode


def mount() -> None:
    run("mount", "-o", "loop", IMAGE, DISK)


class Way:
    """From the state that the host is in to the other one."""

    def __init__(self, site: FaultySite) -> None:
        site.repo = site.new if site.repo == site.old else site.old
        self.site = site
        self.before = site.found()

    def apply(self, told: str) -> None:
        """An apply that something hinders: it says so, and what it did is whole."""
        site = self.site
        done = site.run("apply", "--auto-approve", "--quiet")
        now = site.found()
        assert "Traceback" not in done.err, done
        if done.code == 0:
            assert not site.not_as_declared(), done
            return
        assert done.code in (1, 5, 6) and told in done.err, done
        if done.code != 5:
            assert not now.differs(self.before), (done, now.differs(self.before))
        assert all(count <= 1 for count in now.running.values()), now.running
        assert not site.foreign_losses(), site.foreign_losses()

    def settle(self) -> None:
        """Nothing is in the way any more."""
        again = self.site.run("apply", "--auto-approve", "--quiet")
        assert again.code == 0, again
        self.site.proven()


@contextlib.contextmanager
def full(left_bytes: int) -> Iterator[None]:
    """No room on the disk but this many bytes."""
    filler = DISK / "var/log/filler"
    try:
        with filler.open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))
                file.flush()
        with contextlib.suppress(OSError):
            os.truncate(filler, max(filler.stat().st_size - left_bytes, 0))
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def without_inodes() -> Iterator[None]:
    """No room for another name with a file of its own."""
    folder = DISK / "var/log/many"
    folder.mkdir()
    try:
        number = 0
        with contextlib.suppress(OSError):
            while True:
                (folder / str(number)).touch()
                number += 1
        yield
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@contextlib.contextmanager
def immutable(name: str) -> Iterator[None]:
    """Somebody has made a file or directory unchangeable."""
    run("chattr", "+i", DISK / name)
    try:
        yield
    finally:
        run("chattr", "-i", DISK / name)


NO_SPACE, NOT_PERMITTED = "no space left on device", "operation not permitted"


def hindered(site: FaultySite) -> None:
    for left_kib in (0, 8, 24, 48, DRAW.randrange(10, 120)):
        way = Way(site)
        with full(left_kib << 10):
            way.apply(NO_SPACE)
        way.settle()
    way = Way(site)
    with without_inodes():
        way.apply(NO_SPACE)
    way.settle()
    names = ["usr/local/pbx-ash/pbx.xml", "usr/local/pbx-birch/pbxctrl", "usr/local/pbx-birch",
             "etc/pbx/backup.list", "etc/pbx", "var/lib/pbxfleet/records/applied/ash",
             "var/lib/pbxfleet", "run/pbx-birch.pid"]  # fmt: skip
    for name in DRAW.sample(names, 3):
        way = Way(site)
        with immutable(name):
            way.apply(NOT_PERMITTED)
        way.settle()


def broken(site: FaultySite) -> None:
    """The kernel finds an error of the disk and lets nobody write any more."""
    way = Way(site)
    run("mount", "-o", "remount,abort", DISK, check=False)
    way.apply("read-only file system")
    comes_up_again(site)
    way.settle()


def comes_up_again(site: FaultySite) -> None:
    """Everything that ran is gone, and the disk has what reached it."""
    end_all(site.root)
    run("umount", DISK)
    assert run("e2fsck", "-p", IMAGE, check=False) in (0, 1)
    mount()


def power_cuts(site: FaultySite) -> None:
    """The machine goes down at a call of the apply; what was not synced is lost for good."""
    for _ in range(3):
        way = Way(site)
        known = points(site.argv("--quiet"), site.env, site.root)
        after: Found = site.found()
        back = Way(site)
        back.settle()
        site.repo = site.new if site.repo == site.old else site.old
        point = DRAW.choice(known)
        inject(point, KILL, site.argv("--quiet"), site.env)
        handle = os.open(DISK, os.O_RDONLY)
        fcntl.ioctl(handle, SHUTDOWN, NO_LOG_FLUSH)
        os.close(handle)
        comes_up_again(site)
        wrong = site.wrong_at_once((way.before, after))
        assert not wrong, (point, wrong)
        if site.is_unfinished() and DRAW.random() < 0.5:
            undone = site.run("apply", "--undo", "--auto-approve", "--quiet")
            assert undone.code == 6, (point, undone)
            left = [name for name in site.found().differs(way.before) if "processes" not in name]
            assert not left, (point, left)
        way.settle()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with IMAGE.open("wb") as file:
        file.truncate(6 << 20)
    run("mkfs.ext4", "-q", "-F", "-m", "0", "-N", "160", IMAGE)
    DISK.mkdir()
    mount()
    site = FaultySite(FOLDER)
    site.as_process = False
    site.begin()
    if sys.argv[3] == "power":  # what the PBX itself writes without a sync is not ours to save
        site.behave("birch", rewrite="never")
        os.sync()
    for part in {"hindered": (hindered,), "power": (broken, power_cuts)}[sys.argv[3]]:
        part(site)
    site.end()
    run("umount", DISK)
    sys.stdout.write("whole\n")


main()
