"""The installed program on booted hosts: apply, a second plan, a reboot, a backup and its return."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from support.bed_fleet import ADDRESSES, fleet
from support.nspawn import Bed, interpreter_binds
from support.systemd_bed import SystemdBed, SysvinitBed

DEFINED_IN = {
    "systemd": (
        "/etc/systemd/system/pbx-alpha.service",
        "/etc/systemd/system/multi-user.target.wants/pbx-alpha.service",
    ),
    "sysv": ("/etc/init.d/pbx-alpha",),
}
TARGET = '\n[backup.tar]\ntarget = "/var/backups/pbx"\nencrypted = true\n'
BACKUP = "/etc/pbx/backup/pbx-backup-tar"


@pytest.mark.parametrize(("services", "kind"), [("systemd", SystemdBed), ("sysv", SysvinitBed)])
def test_apply_reboot_and_restore(tmp_path: Path, services: str, kind: type[Bed]) -> None:
    repository = tmp_path / "fleet"
    fleet(repository, services, TARGET)
    assert not compile_fleet(str(repository)).failed
    with kind(tmp_path / "host", binds=(*interpreter_binds(), str(repository))) as bed:
        bed.start(["203.0.113.2", *ADDRESSES.values()])

        def pbxfleet(*arguments: str, code: int = 0) -> str:
            argv = ("-m", "pbxfleet", "-C", str(repository), *arguments)
            done = bed.python(*argv, check=False, timeout_s=120)
            assert done.returncode == code, done
            return done.stdout

        pbxfleet("apply", "fra1", "--auto-approve")
        pbxfleet("plan", "fra1", "--detailed-exitcode")
        pbxfleet("drift", "fra1")

        bed.reboot()
        pbxfleet("drift", "fra1")

        bed.run(BACKUP, "init")
        bed.run(BACKUP, "backup")
        pbxfleet("plan", "fra1", "--detailed-exitcode")
        # With the process still running in what is left of it.
        bed.run("rm", "-r", "/usr/local/pbx-alpha", *DEFINED_IN[services])
        assert "pbxctrl" in pbxfleet("drift", "fra1", code=2)
        bed.run(BACKUP, "restore", "alpha")
        pbxfleet("plan", "fra1", "--detailed-exitcode")
        pbxfleet("drift", "fra1")
        assert b">alpha<" in bed.read("/usr/local/pbx-alpha/pbx.xml")
        bed.run(BACKUP, "check")

        bed.reboot()
        pbxfleet("drift", "fra1")
