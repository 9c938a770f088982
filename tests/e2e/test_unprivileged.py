"""Everything below a root folder works without the superuser."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.e2e import OTHER_USER, Site, as_other_user, nothing_changes, small_site
from support.running_site import RunningSite


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder outside pytest's own, which are closed for other users."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="pbxfleet-test-") as name:
        yield Path(name)


def hand_over(site: Site) -> None:
    """From here on everything is another user's, and all commands are run by that one."""
    site.prefix = as_other_user()
    if os.geteuid() == 0:
        for path in (site.folder, *site.folder.rglob("*")):
            os.chown(path, OTHER_USER, OTHER_USER, follow_symlinks=False)


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in folder.rglob("*")}


def test_the_whole_loop_with_real_processes(folder: Path) -> None:
    site = RunningSite(folder, ("ash", "birch"))
    hand_over(site)
    try:
        site.compile()
        site.apply()
        site.proven()
        with nothing_changes(site.repo, site.root):
            site.proven()
            assert site.apply().out == "h1: nothing to do\n"
        site.post("ash", {"sys_name": "By hand", "timezone": "Europe/Rome"})
        site.kill("birch")
        assert {item["instance"] for item in site.drift()} == {"ash", "birch"}
        site.apply()
        site.proven()
        (site.repo / "desired/instances/birch.toml").unlink()
        site.compile()
        site.apply()
        del site.addresses["birch"]
        site.proven()
        assert owners(site.root) == {OTHER_USER if os.geteuid() == 0 else os.geteuid()}
    finally:
        site.end()


def test_modes_matter_and_owners_do_not(folder: Path) -> None:
    site = small_site(folder)
    hand_over(site)
    site.compile()
    site.apply()
    site.settles()
    unit = site.root / "etc/systemd/system/pbx-alpha.service"
    unit.chmod(0o600)
    (item,) = site.drift()
    assert (item["class"], item["applied"], item["observed"]) == ("mode", "0644", "0600")
    site.apply()
    site.settles()
    assert unit.stat().st_mode & 0o777 == 0o644


def test_looking_works_where_nothing_can_be_written(folder: Path) -> None:
    """A repository and a host that are mounted read-only, as on a jump host or in CI."""
    site = small_site(folder)
    hand_over(site)
    site.compile()
    site.apply()
    (site.root / "etc/pbx/backup.list").write_text("/home\n", encoding="utf-8")
    closed = [p for top in (site.repo, site.root) for p in (top, *top.rglob("*")) if p.is_dir()]
    for path in closed:
        path.chmod(0o555)
    try:
        with nothing_changes(site.repo, site.root):
            site.ok("validate")
            site.ok("compile", "--check")
            assert site.ok("plan").out != "h1: nothing to do\n"
            site.ok("status")
            assert len(site.drift()) == 1
            done = site.apply(expect=1)
            assert "nothing was done: /var/lib/pbxfleet/" in done.err
            assert "permission denied" in done.err
            assert "Traceback" not in done.err
    finally:
        for path in closed:
            path.chmod(0o755)
