"""Real processes and sockets: what is reported is what the kernel has."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from pbxfleet.host.local import LocalHost
from pbxfleet.host.proc import Sockets
from pbxfleet.host.procdir import ProcDir
from pbxfleet.model.observed import RuntimeSeen
from support.beds import require_programs, require_root
from support.instances import IDLE, PYTHON, install, instance, script
from support.processes import (
    PATIENCE_S,
    SLEEP,
    install_sleep,
    pids,
    place,
    running,
    wait_for,
)

A, B = instance("a"), instance("b")


def test_an_executable_of_the_instances_own(host: LocalHost) -> None:
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
def test_an_executable_that_is_replaced_while_it_runs(host: LocalHost, how: str) -> None:
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


def test_a_script(host: LocalHost) -> None:
    install(host, A, script())
    with running((place(host, A), "--dir", "x")) as process:
        wait_for(lambda: pids(host, A), "the script")
        assert pids(host, A) == [(process.pid,)]
        assert not host.runtime((A,))["a"].trees[0].replaced
    home = os.path.dirname(place(host, A))
    with running(("./pbxctrl",), cwd=home) as process:
        wait_for(lambda: pids(host, A) == [(process.pid,)], "the script by a relative path")


def test_a_script_is_replaced(host: LocalHost) -> None:
    install(host, A, script())
    with running((place(host, A),)) as process:
        wait_for(lambda: pids(host, A), "the script")
        old = host.processes.proc.stat(process.pid)
        assert old is not None
        wait_for(lambda: age_s(old.started_ticks) > 0.3, "some time to pass")
        host.write(A.executable, script("# changed\n" + IDLE), 0o755, "")
        assert host.runtime((A,))["a"].trees[0].replaced


def test_the_sockets_are_those_of_the_kernel(host: LocalHost) -> None:
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


def test_another_network_namespace(host: LocalHost) -> None:
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


def test_a_container_with_the_same_paths_is_not_ours(host: LocalHost) -> None:
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
    tmp_path_factory: pytest.TempPathFactory, host: LocalHost
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
