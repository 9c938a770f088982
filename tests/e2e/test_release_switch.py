"""Releases of running instances: up, down, mixed on one host, changed by somebody else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256

import pytest

from support.running_site import RunningSite
from support.standin import make_release

Make = Callable[..., RunningSite]


def version(site: RunningSite, name: str) -> str:
    """What the executable in the directory of an instance says."""
    argv = (str(site.directory(name) / "pbxctrl"), "--version")
    done = subprocess.run(argv, check=True, capture_output=True, timeout=30)
    return done.stdout.decode().split()[1]


def versions(site: RunningSite) -> dict[str, tuple[str, str, str]]:
    """By instance: what the executable says, what the resources say, what the process says."""
    found = {}
    for name in site.addresses:
        dat = (site.directory(name) / "pbxctrl.dat").read_text(encoding="utf-8").split()[1]
        found[name] = (version(site, name), dat, site.status_of(name)["version"])
    return found


def allow(site: RunningSite) -> None:
    site.edit(
        "desired/fleet.toml", "deletion_budget = 1", 'deletion_budget = 1\ndowngrades = "allow"'
    )


def reasons(site: RunningSite) -> set[str]:
    return {c["reason"] for c in site.plan()["changes"] if c["kind"] == "artefact"}


def replace(site: RunningSite, name: str, release: str) -> None:
    """What the PBX's own updater does: both files, and a start on the new ones."""
    made = make_release(site.folder / "updater" / release, release)
    site.kill(name)
    for file in (made.pbxctrl, made.dat):
        there = site.directory(name) / file.name
        shutil.copy(file, there.with_suffix(".new"))
        os.chmod(there.with_suffix(".new"), 0o755 if file.name == "pbxctrl" else 0o644)
        os.rename(there.with_suffix(".new"), there)
    directory = site.directory(name)
    argv = (str(directory / "pbxctrl"), "--dir", str(directory), "--pidfile")
    subprocess.run((*argv, str(site.root / f"run/pbx-{name}.pid")), check=True, timeout=30)


def test_up_and_down_again_one_of_two(running: Make) -> None:
    site = running("ash", "birch").up()
    untouched = site.pid("birch")
    site.change("ash", 'release = "70.6"')
    assert reasons(site) == {"release 70.5 -> 70.6 (upgrade)"}
    assert [s["do"] for s in site.plan()["steps"]] == [
        "stop", "copy in", "copy in", "start", "prove",
    ]  # fmt: skip
    site.apply("--quiet")
    assert versions(site) == {"ash": ("70.6",) * 3, "birch": ("70.5",) * 3}
    assert site.pid("birch") == untouched
    site.change("ash")
    refused = site.run("apply", "--auto-approve")
    assert refused.code == 8
    assert "error[PLN140]" in refused.err
    assert versions(site)["ash"] == ("70.6",) * 3
    allow(site)
    site.compile()
    assert reasons(site) == {"release 70.6 -> 70.5 (downgrade)"}
    site.apply("--quiet")
    assert versions(site) == {"ash": ("70.5",) * 3, "birch": ("70.5",) * 3}
    assert site.pid("birch") == untouched
    site.proven()


def test_settings_move_with_the_release_and_come_back_with_it(running: Make) -> None:
    """An upgrade with a change of settings is one wave; if its start fails, all of it is put back."""
    site = running("ash").up()
    broken = site.add_release("70.7")
    broken.pbxctrl.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    digest = sha256(broken.pbxctrl.read_bytes()).hexdigest()
    site.edit("desired/fleet.toml", broken.sha256s["pbxctrl"], digest)
    before = site.pbx_xml("ash")
    site.change("ash", 'release = "70.7"', sys_name="Seven", log_length=7)
    done = site.run("apply", "--auto-approve")
    assert done.code == 6, done
    assert versions(site)["ash"] == ("70.5",) * 3
    assert site.pbx_xml("ash") == before
    site.change("ash", 'release = "70.6"', sys_name="Six", log_length=6)
    site.apply("--quiet")
    assert versions(site)["ash"] == ("70.6",) * 3
    assert "<sys_name>Six</sys_name>" in site.pbx_xml("ash")


class TestTheUpdaterOfThePbx:
    def test_a_declared_release_is_named_and_not_put_back_silently(self, running: Make) -> None:
        site = running("ash", "birch").up()
        replace(site, "ash", "70.6")
        (item,) = site.drift()
        assert (item["class"], item["name"], item["applied"]) == ("changed", "release", "70.5")
        assert item["observed"].startswith(
            "70.6 (declared in fleet.toml); both files were replaced"
        )
        refused = site.run("apply", "--auto-approve")
        assert (refused.code, "error[PLN140]" in refused.err) == (8, True)
        assert versions(site)["ash"] == ("70.6",) * 3
        site.change("ash", 'release = "70.6"')
        pid = site.pid("ash")
        assert site.apply().out == "h1: applied, 0 steps\n"
        assert site.pid("ash") == pid
        site.settles()

    def test_a_release_that_is_not_declared_says_what_it_is(self, running: Make) -> None:
        site = running("ash").up()
        replace(site, "ash", "71.0")
        (item,) = site.drift()
        assert item["observed"].startswith("a release that is not declared; both files")
        assert item["observed"].endswith('; --version says "pbxctrl 71.0 (stand-in)"')
        (again,) = site.drift()
        assert again["first_seen"] == item["first_seen"]
        assert again["sightings"] == 2
        refused = site.run("apply", "--auto-approve")
        assert (refused.code, "error[PLN142]" in refused.err) == (8, True)
        allow(site)
        site.compile()
        site.apply("--quiet")
        assert versions(site)["ash"] == ("70.5",) * 3

    @pytest.mark.parametrize("mode", [0o775, 0o757])
    def test_what_others_can_write_is_never_run(self, running: Make, mode: int) -> None:
        site = running("ash").up()
        replace(site, "ash", "71.0")
        (site.directory("ash") / "pbxctrl").chmod(mode)
        observed = {item["name"]: item["observed"] for item in site.drift()}
        assert "--version" not in observed["release"]

    def test_what_does_not_run_yet_is_not_run(self, running: Make) -> None:
        site = running("ash").up()
        made = make_release(site.folder / "updater/71.0", "71.0")
        for file in (made.pbxctrl, made.dat):
            shutil.copy(file, site.directory("ash") / f"{file.name}.new")
            os.rename(site.directory("ash") / f"{file.name}.new", site.directory("ash") / file.name)
        observed = {item["name"]: item["observed"] for item in site.drift()}
        assert "--version" not in observed["release"]
        assert observed["executable"] == "an older file"

    def test_one_file_alone_is_no_release(self, running: Make) -> None:
        site = running("ash").up()
        other = make_release(site.folder / "updater/71.0", "71.0")
        shutil.copy(other.dat, site.directory("ash") / "pbxctrl.dat")
        (item,) = site.drift()
        assert (item["class"], item["name"]) == ("changed", "content")
        assert item["resource"].endswith("/pbxctrl.dat")
        assert reasons(site) == {"one file of release 70.5 was replaced: a mixed pair"}
        site.apply("--quiet")
        site.proven()
