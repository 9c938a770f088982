"""Real processes and sockets: what is reported is what the kernel has."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.local import LocalHost
from pbxfleet.host.proc import Sockets
from pbxfleet.host.procdir import ProcDir
from pbxfleet.host.stopping import end_trees
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.target import InstanceTarget
from support.beds import require_programs, require_root
from support.instances import IDLE, PYTHON, install, instance, script
from support.processes import PATIENCE_S, running, wait_for

A, B = instance("a"), instance("b")
SLEEP = shutil.which("sleep") or "/bin/sleep"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[LocalHost]:
    """A host whose instances are all ended afterwards, however stubborn they are."""
    host = LocalHost(str(tmp_path), "direct")
    yield host
    for trees in host.processes.table((A, B)).trees.values():
        for tree in trees:
            for member in tree.members:
                with suppress(ProcessLookupError):
                    os.kill(member.pid, signal.SIGKILL)
    with suppress(HostError):
        host.stop(A, 5)
        host.stop(B, 5)


def place(host: LocalHost, owner: InstanceTarget) -> str:
    return host.root.machine_path(owner.executable)


def pids(host: LocalHost, owner: InstanceTarget) -> list[tuple[int, ...]]:
    return [tree.pids for tree in host.runtime((owner,))[owner.name].trees]


def install_sleep(host: LocalHost, owner: InstanceTarget) -> None:
    """A real executable of the instance's own: the machine's `sleep`."""
    install(host, owner, Path(SLEEP).read_bytes())


class TestRecognised:
    """Processes that were started by hand."""

    def test_an_executable_of_the_instances_own(self, host: LocalHost) -> None:
        for owner in (A, B):
            install_sleep(host, owner)
        with running((place(host, A), "600")) as process, running((SLEEP, "600")):
            seen = host.runtime((A, B))
        assert [tree.pids for tree in seen["a"].trees] == [(process.pid,)]
        assert seen["b"] == RuntimeSeen((), "")
        assert seen["a"].trees[0].cpus == tuple(sorted(os.sched_getaffinity(0)))
        assert not seen["a"].trees[0].replaced
        wait_for(lambda: not pids(host, A), "the end of the process")

    @pytest.mark.parametrize("how", ["write", "remove", "rename"])
    def test_an_executable_that_is_replaced_while_it_runs(self, host: LocalHost, how: str) -> None:
        install_sleep(host, A)
        with running((place(host, A), "600")) as process:
            if how == "write":
                host.write(A.executable, b"new", 0o755, "")
            elif how == "remove":
                host.remove(A.executable)
            else:
                os.rename(place(host, A), place(host, A) + ".old")
            (tree,) = host.runtime((A,))["a"].trees
        assert tree.pids == (process.pid,)
        assert tree.replaced

    def test_a_script(self, host: LocalHost) -> None:
        install(host, A, script())
        with running((place(host, A), "--dir", "x")) as process:
            wait_for(lambda: pids(host, A), "the script")
            assert pids(host, A) == [(process.pid,)]
            assert not host.runtime((A,))["a"].trees[0].replaced
        home = os.path.dirname(place(host, A))
        with running(("./pbxctrl",), cwd=home) as process:
            wait_for(lambda: pids(host, A) == [(process.pid,)], "the script by a relative path")

    def test_a_script_is_replaced(self, host: LocalHost) -> None:
        install(host, A, script())
        with running((place(host, A),)) as process:
            wait_for(lambda: pids(host, A), "the script")
            old = host.processes.proc.stat(process.pid)
            assert old is not None
            wait_for(lambda: age_s(old.started_ticks) > 0.3, "some time to pass")
            host.write(A.executable, script("# changed\n" + IDLE), 0o755, "")
            assert host.runtime((A,))["a"].trees[0].replaced

    def test_the_sockets_are_those_of_the_kernel(self, host: LocalHost) -> None:
        body = """
import socket, time

def datagrams(address, family=socket.AF_INET):
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.bind((address, 0))
    return bound

