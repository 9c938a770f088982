"""Back up instances that run, destroy one, restore it with each program: nothing is left to do."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.model.backup import BackupProgram
from support.backup_bed import entries, require
from support.backup_site import EXTRA, BackedUpSite
from support.processes import wait_for

TAR = BackupProgram.TAR


def prepared(site: BackedUpSite) -> None:
    """Back up with tar; a second later than the last time, because archives are named by the second."""
    require(TAR)
    site.script(TAR, "init")
    if newest(site, "ash"):
        time.sleep(1.1)
    site.script(TAR, "backup")


def newest(site: BackedUpSite, name: str) -> str:
    """The newest archive of an instance, empty if there is none."""
    return max((p.name for p in (site.folder / "places/tar").glob(f"{name}.*.tar")), default="")


def left_behind(site: BackedUpSite) -> list[Path]:
    """Directories that restores have made beside those of instances and lists."""
    marks = (".restoring", ".before-restore")
    return [path for path in site.root.rglob("*") if any(mark in path.name for mark in marks)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackedUpSite]:
    made = BackedUpSite(tmp_path_factory.mktemp("backup"))
    try:
        yield made.up()
    finally:
        made.end()


@pytest.mark.parametrize("program", BackupProgram)
def test_after_a_restore_nothing_is_to_be_done(site: BackedUpSite, program: BackupProgram) -> None:
    require(program)
    site.script(program, "init")
    site.script(program, "backup")
    site.proven()
    before, untouched = entries(site.directory("ash")), site.pid("birch")
    site.destroy("ash")
    assert site.plan()["changes"]
    site.script(program, "restore", "ash")
    site.proven()
    assert site.pid("birch") == untouched
    assert entries(site.directory("ash")) == before
    assert (site.root / EXTRA).read_text() == "TZ=Europe/Rome\n"
    assert (site.root / EXTRA).stat().st_mode & 0o7777 == 0o640
    assert left_behind(site) == []


class TestOneInstance:
    """With tar, which is quick; the steps are those of every program."""

    def test_what_was_there_is_put_aside(self, site: BackedUpSite) -> None:
        prepared(site)
        later = site.directory("ash") / "written later"
        later.write_text("x")
        site.script(TAR, "restore", "ash")
        site.proven()
        (aside,) = left_behind(site)
        assert not later.exists()
        assert (aside / "usr/local/pbx-ash/written later").read_text() == "x"
        shutil.rmtree(aside)

    def test_without_a_readable_backup_it_runs_on(self, site: BackedUpSite) -> None:
        prepared(site)
        pid, before = site.pid("ash"), entries(site.directory("ash"))
        said = site.script(TAR, "restore", "ash", "--from", "no-such.tar", expect=1)
        assert "nothing was changed" in said
        other = newest(site, "birch")
        said = site.script(TAR, "restore", "ash", "--from", other, expect=1)
        assert "the backup holds no /usr/local/pbx-ash/pbx.xml" in said
        assert (site.pid("ash"), entries(site.directory("ash"))) == (pid, before)
        assert left_behind(site) == []
        site.proven()

    def test_not_started_it_waits_for_an_apply(self, site: BackedUpSite) -> None:
        prepared(site)
        site.destroy("ash")
        site.script(TAR, "restore", "ash", "--no-start")
        plan = site.plan()
        assert [step["do"] for step in plan["steps"]] == ["start", "prove"]
        site.apply()
        site.proven()

    def test_an_older_backup_is_chosen_by_its_name(self, site: BackedUpSite) -> None:
        prepared(site)
        older = newest(site, "ash")
        site.post("ash", {"timezone": "Europe/Rome"})
        wait_for(lambda: "Europe/Rome" in site.pbx_xml("ash"), "the new setting on the disk")
        prepared(site)
        assert newest(site, "ash") != older
        site.script(TAR, "restore", "ash")
        assert "Europe/Rome" in site.pbx_xml("ash")
        site.script(TAR, "restore", "ash", "--from", older)
        assert "Europe/Rome" not in site.pbx_xml("ash")
        site.proven()
        for aside in left_behind(site):
            shutil.rmtree(aside)

    def test_an_empty_directory_does_not_replace_a_backup(self, site: BackedUpSite) -> None:
        require(BackupProgram.RSYNC)
        site.script(BackupProgram.RSYNC, "init")
        site.script(BackupProgram.RSYNC, "backup")
        site.destroy("ash")
        said = site.script(BackupProgram.RSYNC, "backup", expect=1)
        assert "ash is not backed up" in said
        site.script(BackupProgram.RSYNC, "check")
        site.script(BackupProgram.RSYNC, "restore", "ash")
        site.proven()

    def test_a_place_that_is_not_mounted(self, site: BackedUpSite, tmp_path: Path) -> None:
        prepared(site)
        place = site.folder / "places/tar"
        place.rename(tmp_path / "unmounted")
        place.mkdir()
        assert "not mounted" in site.script(TAR, "backup", expect=1)
        assert list(place.iterdir()) == []
        place.rmdir()
        (tmp_path / "unmounted").rename(place)


def test_a_lost_host_comes_back_with_its_memory(site: BackedUpSite) -> None:
    """Everything is gone but the backups and the repository, which holds the scripts."""
    prepared(site)
    before = entries(site.root / "var/lib/pbxfleet")
    for name in site.addresses:
        site.destroy(name)
    for folder in ("etc/pbx", "var/lib/pbxfleet"):
        shutil.rmtree(site.root / folder)
    rendered = site.repo / "rendered/h1/root/etc/pbx/backup"
    shutil.copytree(rendered, site.root / "etc/pbx/backup")
    (site.root / "etc/pbx/backup/pbx-backup-tar").chmod(0o700)
    for name in ("_h1", *site.addresses):
        site.script(TAR, "restore", name)
    site.proven()
    assert entries(site.root / "var/lib/pbxfleet") == before
    for aside in left_behind(site):
        shutil.rmtree(aside)


def test_without_its_memory_the_host_is_as_declared_all_the_same(site: BackedUpSite) -> None:
    prepared(site)
    site.destroy("ash")
    shutil.rmtree(site.root / "var/lib/pbxfleet")
    site.script(TAR, "restore", "ash")
    assert site.plan()["changes"] == []
    site.apply()
    site.proven()


def test_stopped_for_the_copy_and_started_again(tmp_path: Path) -> None:
    require(TAR)
    stopping = BackedUpSite(tmp_path, "stop")
    try:
        stopping.up()
        before = stopping.pids()
        prepared(stopping)
        after = stopping.pids()
        assert all(len(pids) == 1 and pids != before[name] for name, pids in after.items())
        stopping.proven()
        # Whatever the copy comes to, the instance runs afterwards.
        (stopping.root / "etc/pbx/backup/ash.tar").unlink()
        assert "the backup of ash failed" in stopping.script(TAR, "backup", expect=1)
        assert [stopping.pid("ash")] != after["ash"]
        stopping.apply()
        stopping.proven()
    finally:
        stopping.end()
