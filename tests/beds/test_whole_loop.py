"""The installed program on booted hosts: apply, a second plan, a reboot, a backup and its return."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from support.bed_host import PYTHON
from support.nspawn import Bed, interpreter_binds
from support.pages import BASE
from support.standin import make_release
from support.systemd_bed import SystemdBed, SysvinitBed

CORE = max(os.sched_getaffinity(0))
DEFINED_IN = {
    "systemd": (
        "/etc/systemd/system/pbx-alpha.service",
        "/etc/systemd/system/multi-user.target.wants/pbx-alpha.service",
    ),
    "sysv": ("/etc/init.d/pbx-alpha",),
}
BACKUP = "/etc/pbx/backup/pbx-backup-tar"
ADDRESSES = {"alpha": "203.0.113.10", "beta": "203.0.113.11"}


def fleet(folder: Path, services: str) -> None:
    """A fleet of one host with two instances, one of them pinned, and their release files."""
    release = make_release(folder / "artefacts", python=PYTHON)
    desired = folder / "desired"
    for path in BASE.joinpath("desired").rglob("*"):
        if path.is_file():
            target = desired / path.relative_to(BASE / "desired")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    text = (desired / "fleet.toml").read_text()
    for digest in release.sha256s.values():
        text = text.replace("0" * 64, digest, 1)
    (desired / "fleet.toml").write_text(text)
    host = (desired / "hosts/fra1.toml").read_text().replace('"0-7"', f'"0-{CORE}"')
    host = host.replace('system_cpus = "0-1"', f'services = "{services}"')
    host += '\n[backup.tar]\ntarget = "/var/backups/pbx"\nencrypted = true\n'
    (desired / "hosts/fra1.toml").write_text(host)
    for name, address in ADDRESSES.items():
        cpu = CORE if name == "beta" else '"off"'
        (desired / f"instances/{name}.toml").write_text(
            f'host = "fra1"\naddress = "{address}"\ncpu = {cpu}\n\n[settings]\nsys_name = "{name}"\n'
        )


@pytest.mark.parametrize(("services", "kind"), [("systemd", SystemdBed), ("sysv", SysvinitBed)])
def test_apply_reboot_and_restore(tmp_path: Path, services: str, kind: type[Bed]) -> None:
    repository = tmp_path / "fleet"
    fleet(repository, services)
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
