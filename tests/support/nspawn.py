"""Whole hosts for tests: a Debian tree booted by systemd-nspawn, with a network of its own.

Nothing of the machine is changed: mounts live in a namespace that ends with the container, addresses
in a network namespace that a keeper process holds, the container has its own cgroups, and only
processes started here are ever signalled. The one thing that stays is the root tree, built once for
each list of packages below $XDG_CACHE_HOME/pbxfleet-beds, or /var/tmp/pbxfleet-beds.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from support import beds
from support.tree import ROOT

BOOT_S = 60.0
BUILD_S = 900
HIERARCHIES = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")  # hybrid; else the one below
NAMESPACES = ("-m", "-p", "-u", "-i", "-n", "-C", "-r", "-w")  # of nsenter: all, and its folders
EXCLUDED = ("man", "doc", "locale")
_numbers = itertools.count()

# $1 and $2 write, then nspawn takes this shell's place, so that it is the child the test waits for.
_BOOT = """
set -e
folder=$1 tree=$2; shift 2
for procs in $CGROUPS; do echo $$ >"$procs/cgroup.procs"; done
unset CGROUPS
exec unshare --mount --propagation private sh -c '
    set -e
    folder=$1 tree=$2; shift 2
    mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
    exec "$@"
' boot "$folder" "$tree" "$@"
"""


def cache() -> Path:
    """Where root trees are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) / "pbxfleet-beds" if base else Path("/var/tmp/pbxfleet-beds")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def debian_suite() -> str:
    """The machine's own release if it is a Debian, so that its mirrors and keys fit."""
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    words = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    return words.get("VERSION_CODENAME", "bookworm").strip('"')


def root_tree(packages: Sequence[str]) -> Path:
    """A minimal Debian with these packages, built the first time it is asked for."""
    suite = debian_suite()
    key = hashlib.sha256(" ".join((suite, *sorted(packages))).encode()).hexdigest()[:16]
    tree = cache() / f"root-{key}"
    with (cache() / f"{key}.lock").open("w") as lock:
        # A second worker waits here while the first one builds.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.is_dir():
            _build(suite, packages, tree)
    return tree


def _build(suite: str, packages: Sequence[str], tree: Path) -> None:
    beds.require_programs("nspawn", "mmdebstrap")
    building = tree.with_name(f"{tree.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
    argv += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in EXCLUDED]
    done = subprocess.run(
        [*argv, suite, str(building)], check=False, capture_output=True, text=True, timeout=BUILD_S
    )
    if done.returncode != 0:
        shutil.rmtree(building, ignore_errors=True)
        beds.bed_required("nspawn", f"mmdebstrap failed: {done.stderr.strip()[-600:]}")
    (building / "etc/machine-id").write_text("")
    building.rename(tree)


def interpreter_binds() -> tuple[str, ...]:
    """Folders of this machine that a container needs to run this Python and the installed pbxfleet."""
    wanted = (sys.prefix, sys.base_prefix, str(ROOT / "compiler"))
    return tuple(dict.fromkeys(str(Path(path).resolve()) for path in wanted if path != "/usr"))


