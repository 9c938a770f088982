"""A restore that is ended at any moment tells where everything is, and the same command goes on with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pbxfleet.core.paths import HostPath
from pbxfleet.model.backup import BackupPart, BackupProgram, BackupWish
from pbxfleet.model.desired import ServiceBackend
from support.backup_bed import PATIENCE_S, entries, host_with, install, require, run, target
from support.resolved import Wish, sourced

DIRECTORY, EXTRA = "usr/local/pbx-acme", "srv/keys of acme"
SCRIPT = "etc/pbx/backup/pbx-backup-tar"
BACKED_UP = {
    f"{DIRECTORY}/pbx.xml": "<config>backup</config>",
    f"{DIRECTORY}/recordings/1.wav": "backup",
    f"{EXTRA}/one": "backup",
    f"{EXTRA}/two": "backup",
}
LATER = {
    f"{DIRECTORY}/pbx.xml": "<config>later</config>",
    f"{DIRECTORY}/pbxctrl": "later",
    f"{DIRECTORY}/pbxctrl.dat": "later",
    f"{DIRECTORY}/written": "later",
    f"{EXTRA}/two": "later",
}
# Before the n-th of these commands everything that belongs to the script gets the signal. What is written
# down is how many there were.
PRELUDE = """\
at() {{
    number=$(($(cat '{count}') + 1))
    printf '%s\\n' "$number" >'{count}'
    [ "$number" != {when} ] || kill -s {signal} 0
}}
mv() {{ at; command mv "$@"; }}
cp() {{ at; command cp "$@"; }}
rm() {{ at; command rm "$@"; }}
mkdir() {{ at; command mkdir "$@"; }}
"""
# Whatever is asked for its disk has one of its own.
OTHER_DISKS = "stat() { printf '%s\\n' \"$4\"; }\n"


def lay(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if path.name == "pbxctrl" else 0o640)


class Bed:
    """A backup of an instance that was changed later, and its restore, ended at one of its commands."""

    def __init__(self, folder: Path) -> None:
        require(BackupProgram.TAR)
        self.folder, self.root, self.first = folder, folder / "host", folder / "first"
        left_out = {BackupPart.RELEASE_FILES: sourced(False)}
        backup = BackupWish(left_out, extra=(sourced(HostPath(f"/{EXTRA}")),))
        wish = Wish("acme", directory=f"/{DIRECTORY}", backup=backup)
        # Below another root systemd starts nothing.
        host = host_with([wish], [target(BackupProgram.TAR, folder)], ServiceBackend.SYSTEMD)
        install(host, self.root)
        lay(self.root, BACKED_UP)
        run(self.root, BackupProgram.TAR, "init")
        run(self.root, BackupProgram.TAR, "backup")
        (self.root / EXTRA / "one").unlink()
        lay(self.root, LATER)
        shutil.copytree(self.root, self.first)

    def anew(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self.first, self.root)

    def restore(
        self, *, when: int, signal: str, more: str = "", name: str = "acme"
    ) -> tuple[int, str, int]:
        """Exit code, what was said, and the number of commands that there were."""
        count = self.folder / "count"
        count.write_text("0")
        text = (self.root / SCRIPT).read_text()
        prelude = PRELUDE.format(count=count, when=when, signal=signal)
        script = self.root / f"{SCRIPT}-ended"
        script.write_text(text.replace("set -u\n", f"set -u\n{prelude}{more}", 1))
        script.chmod(0o700)
        done = subprocess.run(
            (script, "--root", self.root, "restore", name),
            check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE_S, start_new_session=True,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        script.unlink(missing_ok=True)
        return done.returncode, done.stderr, int(count.read_text())

    def is_restored(self) -> None:
        """All of the backup is in its place, and everything that was there is in a folder beside it."""
        now = {name: content for name, (*_, content) in entries(self.root).items()}
        for name, text in BACKED_UP.items():
            assert now[name] == text.encode(), name
        assert f"{DIRECTORY}/written" not in now
        for name in ("pbxctrl", "pbxctrl.dat"):  # backups do without them: they were kept
            assert now[f"{DIRECTORY}/{name}"] == b"later"
        for name, text in LATER.items():
            kept = [c for n, c in now.items() if ".before-restore" in n and n.endswith(name)]
            assert text.encode() in kept, name
        left = [n for n in now if ".restoring" in n or n.endswith(".pbx-part")]
        assert [name for name in left if ".before-restore" not in name] == []


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    return Bed(tmp_path_factory.mktemp("interrupted"))


@pytest.mark.parametrize("more", ["", OTHER_DISKS], ids=["one disk", "disks"])
def test_killed_at_any_command_the_next_run_comes_to_the_end(bed: Bed, more: str) -> None:
    bed.anew()
    code, said, commands = bed.restore(when=0, signal="KILL", more=more)
    assert code == 0, said
    bed.is_restored()
    assert commands > 10
    went_on = 0
    for when in range(1, commands + 1):
        bed.anew()
        code, _, _ = bed.restore(when=when, signal="KILL", more=more)
        assert code < 0
        if when % 4 == 0:  # the second one is ended as well
            bed.restore(when=when // 2 + 2, signal="KILL", more=more)
        went_on += "going on" in run(bed.root, BackupProgram.TAR, "restore", "acme").stderr
        bed.is_restored()
    assert went_on > 3


PLACES = re.compile(r"^.*?: what (?:is still|was there).* is in (.*)$", re.MULTILINE)
AGAIN = re.compile(r"^.*?: this goes on with it: (\S+) --root (\S+) restore (\S+)$", re.MULTILINE)


def test_ended_by_a_signal_it_says_where_everything_is_and_what_to_do(bed: Bed) -> None:
    bed.anew()
    _, _, commands = bed.restore(when=0, signal="TERM")
    told = 0
    for when in range(1, commands + 1, 2):
        bed.anew()
        _, said, _ = bed.restore(when=when, signal="TERM")
        moved = not (bed.root / DIRECTORY / "written").exists()
        if "stopped half-way" not in said:
            assert not moved or "restored acme" in said, (when, said)
            continue
        told += 1
        places = PLACES.findall(said)
        assert places and all(Path(place).is_dir() for place in places), said
        (again,) = AGAIN.findall(said)
        assert (again[1], again[2]) == (str(bed.root), "acme")
        refused = run(bed.root, BackupProgram.TAR, "backup", "acme", expect=1).stderr
        assert "stopped half-way" in refused
        other = run(bed.root, BackupProgram.TAR, "restore", "acme", "--from", "x", expect=1).stderr
        assert "without --from goes on with it" in other
        run(bed.root, BackupProgram.TAR, "restore", "acme")
        bed.is_restored()
    assert told > 3


def test_of_the_hosts_own_files_it_says_which_script_is_left(bed: Bed) -> None:
    bed.anew()
    _, _, commands = bed.restore(when=0, signal="TERM", name="_fra1")
    told = 0
    for when in range(1, commands + 1, 2):
        bed.anew()
        _, said, _ = bed.restore(when=when, signal="TERM", name="_fra1")
        for script, root, name in AGAIN.findall(said):
            told += 1
            left = Path(script.removesuffix("-ended"))
            done = subprocess.run(
                (left, "--root", root, "restore", name), check=False, capture_output=True,
                text=True, env={"PATH": os.defpath},
            )  # fmt: skip
            assert done.returncode == 0, (said, done)
            assert (bed.root / SCRIPT).is_file()
    assert told


def test_a_folder_that_is_not_ours_is_left_alone(bed: Bed) -> None:
    bed.anew()
    lay(bed.root, {f"{DIRECTORY}.restoring/mine": "x"})
    said = run(bed.root, BackupProgram.TAR, "restore", "acme", expect=1).stderr
    assert "look into it" in said
    assert (bed.root / f"{DIRECTORY}.restoring/mine").exists()