held = [
    socket.create_server(("127.0.0.33", 0)),
    socket.create_server(("::1", 0), family=socket.AF_INET6),
    datagrams("127.0.0.34"),
    datagrams("::", socket.AF_INET6),
]
peer = datagrams("127.0.0.33")
peer.connect(("127.0.0.34", 9))
client = socket.create_connection(held[0].getsockname())
print(*(one.getsockname()[1] for one in held), flush=True)
time.sleep(600)
"""
        install(host, A, script(body))
        said = Path(host.root.prefix) / "said"
        with said.open("wb") as output:
            process = subprocess.Popen((place(host, A),), stdout=output, start_new_session=True)
        try:
            wait_for(lambda: said.read_bytes().endswith(b"\n"), "the sockets")
            tcp, tcp6, udp, udp6 = map(int, said.read_text().split())
            (tree,) = host.runtime((A,))["a"].trees
            assert [tuple(s) for s in tree.sockets] == sorted(
                [
                    ("tcp", "127.0.0.33", tcp, process.pid),
                    ("tcp", "::1", tcp6, process.pid),
                    ("udp", "127.0.0.34", udp, process.pid),
                    ("udp", "::", udp6, process.pid),
                ]
            )
            own = set(tree.sockets)
            assert not own & set(host.foreign_sockets((A,), find_owners=True))
            assert own <= set(host.foreign_sockets((), find_owners=True))
        finally:
            process.kill()
            process.wait(PATIENCE_S)

    def test_another_network_namespace(self, host: LocalHost) -> None:
        require_root("a network namespace")
        require_programs("a network namespace", "unshare")
        body = "import socket, time\nheld = socket.create_server(('0.0.0.0', 7))\ntime.sleep(600)"
        install(host, A, script(body))
        argv = ("unshare", "--net", place(host, A))
        with running(argv):
            wait_for(lambda: any(t.sockets for t in host.runtime((A,))["a"].trees), "the socket")
            (tree,) = host.runtime((A,))["a"].trees
            assert [s[:3] for s in tree.sockets] == [("tcp", "0.0.0.0", 7)]
            assert ("tcp", "0.0.0.0", 7) not in [s[:3] for s in host.foreign_sockets(())]

    def test_a_container_with_the_same_paths_is_not_ours(self, host: LocalHost) -> None:
        require_root("a mount namespace")
        require_programs("a mount namespace", "unshare")
        install_sleep(host, A)
        program, home = place(host, A), os.path.dirname(place(host, A))
        hide = f"mount -t tmpfs tmpfs {home} && cp {SLEEP} {program} && exec {program} 600"
        with (
            running(("unshare", "--mount", "sh", "-c", hide)) as container,
            running(("unshare", "--mount", program, "600")) as own,  # as a unit with PrivateTmp
        ):
            for process in (container, own):
                exe = f"/proc/{process.pid}/exe"
                wait_for(lambda exe=exe: os.readlink(exe) == program, "the program")
            assert pids(host, A) == [(own.pid,)]

    def test_another_users_process_is_said_to_be_unreadable(
        self, tmp_path_factory: pytest.TempPathFactory, host: LocalHost
    ) -> None:
        require_root("another user")
        install_sleep(host, A)
        with running((place(host, A), "600")):
            code = (
                "import grp, pwd, os, sys\n"
                "from pbxfleet.host.local import LocalHost\n"
                "import pbxfleet.host.launch, pbxfleet.host.services.direct\n"
                "from support.instances import instance\n"
                f"os.setgid(4711); os.setuid(4711)\n"
                f"host = LocalHost({host.root.prefix!r}, 'direct')\n"
                "seen = host.runtime((instance('a'),))['a']\n"
                "print(len(seen.trees), seen.unreadable)\n"
            )
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_source_roots())}
            argv = (PYTHON, "-B", "-c", code)
            done = subprocess.run(
                argv, env=environment, check=False, capture_output=True, text=True, timeout=60
            )
        assert done.stdout.startswith("0 process "), done.stderr
        assert "another user's" in done.stdout


def _source_roots() -> list[str]:
    tests = Path(__file__).resolve().parents[1]
    return [str(tests.parent / "compiler"), str(tests)]


def age_s(started_ticks: int) -> float:
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0]) - started_ticks / os.sysconf("SC_CLK_TCK")


class TestEnding:
    """SIGTERM for the instance's own processes, and for nothing else."""

    def test_only_the_instances_own(self, host: LocalHost) -> None:
        for owner in (A, B):
            install_sleep(host, owner)
        with (
            running((place(host, A), "600")) as own,
            running((place(host, B), "600")) as sibling,
            running((SLEEP, "600")) as stranger,
        ):
            assert end_trees(host.processes, A, 10)
            assert own.wait(PATIENCE_S) == -signal.SIGTERM
            assert sibling.poll() is None
            assert stranger.poll() is None
            assert not end_trees(host.processes, A, 10)

    def test_strangers_in_the_same_group_are_left_alone(self, host: LocalHost) -> None:
        install_sleep(host, A)
        shell = f"{SLEEP} 600 & {place(host, A)} 600 & wait"
        with running(("sh", "-c", shell)) as process:
            wait_for(lambda: pids(host, A), "the process")
            end_trees(host.processes, A, 10)
            assert pids(host, A) == []
            left = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            assert process.poll() is None
            assert [Path(f"/proc/{pid}/comm").read_text().strip() for pid in left] == ["sleep"]

    def test_a_supervisor_that_starts_its_child_again(self, host: LocalHost) -> None:
        body = """
import os, signal, sys, time
if "--child" in sys.argv:
    while True: time.sleep(60)
while True:
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[0], [sys.argv[0], "--child"])
    os.waitpid(child, 0)
"""
        install(host, A, script(body))
        with running((place(host, A),)):
            wait_for(lambda: [len(tree) for tree in pids(host, A)] == [2], "both processes")
            end_trees(host.processes, A, 20)
            assert pids(host, A) == []

    def test_children_in_sessions_of_their_own(self, host: LocalHost) -> None:
        install(
            host,
            A,
            script(
                "import os, subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\n"
                + IDLE
            ),
        )
        with running((place(host, A),)):
            wait_for(lambda: [len(tree) for tree in pids(host, A)] == [2], "both processes")
            ((_, child),) = pids(host, A)
            end_trees(host.processes, A, 20)
            wait_for(lambda: (s := ProcDir().stat(child)) is None or s.ended, "the child's end")

    def test_a_stopped_process_is_woken_to_end(self, host: LocalHost) -> None:
        install_sleep(host, A)
        with running((place(host, A), "600")) as process:
            os.kill(process.pid, signal.SIGSTOP)
            end_trees(host.processes, A, 20)
            assert process.wait(PATIENCE_S) == -signal.SIGTERM

    def test_what_does_not_end_is_named_and_not_killed(self, host: LocalHost) -> None:
        body = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""
        install(host, A, script(body))
        ready = Path(host.root.prefix) / "ready"
        with running((place(host, A), str(ready))) as process:
            wait_for(ready.exists, "the script")
            with pytest.raises(HostError) as refusal:
                end_trees(host.processes, A, 0.3)
            assert refusal.value.code == "HST107"
            assert str(refusal.value) == f"process {process.pid}: a did not stop within 0.3 s"
            assert process.poll() is None
            host.write(HostPath("/pbx.xml"), b"", 0o600, "")  # nothing hangs on to anything

    def test_a_zombie_counts_as_gone(self, host: LocalHost) -> None:
        install_sleep(host, A)
        with running((place(host, A), "600")) as process:  # nobody waits for it before the end
            end_trees(host.processes, A, 10)
            state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
            assert state == "Z"
            assert pids(host, A) == []


