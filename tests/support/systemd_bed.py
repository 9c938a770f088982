"""Hosts with a real service manager: systemd, and sysvinit (as Debian has it, or Red Hat), as process 1.

with SystemdBed(tmp_path, binds=interpreter_binds()) as bed:
    bed.start(["203.0.113.10"])
    bed.write("/etc/systemd/system/pbx-acme.service", unit)
    bed.run("systemctl", "enable", "--now", "pbx-acme")
    bed.python("-m", "pbxfleet", "status", "fra1")
    bed.reboot()
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from support.nspawn import Bed

REDHAT = Path(__file__).resolve().parents[1] / "beds" / "rhel"
COMMON = ("iproute2", "procps", "python3")


class SystemdBed(Bed):
    """A host whose process 1 is systemd; Python 3 is there for the stand-in PBX."""

    packages = ("systemd", "systemd-sysv", "dbus", *COMMON)

    def is_up(self) -> bool:
        """Booted, also if a unit failed: what a test enabled may well fail."""
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()


class SysvinitBed(Bed):
    """A host whose process 1 is sysvinit; `service` and `update-rc.d` are there."""

    packages = ("sysvinit-core", "sysv-rc", "initscripts", "insserv", "startpar", *COMMON)
    level = 2  # Debian's normal one

    def is_up(self) -> bool:
        """In its runlevel, with all start scripts done: init waits for them before it starts a getty."""
        if self.run("runlevel", check=False).stdout.strip() != f"N {self.level}":
            return False
        return self.run("pgrep", "-x", "getty", check=False).returncode == 0

    def halt_command(self) -> tuple[str, ...]:
        """sysvinit knows nothing of nspawn's signal."""
        return ("/sbin/poweroff",)


class RedHatBed(SysvinitBed):
    """A sysvinit host laid out as the Red Hat family has it: function library, chkconfig, marks, runlevel 3.

    Debian has no packages of that family's initscripts: those here are the tests' own, with the same habits.
    """

    def start(self, addresses: Iterable[str] = ()) -> None:
        """Boot, lay the host out, and boot it again as that."""
        self.level = SysvinitBed.level
        super().start(addresses)
        for file in sorted(REDHAT.iterdir()):
            self.copy_in(file, f"/root/rhel/{file.name}")
        self.run("sh", "/root/rhel/prepare", "/root/rhel")
        self.level = 3
        self.reboot()
