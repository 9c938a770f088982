"""What is left out is the same in the language of every program: asked of the programs themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbxfleet.model.backup import BackupPart, BackupProgram, BackupWish
from support.backup_bed import entries, host_with, install, require, run, target
from support.resolved import Wish, sourced

# The directories are declared, the files are what a PBX, or somebody, may leave in them.
DIRECTORIES = {
    "plain": "/usr/local/pbx-plain",
    "odd": "/usr/local/p b[1]*?\\n {a,b}$HOME'\" #!-~ü",
    "dash": "/-srv/ #pbx",
    "stars": "/srv/***",
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
        fill(root / instance.paths.directory.lstrip("/"))
    run(root, program, "init")
    run(root, program, "backup")
    for instance in resolved.instances:
        directory = instance.paths.directory.lstrip("/")
        expected = {n: e for n, e in entries(root / directory).items() if not is_left_out(n)}
        run(root, program, "restore", instance.name, "--to", str(tmp_path / instance.name))
        assert entries(tmp_path / instance.name / directory) == expected
        hard = tmp_path / instance.name / directory / "pbx.xml.hard"
        assert hard.stat().st_nlink == 2
    run(root, program, "check")
