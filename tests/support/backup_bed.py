"""Scripts of backups as they are rendered, run by real programs in a folder that plays the host's /."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from pbxfleet.core.paths import HostPath
from pbxfleet.model.backup import BackupProgram, BackupTarget, Consistency, HostBackup
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.backups import scripts
from support.beds import require_programs, require_root
from support.resolved import Wish, host, sourced

COMMANDS = {
    BackupProgram.RESTIC: "restic",
    BackupProgram.BORG: "borg",
    BackupProgram.RSYNC: "rsync",
    BackupProgram.TAR: "tar",
}
PATIENCE_S = 120


def require(program: BackupProgram) -> None:
    """End the test unless the program can be run as the superuser, whom the scripts ask for."""
    require_root("backup")
    require_programs("backup", COMMANDS[program])


def target(program: BackupProgram, folder: Path, **keep: int) -> BackupTarget:
    """A place below `folder`, with a password file beside it."""
    password = folder / "pass word's file"
    password.parent.mkdir(parents=True, exist_ok=True)
    password.write_text("correct horse\n")
    return BackupTarget(
        program,
        sourced(str(folder / f"place of {program}")),
        sourced(HostPath(str(password))),
        keep=keep,
        encrypted=True,
    )


def host_with(
    wishes: Sequence[Wish],
    targets: Iterable[BackupTarget],
    services: ServiceBackend = ServiceBackend.DIRECT,
    consistency: Consistency = Consistency.LIVE,
    directory: str = "/etc/pbx/backup",
) -> ResolvedHost:
    """A host whose instances are backed up to these targets."""
    backup = HostBackup(sourced(HostPath(directory)), sourced(consistency), tuple(targets))
    return host(wishes, services, backup=backup)


def install(resolved: ResolvedHost, root: Path) -> None:
    """Write scripts and lists below `root`, as apply does."""
    files = [*scripts.host_files(resolved)]
    for instance in resolved.instances:
        files += scripts.instance_files(resolved, instance)
    for path, text in files:
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.content)
        place.chmod(text.mode)


def run(
    root: Path, program: BackupProgram, *words: str, expect: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command of the host's script; nothing of this user's own settings reaches it."""
    script = root / f"etc/pbx/backup/pbx-backup-{program}"
    done = subprocess.run(
        (script, "--root", root, *words),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=PATIENCE_S,
        env={"PATH": os.defpath, "HOME": str(root.parent / "home"), "LC_ALL": "C.UTF-8"},
    )
    assert expect is None or done.returncode == expect, f"{words}: {done}"
    return done


def entries(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder that a backup must keep, by relative path; links are not followed."""
    found: dict[str, tuple[object, ...]] = {}
    for path in folder.rglob("*"):
        seen = path.lstat()
        what: object = None
        if path.is_symlink():
            what = os.readlink(path)
        elif path.is_file():
            what = path.read_bytes()
        mode = None if path.is_symlink() else seen.st_mode
        found[str(path.relative_to(folder))] = (mode, seen.st_uid, seen.st_gid, what)
    return found