class Bed:
    """One container. `start`, then `run`, `write`, `read`; `stop` always, best as a context.

    `folder` keeps the host's own files between `start` and `stop`, so that a reboot finds them.
    `binds` are folders of this machine that it sees read-only, at the same path, or `src:dst`.
    """

    packages: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # more of systemd-nspawn
    environment: Mapping[str, str] = MappingProxyType({})  # of systemd-nspawn

    def __init__(self, folder: Path, *, binds: Iterable[str] = ()) -> None:
        beds.require_root("nspawn")
        beds.require_programs("nspawn", "systemd-nspawn", "unshare", "nsenter", "ip")
        self.name = f"pbxfleet-{os.getpid()}-{next(_numbers)}"
        self.folder = folder
        self.tree = root_tree(self.packages)
        self.binds = tuple(binds)
        self.leader = 0
        self.gives_way = False  # whether commands of pbxfleet wait for everybody else, as they do
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    # --- life --------------------------------------------------------------------------------

    def start(self, addresses: Iterable[str] = ()) -> None:
        """Boot with these addresses on the loopback interface; returns once the host is up."""
        lines = [f"addr add {a}/{128 if ':' in a else 32} dev lo" for a in addresses]
        self._keep_network("\n".join(["link set lo up", *lines, ""]))
        self._boot()

    def reboot(self) -> None:
        """An orderly shutdown and a new boot with the same files and addresses."""
        self._halt()
        self._boot()

    def power_cut(self) -> None:
        """The machine loses power, and gets it back: nothing is asked to end."""
        self._kill()
        self._boot()

    def stop(self) -> None:
        """End the container and everything that was made for it, but for its files."""
        if self._nspawn is not None and self._nspawn.poll() is None:
            self._halt()
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.wait(30)
            self._keeper = None

    def __enter__(self) -> Bed:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def is_up(self) -> bool:
        """Whether the host has finished booting."""
        raise AssertionError("a kind of host says how it is known to be up")

    def halt_command(self) -> tuple[str, ...]:
        """What ends the host from within; empty: the signal to systemd-nspawn does."""
        return ()

    # --- what tests do with it ---------------------------------------------------------------

    def run(
        self, *argv: str, check: bool = True, text_in: str | None = None, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the host as root, with a bare environment."""
        return self._run((*self._inside(), *argv), check, text_in, timeout_s)

    @contextlib.contextmanager
    def begin(self, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs in the host while the test goes on; it is ended at the end."""
        null = subprocess.DEVNULL
        command = subprocess.Popen(
            (*self._inside(), *argv), stdin=null, stdout=null, stderr=null, start_new_session=True
        )
        try:
            yield command
        finally:
            command.kill()
            command.wait(30)

    def _inside(self) -> tuple[str, ...]:
        bare = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root")
        own = () if self.gives_way else ("PBXFLEET_PRIORITY=normal",)
        return ("nsenter", "-t", str(self.leader), *NAMESPACES, "env", "-i", *bare, *own)

    def outside(
        self, *argv: str, check: bool = True, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of this machine in the host's network."""
        assert self._keeper is not None
        network = ("nsenter", "-t", str(self._keeper.pid), "-n")
        return self._run((*network, *argv), check, None, timeout_s)

    def python(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the Python of this test run in the host; needs the binds of `interpreter_binds`."""
        return self.run(sys.executable, *arguments, **options)  # type: ignore[arg-type]

    def path(self, inside: str) -> Path:
        """A path of the host as this machine sees it; links within are not those of the host."""
        return Path(f"/proc/{self.leader}/root{inside}")

    def write(self, inside: str, content: bytes | str, mode: int = 0o644) -> None:
        """Put a file there, with the folders above it."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)

    def read(self, inside: str) -> bytes:
        """Content of a file of the host."""
        return self.path(inside).read_bytes()

    def copy_in(self, source: Path, inside: str) -> None:
        """Copy a file or a whole folder of this machine there, with its modes."""
        target = self.path(inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)

    # --- how it is done ----------------------------------------------------------------------

    def _run(
        self, argv: Sequence[str], check: bool, text_in: str | None, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv,
            check=False,
            capture_output=True,
            text=True,
            input=text_in if text_in is not None else "",
            timeout=timeout_s,
        )
        assert not check or done.returncode == 0, done
        return done

    def _keep_network(self, batch: str) -> None:
        # It ends by itself, should this test run be killed.
        script = "ip -batch - && echo up && exec sleep 3600 </dev/null >/dev/null"
        keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert keeper.stdin is not None and keeper.stdout is not None
        self._keeper = keeper
        keeper.stdin.write(batch.encode())
        keeper.stdin.close()
        said = keeper.stdout.readline()
        keeper.stdout.close()
        assert said == b"up\n", f"the addresses cannot be set: {batch}"

    def _cgroups(self) -> list[Path]:
        """The container's own cgroups: two that shared one would manage each other's units."""
        found = [Path(h) for h in HIERARCHIES if Path(h).is_dir()] or [Path("/sys/fs/cgroup")]
        return [hierarchy / self.name for hierarchy in found]

    def _boot(self) -> None:
        assert self._keeper is not None, "start comes first"
        try:
            for group in self._cgroups():
                group.mkdir(exist_ok=True)
        except OSError as error:
            beds.bed_required("nspawn", f"no cgroup of our own: {error}")
        argv = ["systemd-nspawn", "--quiet", "-D", str(self.folder / "root"), "-M", self.name]
        argv += ["--register=no", "--keep-unit", "--boot", "--console=pipe"]
        argv += ["--kill-signal=SIGRTMIN+3"]
        argv += [f"--network-namespace-path=/proc/{self._keeper.pid}/ns/net"]
        argv += [f"--bind-ro={bind}" for bind in self.binds]
        argv += self.options
        environment = {
            **self.environment,
            "PATH": os.environ["PATH"],
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            "CGROUPS": " ".join(str(group) for group in self._cgroups()),
        }
        with (self.folder / "console.log").open("ab") as log:
            self._nspawn = subprocess.Popen(
                ["sh", "-c", _BOOT, "boot", str(self.folder), str(self.tree), *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self._wait_up()

    def _wait_up(self) -> None:
        end = time.monotonic() + BOOT_S
        while time.monotonic() < end and self._nspawn is not None and self._nspawn.poll() is None:
            self.leader = child_of(self._nspawn.pid)
            if self.leader and self.is_up():
                return
            time.sleep(0.05)
        self._kill()
        log = (self.folder / "console.log").read_text(encoding="utf-8", errors="replace")
        beds.bed_required("nspawn", f"the container does not boot: {log.strip()[-600:]}")

    def _halt(self) -> None:
        assert self._nspawn is not None
        command = self.halt_command()
        if command:
            self.run(*command, check=False)
        else:
            self._nspawn.terminate()
        try:
            self._nspawn.wait(60)
        except subprocess.TimeoutExpired:
            self._kill()
            raise
        self._remove_cgroups()

    def _kill(self) -> None:
        # nspawn's own death would leave the container running; its first process takes all with it.
        if self.leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
        if self._nspawn is not None:
            try:
                self._nspawn.wait(15)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait(15)
        self._remove_cgroups()

    def _remove_cgroups(self) -> None:
        self.leader = 0
        for group in self._cgroups():
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):  # the kernel may still be emptying it
                    os.rmdir(folder)


def child_of(pid: int) -> int:
    """The first child of a process, 0 while it has none."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                stat = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
                if stat.rpartition(")")[2].split()[1] == str(pid):
                    return int(entry)
    return 0
