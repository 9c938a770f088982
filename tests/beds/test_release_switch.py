"""A power cut between the two files of a release, on booted hosts with real service managers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from support.bed_fleet import ADDRESSES, fleet
from support.bed_host import PYTHON
from support.nspawn import Bed, interpreter_binds
from support.standin import make_release
from support.systemd_bed import SystemdBed, SysvinitBed

RELEASE = """
[releases."70.6"]
pbxctrl = {{ source = "file:../next/pbxctrl", sha256 = "{pbxctrl}" }}
dat = {{ source = "file:../next/pbxctrl.dat", sha256 = "{dat}" }}
reference = "reference/pbx.xml"
reference_address = "198.51.100.10"
"""
# The program, killed by the kernel right after the first of the two files lies in its place.
KILLED = """
import os, sys
from pbxfleet.host.local import LocalHost
whole = LocalHost.copy_in
def half(self, path, *rest):
    whole(self, path, *rest)
    os.kill(os.getpid(), 9)
LocalHost.copy_in = half
from pbxfleet.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
TRIED = {
    "systemd": "journalctl -b -u pbx-alpha -q --no-pager",
    "sysv": "ls /etc/rc[2-5].d | grep S[0-9]*pbx-alpha || true",
}


def versions(bed: Bed, name: str) -> tuple[str, str]:
    """What the executable says, and what the resources are for."""
    folder = f"/usr/local/pbx-{name}"
    says = bed.run(f"{folder}/pbxctrl", "--version").stdout.split()[1]
    return says, bed.read(f"{folder}/pbxctrl.dat").decode().split()[1]


@pytest.mark.parametrize(("services", "kind"), [("systemd", SystemdBed), ("sysv", SysvinitBed)])
def test_a_mixed_pair_stays_down_through_a_power_cut(
    tmp_path: Path, services: str, kind: type[Bed]
) -> None:
    repository = tmp_path / "fleet"
    fleet(repository, services)
    release = make_release(repository / "next", "70.6", python=PYTHON)
    pins = {"pbxctrl": release.sha256s["pbxctrl"], "dat": release.sha256s["pbxctrl.dat"]}
    file = repository / "desired/fleet.toml"
    file.write_text(file.read_text(encoding="utf-8") + RELEASE.format(**pins), encoding="utf-8")
    assert not compile_fleet(str(repository)).failed
    with kind(tmp_path / "host", binds=(*interpreter_binds(), str(repository))) as bed:
        bed.start(["203.0.113.2", *ADDRESSES.values()])

        def pbxfleet(*words: str, code: int = 0, by: tuple[str, ...] = ("-m", "pbxfleet")) -> str:
            done = bed.python(*by, "-C", str(repository), *words, check=False, timeout_s=120)
            assert done.returncode == code, done
            return done.stdout

        pbxfleet("apply", "fra1", "--auto-approve")
        alpha = repository / "desired/instances/alpha.toml"
        alpha.write_text(f'release = "70.6"\n{alpha.read_text(encoding="utf-8")}', encoding="utf-8")
        assert not compile_fleet(str(repository)).failed
        assert "release 70.5 -> 70.6 (upgrade)" in pbxfleet("plan", "fra1")
        pbxfleet("apply", "fra1", "--auto-approve", code=-9, by=("-c", KILLED))
        assert versions(bed, "alpha") == ("70.6", "70.5"), "nothing was cut in half"

        bed.power_cut()
        rows = {line.split()[0]: line for line in pbxfleet("status", "fra1").splitlines() if line}
        assert "running" in rows["beta"]
        assert "running" not in rows["alpha"], rows["alpha"]
        # The stand-in would not run on a mixed pair; nobody may even have tried.
        assert bed.run("sh", "-c", TRIED[services]).stdout == ""

        pbxfleet("apply", "fra1", "--auto-approve")
        assert versions(bed, "alpha") == ("70.6", "70.6")
        assert versions(bed, "beta") == ("70.5", "70.5")
        bed.reboot()
        pbxfleet("drift", "fra1")
        pbxfleet("plan", "fra1", "--detailed-exitcode")
