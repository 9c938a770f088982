"""Hosts with a real service manager: systemd, and sysvinit, as process 1.

with SystemdBed(tmp_path, binds=interpreter_binds()) as bed:
    bed.start(["203.0.113.10"])
    bed.write("/etc/systemd/system/pbx-acme.service", unit)
    bed.run("systemctl", "enable", "--now", "pbx-acme")
    bed.python("-m", "pbxfleet", "status", "fra1")
    bed.reboot()
"""

from __future__ import annotations

from support.nspawn import Bed

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

    def is_up(self) -> bool:
        """In runlevel 2, Debian's normal one, with all start scripts done."""
        if self.run("runlevel", check=False).stdout.strip() != "N 2":
            return False
        return self.run("pgrep", "-x", "startpar", check=False).returncode == 1

    def halt_command(self) -> tuple[str, ...]:
        """sysvinit knows nothing of nspawn's signal."""
        return ("/sbin/poweroff",)
