"""What is left out is the same in the language of every program: asked of the programs themselves."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from pbxfleet.model.backup import BackupPart, BackupProgram, BackupWish
from support.backup_bed import entries, host_with, install, require, run, target
from support.resolved import Wish, sourced

# The directories are declared, the files are what a PBX, or somebody, may leave in them.
DIRECTORIES = {
    "plain": "/usr/local/pbx-plain",
    "odd": "/usr/local/***/p b[1]*?\\n {a,b}$HOME'\" #!-~ü",
    "dash": "/-srv\\x/ #pbx",
}
NASTY = (
    "plain.txt",
    " leading and trailing ",
    "stars * ** ?",
    "[brackets] {braces,too}",
    "back\\slash\\",
    "new\nline",
    "-dash",
    "#comment",
    "!bang",
    "$HOME `id` $(id)",
    "quote ' \" quote",
    "ümläut",
    "tab\there",
    ".hidden",
    "cr\r",
)
FILES = (
    "pbx.xml",
    "pbxctrl",
    "pbxctrl.dat",
    "setup.json",
    "pbx.log",
    ".log",
    "a.log.1",
    "setup.json\n",
    "setup.json ",
    "deeper/pbx.log",
    "deeper/pbxctrl",
    "deeper/setup.json",
    "log.d/x",
    "recordings/1.wav",
    "recordings/acme/2.wav",
    "recordings/.hidden",
    "recordings.old/3.wav",
    "audio_en/hello.wav",
    "audio_en.log/x",
    "cdr1/x",
    "cdr/x.csv",
    "cdr/deep/x.csv",
    "cdr/x.txt",
    "empty/",
)
LEFT_OUT = (
    "setup.json",
    "pbx.log",
    ".log",
    "recordings/",
    "cdr/x.csv",
    "cdr1",
    "pbxctrl",
    "audio_en.log",
    "pbxctrl.dat",
)


def fill(directory: Path) -> None:
    """A directory as a PBX leaves it, with names as somebody else leaves them."""
    for name in (*FILES, *NASTY, *(f"recordings/{name}" for name in NASTY)):
        path = directory / name
        folder = path if name.endswith("/") else path.parent
        folder.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_text(name)
    (directory / "link").symlink_to("nowhere * ")
    os.link(directory / "pbx.xml", directory / "pbx.xml.hard")
    (directory / "secret").write_bytes(os.urandom(300))
    (directory / "secret").chmod(0o600)
    os.chown(directory / "secret", 12345, 23456)
    (directory / os.fsdecode(b"latin-1 \xe9.txt")).write_text("x")


def is_left_out(name: str) -> bool:
    """Whether the declaration of these tests leaves a name in the directory out."""
    if name.startswith("recordings/"):
        return True
    return any(name == out or name.startswith(f"{out}/") for out in LEFT_OUT)


@pytest.mark.parametrize("program", BackupProgram)
def test_the_same_files_are_in_every_backup(program: BackupProgram, tmp_path: Path) -> None:
    require(program)
    root = tmp_path / "ro[o]t * $x"
    names = {BackupPart.CDR: (sourced("cdr/*.csv"), sourced("cdr?"))}
    kept = {BackupPart.CDR: sourced(False), BackupPart.RELEASE_FILES: sourced(False)}
    wishes = [
        Wish(name, directory=path, recordings=False, backup=BackupWish(kept, names))
        for name, path in DIRECTORIES.items()
    ]
    resolved = host_with(wishes, [target(program, tmp_path / "places")])
    install(resolved, root)
    for instance in resolved.instances:
        directory = root / instance.paths.directory.lstrip("/")
        fill(directory)
        nested = directory / "in" / instance.paths.directory.lstrip("/")
        nested.mkdir(parents=True)
        (nested / "setup.json").write_text("the same path once more, below the first")
    run(root, program, "init")
    run(root, program, "backup")
    for instance in resolved.instances:
        directory = instance.paths.directory.lstrip("/")
        expected = {n: e for n, e in entries(root / directory).items() if not is_left_out(n)}
        run(root, program, "restore", instance.name, "--to", str(tmp_path / instance.name))
        assert entries(tmp_path / instance.name / directory) == expected
        hard = tmp_path / instance.name / directory / "pbx.xml.hard"
        assert hard.stat().st_nlink == 2


def small_host(tmp_path: Path, program: BackupProgram, **keep: int) -> Path:
    """A host with one instance of one file, and its scripts; returns what plays its /."""
    root = tmp_path / "root"
    install(host_with([Wish("acme")], [target(program, tmp_path / "places", **keep)]), root)
    settings = root / "usr/local/pbx-acme/pbx.xml"
    settings.parent.mkdir(parents=True)
    settings.write_text("<config/>\n")
    return root


@pytest.mark.parametrize("program", BackupProgram)
def test_what_is_kept_and_what_check_says(program: BackupProgram, tmp_path: Path) -> None:
    """A check holds the newest backup to what it must have; only as many as declared are kept."""
    require(program)
    root = small_host(tmp_path, program, **({} if program == "rsync" else {"last": 2}))
    run(root, program, "backup", expect=1)
    run(root, program, "init")
    assert "pbx-acme/pbx.xml" in run(root, program, "check", expect=1).stderr
    for text in ("1", "2", "3"):
        time.sleep(1 if text > "1" else 0)  # archives are named by the second
        (root / "usr/local/pbx-acme/pbx.xml").write_text(text)
        run(root, program, "backup", "acme")
    run(root, program, "check")
    listed = run(root, program, "list", "acme").stdout
    kept = {
        BackupProgram.RESTIC: "2 snapshots",
        BackupProgram.BORG: "acme.",
        BackupProgram.RSYNC: "acme",
        BackupProgram.TAR: "acme.",
    }[program]
    times = 2 if program in (BackupProgram.BORG, BackupProgram.TAR) else 1
    assert listed.count(kept) == times, listed
    run(root, program, "restore", "acme", "--to", str(tmp_path / "back"))
    assert (tmp_path / "back/usr/local/pbx-acme/pbx.xml").read_text() == "3"
    assert "no instance nobody" in run(root, program, "restore", "nobody", expect=1).stderr


@pytest.mark.parametrize("words", [(), ("undo",), ("--root",), ("restore",), ("backup", "nobody")])
def test_wrong_words_do_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    require(BackupProgram.TAR)
    root = small_host(tmp_path, BackupProgram.TAR)
    run(root, BackupProgram.TAR, "init")
    before = entries(tmp_path)
    done = run(root, BackupProgram.TAR, *words, expect=None)
    assert done.returncode in (1, 64)
    after = {n: e for n, e in entries(tmp_path).items() if not n.startswith("root/run")}
    assert after == {n: e for n, e in before.items() if not n.startswith("root/run")}


def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    require(BackupProgram.TAR)
    root = small_host(tmp_path, BackupProgram.TAR)
    run(root, BackupProgram.TAR, "init")
    with open(root / "run/pbx-backup.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "under way" in run(root, BackupProgram.TAR, "backup", expect=1).stderr
    run(root, BackupProgram.TAR, "backup")


def test_a_link_in_the_place_of_the_directory_is_told(tmp_path: Path) -> None:
    require(BackupProgram.TAR)
    root = small_host(tmp_path, BackupProgram.TAR)
    directory = root / "usr/local/pbx-acme"
    directory.rename(root / "data")
    directory.symlink_to("../../data")
    run(root, BackupProgram.TAR, "init")
    assert "is a link" in run(root, BackupProgram.TAR, "backup", "acme", expect=1).stderr
