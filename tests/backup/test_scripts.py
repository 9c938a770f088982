"""Scripts of backups as text: what a linter and several shells say, and what reaches the shell."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

from pbxfleet.core.paths import HostPath
from pbxfleet.model.backup import BackupProgram, BackupTarget, Consistency
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.backups import scripts
from support import beds
from support.backup_bed import host_with
from support.resolved import Wish, sourced

# Windows has no shell for them (BKP110).
SCRIPTED = [backend for backend in ServiceBackend if backend is not ServiceBackend.WINDOWS]
ODD = "/srv/p b$HOME/`id`;&'\"[1]*\\zü"


def resolved(
    program: BackupProgram, services: ServiceBackend, consistency: Consistency, **keep: int
) -> ResolvedHost:
    target = BackupTarget(
        program,
        sourced(f"{ODD}/place"),
        sourced(HostPath(f"{ODD}/password")),
        sourced(HostPath(f"{ODD}/environment")),
        keep,
    )
    wishes = [Wish("acme", cpu=1), Wish("beta", directory=ODD)]
    return host_with(wishes, [target], services, consistency)


def script(found: ResolvedHost) -> str:
    (text,) = [t for path, t in scripts.host_files(found) if "pbx-backup-" in path]
    assert text.mode == 0o700
    return text.content.decode()


def keeps(program: BackupProgram) -> list[dict[str, int]]:
    return [{}, {"last": 3}] if program is BackupProgram.TAR else [{}, {"last": 3, "weekly": 4}]


def every_script() -> list[str]:
    """Every program, every service manager, both kinds of consistency, with and without limits."""
    services, consistency = cycle(SCRIPTED), cycle(Consistency)
    return [
        script(resolved(program, next(services), next(consistency), **keep))
        for program in BackupProgram
        for keep in keeps(program)
    ]


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    # The one of the virtual environment first: its version is pinned.
    here = Path(sys.executable).with_name("shellcheck")
    program = str(here) if here.exists() else "shellcheck"
    beds.require_programs("shellcheck", program)
    paths = []
    for number, text in enumerate(every_script()):
        paths.append(tmp_path / f"script-{number}")
        paths[-1].write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program, *paths], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "ksh", "busybox"])
def test_every_shell_that_is_here_can_parse_it(tmp_path: Path, shell: str) -> None:
    found = shutil.which(shell) or "/bin/sh"
    argv = [found, "sh", "-n"] if found.endswith("busybox") else [found, "-n"]
    for text in every_script()[::3]:
        path = tmp_path / "script"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [*argv, path], check=False, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("program", BackupProgram)
def test_values_reach_the_shell_as_they_are(tmp_path: Path, program: BackupProgram) -> None:
    text = script(resolved(program, ServiceBackend.DIRECT, Consistency.LIVE))
    describe = text[text.index("describe() {") : text.index("exists() {")]
    place = re.findall(r"^PLACE=.*$", text, re.M)
    path = tmp_path / "values"
    show = 'describe beta && printf \'%s\\n\' "$PLACE" "$directory"'
    path.write_text("\n".join([*place, describe, show]), encoding="utf-8")
    done = subprocess.run(["sh", path], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{ODD}/place\n{ODD}\n"


def test_no_password_is_anywhere_but_in_its_file() -> None:
    for text in every_script():
        assert "PASSPHRASE" not in text
        assert not re.search(r"RESTIC_PASSWORD=|--password|--passphrase", text)
