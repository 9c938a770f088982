"""Backup lists, given to the tar they are made for."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pbxfleet.core.paths import HostPath
from pbxfleet.render.backups import lists
from pbxfleet.render.backups.places import host_exclude_path
from support.resolved import Places, Wish, host, sourced

ODD = "p b[1]*?\\n\\x {a}$'\"\u00fc"
PATTERNS = ("--anchored", "--no-wildcards-match-slash")
FILES = (
    "pbxctrl",
    "pbxctrl.dat",
    "pbx.xml",
    "setup.json",
    "pbx.log",
    "pbx.pid",
    "deeper/pbx.log",
    "recordings/1.wav",
    "recordings/acme/2.wav",
    "audio_en/hello.wav",
    "tenants/pbxctrl.txt",
    "pbxctrl.data/x",
)


def instance_tree(tmp_path: Path, name: str) -> Path:
    """A directory as a PBX leaves it, and its files elsewhere, on this machine."""
    directory = tmp_path / name
    for file in FILES:
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).write_text("x")
    return directory


def places(tmp_path: Path) -> Places:
    return Places(
        directory=f"{tmp_path}/never",
        unit=f"{tmp_path}/unit-{{name}}",
        pid_file="/run/pbx-{name}.pid",
        failover_file=f"{tmp_path}/failover-{{name}}",
        backup_list=f"{tmp_path}/{{name}}.list",
        backup_exclude=f"{tmp_path}/{{name}}.exclude",
        mirror_exclude=f"{tmp_path}/mirror-{{name}}",
    )


def saved(tmp_path: Path, listed: Path, excluded: Path) -> set[str]:
    """Names that tar saves, relative to the test's folder."""
    archive = tmp_path / "backup.tar"
    made = subprocess.run(
        ["tar", "-c", "-f", archive, *PATTERNS, "-X", excluded, "-T", listed],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    argv = ["tar", "-t", "-f", archive, "--quoting-style=literal"]
    names = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout
    inside = f"{tmp_path}/".lstrip("/")
    return {name.removeprefix(inside).rstrip("/") for name in names.splitlines()}


@pytest.mark.parametrize("name", ["pbx-acme", ODD])
@pytest.mark.parametrize("recordings", [True, False])
def test_tar_saves_what_belongs_to_the_instance(
    tmp_path: Path, name: str, recordings: bool
) -> None:
    directory = instance_tree(tmp_path, name)
    wish = Wish("acme", directory=str(directory), peer="x", recordings=recordings)
    resolved = host([wish], places=places(tmp_path))
    instance = resolved.instances[0]
    listed, excluded = tmp_path / "acme.list", tmp_path / "acme.exclude"
    listed.write_bytes(lists.instance_list(instance))
    excluded.write_bytes(lists.instance_excludes(instance))
    (tmp_path / "unit-acme").write_text("x")
    (tmp_path / "failover-acme").write_text("x")
    (tmp_path / "mirror-acme").write_text("x")
    kept = {
        "pbx.xml",
        "pbx.pid",
        "pbxctrl",
        "pbxctrl.dat",
        "recordings",
        "audio_en",
        "audio_en/hello.wav",
        "deeper",
        "deeper/pbx.log",
        "tenants",
        "tenants/pbxctrl.txt",
        "pbxctrl.data",
        "pbxctrl.data/x",
    }
    if recordings:
        kept |= {"recordings/1.wav", "recordings/acme", "recordings/acme/2.wav"}
    outside = {"acme.list", "acme.exclude", "unit-acme", "failover-acme", "mirror-acme"}
    assert saved(tmp_path, listed, excluded) == outside | {name} | {f"{name}/{k}" for k in kept}


def test_a_pid_file_within_the_directory_is_left_out(tmp_path: Path) -> None:
    directory = tmp_path / "pbx-acme"
    wish = Wish("acme", directory=str(directory))
    inside = Places(pid_file=f"{directory}/run [1].pid")
    excludes = lists.instance_excludes(host([wish], places=inside).instances[0]).decode()
    assert f"{directory}/run \\[1\\].pid\n" in excludes


def test_the_hosts_list_joins_those_of_its_instances() -> None:
    resolved = host([Wish("beta"), Wish("acme", peer="x", recordings=False)])
    lines = lists.host_list(resolved).decode().splitlines()
    assert lines == sorted(set(lines))
    for instance in resolved.instances:
        assert set(lists.instance_list(instance).decode().splitlines()) < set(lines)
    assert {"/var/lib/pbxfleet", "/etc/pbx/backup.list", "/etc/pbx/backup.exclude"} < set(lines)
    excludes = lists.host_excludes(resolved).decode().splitlines()
    assert "/usr/local/pbx-acme/recordings/*" in excludes
    assert "/usr/local/pbx-beta/recordings/*" not in excludes


@pytest.mark.parametrize(
    ("listed", "excluded"),
    [("/etc/pbx/backup.list", "/etc/pbx/backup.exclude"), ("/etc/all", "/etc/all.exclude")],
)
def test_the_hosts_exclude_file_lies_beside_its_list(listed: str, excluded: str) -> None:
    resolved = host([])
    file = replace(resolved.file, host_backup_list=sourced(HostPath(listed)))
    assert host_exclude_path(replace(resolved, file=file)) == excluded
