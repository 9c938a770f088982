"""An instance run by its rendered init script, on the machine of the test.

The script runs in a mount namespace in which /etc/init.d, /etc/sysconfig and /var/lock are the
test's, so that it meets a Red Hat-like host, a Debian-like one, or neither, whatever runs the test.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pbxfleet.model.desired import ServiceBackend
from pbxfleet.render.services import BACKENDS
from support import beds
from support.resolved import Places, Wish, host
from support.standin import bound_to, configuration, make_release, processes

LIBRARY = Path(__file__).resolve().parents[1] / "beds" / "rhel" / "functions"
PATIENCE_S = 60

# $1: files laid over /etc; $2: what /var/lock is. An empty directory hides Debian's own library.
_STAGE = """
set -e
mount -t overlay overlay -o "lowerdir=$1/etc:/etc" /etc
mount --bind "$1/empty" /lib/lsb 2>/dev/null || true
mount --bind "$2" /run/lock
shift 2
exec "$@"
"""


class Stage:
    """What the scripts of one test see around them; `redhat` gives them the function library."""

    def __init__(
        self, folder: Path, *, redhat: bool = False, networking: str | None = None
    ) -> None:
        self.folder = folder
        self.lock = folder / "lock"
        (folder / "empty").mkdir(parents=True)
        (folder / "etc/init.d").mkdir(parents=True)
        (self.lock / ("subsys" if redhat else "")).mkdir(parents=True)
        if redhat:
            (folder / "etc/init.d/functions").write_bytes(LIBRARY.read_bytes())
        if networking is not None:
            (folder / "etc/sysconfig").mkdir()
            (folder / "etc/sysconfig/network").write_text(f"NETWORKING={networking}\n")

    def wrapped(self, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` on this stage."""
        stage = ["sh", "-c", _STAGE, "stage", str(self.folder), str(self.lock), *argv]
        return [*namespace(), *stage]


@functools.cache
def namespace() -> tuple[str, ...]:
    """The command under which mounts are private and the user is root."""
    beds.require_programs("sysv", "unshare", "mount")
    found = (
        ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
    )
    lower = "mount -t overlay overlay -o lowerdir=/etc:/usr /etc"
    done = subprocess.run(
        [*found, "sh", "-c", lower], check=False, capture_output=True, text=True, timeout=PATIENCE_S
    )
    if done.returncode != 0:
        beds.bed_required("sysv", f"no private mounts here: {done.stderr.strip()}")
    return found


@dataclass
class SysvBox:
    """One instance: a directory with the stand-in and a pbx.xml, and its script.

    `directory_name` is the directory's name where it is not that of the service.
    """

    name: str
    folder: Path
    stage: Stage
    address: str
    cpu: int | None = None
    directory_name: str = ""
    shell: str = "sh"
    stop_timeout_s: int = 20

    def __post_init__(self) -> None:
        self.directory = self.folder / (self.directory_name or f"pbx-{self.name}")
        self.pid_file = self.folder / f"run/pbx-{self.name}.pid"
        self.lock_file = self.folder / f"lock/pbxctrl-{self.name}"
        self.script = self.folder / f"init.d/pbx-{self.name}"
        self.script.parent.mkdir(exist_ok=True)
        make_release(self.directory)
        (self.directory / "pbx.xml").write_bytes(configuration(bound_to(self.address)))
        self.render()

    def render(self) -> None:
        """Write the script that the compiler makes for this instance."""
        places = Places(pid_file=str(self.pid_file), lock_file=str(self.lock_file))
        resolved = host(
            [Wish(self.name, address=self.address, cpu=self.cpu, directory=str(self.directory))],
            ServiceBackend.SYSV,
            stop_timeout_s=self.stop_timeout_s,
            places=places,
        )
        made = BACKENDS[ServiceBackend.SYSV].service_file(resolved, resolved.instances[0])
        assert made is not None
        self.script.write_bytes(made.content)
        self.script.chmod(made.mode)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script with these arguments."""
        return subprocess.run(
            self.stage.wrapped([self.shell, str(self.script), *arguments]),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )

    def code(self, *arguments: str) -> int:
        """The exit code of the script with these arguments."""
        return self.run(*arguments).returncode

    def start(self) -> int:
        """Start, which must work; the number in the PID file."""
        done = self.run("start")
        assert done.returncode == 0, done
        return self.pid

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    @property
    def pids(self) -> list[int]:
        """Processes that run in the directory, supervisors among them."""
        return processes(self.directory)