class TestDirect:
    """Instances that pbxfleet starts itself."""

    def test_start_and_stop(self, host: LocalHost) -> None:
        body = """
import os, time
own_session = os.getsid(0) == os.getpid()
names = set(os.environ) - {"LC_CTYPE"}  # which Python sets for itself
print(sys.argv[1:], os.getcwd(), sorted(names), own_session, oct(os.umask(0)))
print(sorted(os.listdir("/proc/self/fd")), flush=True)
time.sleep(600)
"""
        install(host, A, script(body))
        host.start(A)
        assert host.service(A).running
        (tree,) = host.runtime((A,))["a"].trees
        pid_file = Path(host.root.prefix + A.pid_file)
        assert pid_file.read_text() == f"{tree.pids[0]}\n"
        assert host.service(A).pid == tree.pids[0]
        log = Path(host.root.prefix + "/var/log/pbx-a.log")
        wait_for(lambda: log.read_bytes().count(b"\n") == 2, "the log")
        home = host.root.prefix + A.directory
        assert log.read_text() == (
            f"{['--no-daemon', '--dir', home]} {home} ['LANG', 'PATH'] True 0o22\n"
            "['0', '1', '2', '3']\n"
        )
        host.start(A)  # running already: nothing happens
        assert len(pids(host, A)) == 1
        host.stop(A, 10)
        assert pids(host, A) == []
        assert not pid_file.exists()
        assert host.service(A) == (True, True, False, None)
        host.stop(A, 10)

    def test_one_core(self, host: LocalHost) -> None:
        core = min(os.sched_getaffinity(0))
        pinned = instance("a", cpu=core)
        install(host, pinned, script())
        host.start(pinned)
        assert host.runtime((pinned,))["a"].trees[0].cpus == (core,)
        assert core in os.sched_getaffinity(0)
        host.stop(pinned, 10)
        unpinned = LocalHost(host.root.prefix, "direct", pin=False)
        unpinned.start(pinned)
        assert set(unpinned.runtime((pinned,))["a"].trees[0].cpus) == os.sched_getaffinity(0)
        unpinned.stop(pinned, 10)

    def test_a_core_that_is_not_there(self, host: LocalHost) -> None:
        mine = os.sched_getaffinity(0)
        install(host, A, script())
        with pytest.raises(HostError) as refusal:
            host.start(A._replace(cpu=1000))
        assert refusal.value.code == "HST108"
        assert os.sched_getaffinity(0) == mine
        assert pids(host, A) == []

    def test_an_unseeded_directory_is_never_started(self, host: LocalHost) -> None:
        install(host, A, script())
        host.remove(join(A.directory, "pbx.xml"))
        with pytest.raises(HostError) as refusal:
            host.start(A)
        assert refusal.value.code == "HST106"
        assert pids(host, A) == []
        assert not os.path.exists(host.root.prefix + "/var/log")

    @pytest.mark.parametrize(
        ("program", "message"),
        [
            (script("print('line 1')\nsys.exit('cannot bind 127.0.0.1:80')"), "cannot bind"),
            (b"\x7fELF broken", "exec format error"),
            (b"#!/nowhere/python\n", "no such file or directory"),
            (script("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"), "and said nothing"),
        ],
    )
    def test_a_start_that_fails_at_once(
        self, host: LocalHost, program: bytes, message: str
    ) -> None:
        install(host, A, program)
        with pytest.raises(HostError, match=message) as refusal:
            host.start(A)
        assert refusal.value.code == "HST108"
        assert not Path(host.root.prefix + A.pid_file).exists()
        assert not host.service(A).running

    def test_a_second_process_is_never_started(self, host: LocalHost) -> None:
        install(host, A, script())
        with running((place(host, A),)) as process:
            wait_for(lambda: pids(host, A), "the process started by hand")
            assert not host.service(A).running
            with pytest.raises(HostError, match=str(process.pid)) as refusal:
                host.start(A)
            assert refusal.value.code == "HST106"
            host.stop(A, 10)  # what was started by hand stops as well
            assert process.wait(PATIENCE_S) == -signal.SIGTERM
        host.start(A)
        assert len(pids(host, A)) == 1

    def test_a_pid_file_of_somebody_else_proves_nothing(self, host: LocalHost) -> None:
        install(host, A, script())
        host.make_directory(HostPath("/run"), 0o755, "")
        for number in (os.getpid(), 1, 999_999_999):
            host.write(A.pid_file, f"{number}\n".encode(), 0o644, "")
            assert not host.service(A).running
        host.stop(A, 5)
        host.remove(A.pid_file)
        os.symlink("/proc/self/stat", host.root.prefix + A.pid_file)
        assert not host.service(A).running

    def test_a_process_nobody_could_know_of_is_ended(self, host: LocalHost) -> None:
        install(host, A, script())
        Path(host.root.prefix + A.pid_file).mkdir(parents=True)
        with pytest.raises(HostError):
            host.start(A)
        assert pids(host, A) == []

    def test_a_log_behind_a_link_is_not_written(self, host: LocalHost) -> None:
        install(host, A, script())
        target = Path(host.root.prefix) / "target"
        target.write_bytes(b"theirs")
        logs = Path(host.root.prefix) / "var" / "log"
        logs.mkdir(parents=True)
        (logs / "pbx-a.log").symlink_to(target)
        with pytest.raises(HostError):
            host.start(A)
        assert target.read_bytes() == b"theirs"
        assert pids(host, A) == []


def test_processes_that_are_not_there(host: LocalHost) -> None:
    sockets = Sockets(ProcDir())
    assert sockets.inodes(999_999_999) == ()
    with pytest.raises(OSError, match="999999999"):
        sockets.receiving(999_999_999)
    assert not host.processes.belongs(999_999_999, A)


def test_client_sockets_do_not_receive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            rows = {(row.port, row.protocol) for row in Sockets(ProcDir()).receiving(os.getpid())}
            assert (port, "tcp") in rows
            assert (client.getsockname()[1], "tcp") not in rows
