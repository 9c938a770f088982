"""A host on which containers are really started: podman with runc, in namespaces of its own.

with PodmanBed(tmp_path) as bed:
    bed.start(["203.0.113.10"])
    bed.python("-m", "pbxfleet", "-C", repository, "apply", "fra1", "--auto-approve")
    bed.run("podman", "ps")

Mounts, network and processes live in namespaces that end with the bed; /etc, /usr/local, /var/lib and
/run are its own, so that for pbxfleet it is the machine itself. What stays is the store with the image,
made once for each list of packages from the root tree of the other beds.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from support import beds
from support.nspawn import cache, child_of, root_tree
from support.systemd_bed import SystemdBed

IMAGE = "localhost/pbx-libraries"
IMPORT_S = 300
NAMESPACES = ("-m", "-n", "-p", "-u", "-i")
OWN = ("etc", "usr/local", "var/lib")
_numbers = itertools.count()

# The kernel of a test machine may give out less than podman asks for.
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{graph}"
runroot = "/run/containers/storage"
[storage.options]
additionalimagestores = [{stores}]
"""
# With limits in a compose file podman forgets its default for the number of processes.
_PODMAN = """\
#!/bin/sh
case $1 in create | run)
    verb=$1
    shift
    set -- "$verb" --ulimit nproc=1024:1024 "$@"
    ;;
esac
exec /usr/bin/podman "$@"
"""
# $1: the bed's folder. catatonit waits for whatever loses its parent, as process 1 has to.
_STAGE = """
set -e
for name in etc usr/local var/lib; do
    mount -t overlay overlay -o "lowerdir=/$name,upperdir=$1/$name,workdir=$1/work/$name" "/$name"
done
mount -t tmpfs tmpfs /run
ip link set lo up
echo up
exec catatonit -P >/dev/null 2>&1
"""


class PodmanBed:
    """One host with podman and a compose program; `image` is the reference of its only image."""

    def __init__(self, folder: Path) -> None:
        beds.require_root("podman")
        programs = ("podman", "runc", "catatonit", "unshare", "nsenter", "ip", "iptables")
        beds.require_programs("podman", *programs)
        self.folder = folder
        self.leader = 0
        self._keeper: subprocess.Popen[bytes] | None = None
        for name in OWN:
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / "work" / name).mkdir(parents=True, exist_ok=True)
        (folder / "graph").mkdir(exist_ok=True)
        self.image = _stored_image()
        self._configure(f'"{_store()}"')

    def __enter__(self) -> PodmanBed:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, addresses: Iterable[str] = ()) -> None:
        """Make the host, with these addresses on its loopback interface."""
        self.leader, self._keeper = _enter(self.folder)
        for address in addresses:
            self.run("ip", "address", "add", f"{address}/32", "dev", "lo")

    def stop(self) -> None:
        """End everything on it; its files stay, as after a power cut."""
        if self._keeper is not None:
            self.run("podman", "rm", "--all", "--force", "--time", "0", check=False)
            self._keeper.kill()
            self._keeper.wait(30)
            self._keeper = None

    def power_cut(self, addresses: Iterable[str] = ()) -> None:
        """Everything that ran is gone, and the host is up again with its files."""
        assert self._keeper is not None
        self._keeper.kill()
        self._keeper.wait(30)
        self.start(addresses)

    def run(
        self, *argv: str, check: bool = True, timeout_s: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there as root, with a bare environment."""
        bare = ("env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
        done = subprocess.run(
            [
                "nsenter",
                "-t",
                str(self.leader),
                *NAMESPACES,
                *bare,
                "HOME=/",
                "PBXFLEET_PRIORITY=normal",
                *argv,
            ],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout_s,
        )
        assert not check or done.returncode == 0, done
        return done

    def python(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the Python of this test run there."""
        return self.run(sys.executable, *arguments, check=check)

    def path(self, inside: str) -> Path:
        """A path of the host as this machine sees it."""
        return Path(f"/proc/{self.leader}/root{inside}")

    def _configure(self, stores: str) -> None:
        _write_configuration(self.folder, stores)
        programs = self.folder / "usr/local/bin"
        programs.mkdir(exist_ok=True)
        compose = Path(sys.executable).parent / "podman-compose"
        for name, text in (
            ("podman", _PODMAN),
            ("podman-compose", f'#!/bin/sh\nexec {compose} "$@"\n'),
        ):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)


def _write_configuration(folder: Path, stores: str) -> None:
    containers = folder / "etc/containers"
    containers.mkdir(parents=True, exist_ok=True)
    (containers / "containers.conf").write_text(_CONTAINERS)
    storage = _STORAGE.format(graph=folder / "graph", stores=stores)
    (containers / "storage.conf").write_text(storage)


def _enter(folder: Path) -> tuple[int, subprocess.Popen[bytes]]:
    """Process 1 of new namespaces, by its number outside, and the process that holds them."""
    argv = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
    argv += ["--mount-proc", "--propagation", "private", "sh", "-c", _STAGE, "stage", str(folder)]
    keeper = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert keeper.stdout is not None
    said = keeper.stdout.readline()
    keeper.stdout.close()
    if said != b"up\n":
        keeper.kill()
        keeper.wait(30)
        beds.bed_required("podman", f"no namespaces here: {said.decode().strip()}")
    return child_of(keeper.pid), keeper


def _store() -> Path:
    tree = root_tree(SystemdBed.packages)
    return cache() / f"podman-{tree.name}" / "graph"


def _stored_image() -> str:
    """The image by its digest; imported from the root tree the first time it is asked for."""
    store = _store()
    folder = store.parent
    with (cache() / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "digest").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _import(folder)
    return f"{IMAGE}@{(folder / 'digest').read_text().strip()}"


def _import(folder: Path) -> None:
    for name in OWN:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "work" / name).mkdir(parents=True, exist_ok=True)
    _write_configuration(folder, "")
    leader, keeper = _enter(folder)
    inside = ["nsenter", "-t", str(leader), *NAMESPACES]
    try:
        tree = root_tree(SystemdBed.packages)
        with subprocess.Popen(["tar", "-C", str(tree), "-c", "."], stdout=subprocess.PIPE) as tar:
            argv = [*inside, "podman", "import", "--quiet", "-", f"{IMAGE}:latest"]
            subprocess.run(
                argv, check=True, stdin=tar.stdout, capture_output=True, timeout=IMPORT_S
            )
        argv = [*inside, "podman", "images", "--format", "{{.Digest}}"]
        told = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    except subprocess.CalledProcessError as error:
        beds.bed_required("podman", f"the image cannot be imported: {error.stderr!r}")
    finally:
        keeper.kill()
        keeper.wait(30)
    written = folder / f"digest.{os.getpid()}.{next(_numbers)}"
    written.write_text(told.stdout)
    written.rename(folder / "digest")
