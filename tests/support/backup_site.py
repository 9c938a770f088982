"""A site whose instances run, and are backed up with every program."""

from __future__ import annotations

import shutil
from pathlib import Path

from pbxfleet.model.backup import BackupProgram
from support.backup_bed import run
from support.running_site import RunningSite
from support.standin import processes

PASSWORD = "correct horse\n"
EXTRA = "etc/pbx/environment-ash"


class BackedUpSite(RunningSite):
    """Two instances that run, and a place for every program that is here."""

    def __init__(self, folder: Path, consistency: str = "live") -> None:
        super().__init__(folder)
        places = folder / "places"
        places.mkdir()
        password = places / "password"
        password.write_text(PASSWORD)
        tables = ["[backup]", f'consistency = "{consistency}"']
        for program in BackupProgram:
            key, extra = "repository", f'password_file = "{password}"'
            if program in (BackupProgram.RSYNC, BackupProgram.TAR):
                key, extra = "target", "encrypted = true"
            tables += [f"[backup.{program}]", f'{key} = "{places}/{program}"', extra]
        host = self.repo / "desired/hosts/h1.toml"
        host.write_text("\n".join([host.read_text(), *tables, ""]))
        self.instance("ash", f'backup = {{ recordings = true, extra = ["/{EXTRA}"] }}')

    def script(self, program: BackupProgram, *words: str, expect: int | None = 0) -> str:
        """Run a command of the script that is on the host; what it said."""
        return run(self.root, program, *words, expect=expect).stderr

    def destroy(self, name: str) -> None:
        """End an instance and remove all its files, those outside of the directory too."""
        if processes(self.directory(name)):
            self.kill(name)
        listed = (self.root / f"etc/pbx/backup/{name}.list").read_text().splitlines()
        for path in (self.root / line.lstrip("/") for line in listed):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def up(self) -> BackedUpSite:
        """Start everything, and lay down what is not in the declaration."""
        super().up()
        (self.root / EXTRA).write_text("TZ=Europe/Rome\n")
        (self.root / EXTRA).chmod(0o640)
        recording = self.directory("ash") / "recordings/acme/1.wav"
        recording.parent.mkdir(parents=True)
        recording.write_bytes(b"RIFF")
        return self
