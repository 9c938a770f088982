"""Whose a process is: told by what it executes, never by its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pbxfleet.host.proc import Processes
from pbxfleet.host.procdir import ProcDir
from pbxfleet.host.rooted import Root
from pbxfleet.model.observed import RuntimeSeen, SocketSeen
from pbxfleet.model.target import InstanceTarget
from support.fake_proc import HEADER, FakeProc
from support.instances import instance

A, B = instance("a"), instance("b")


class Machine:
    """A root folder with two instances, and a /proc of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        for owner in (A, B):
            home = self.root / owner.directory.lstrip("/")
            home.mkdir(parents=True)
            (home / "pbxctrl").write_bytes(b"\x7fELF")
        self.proc = FakeProc(folder / "proc")
        self.processes = Processes(Root(str(self.root)), ProcDir(str(self.proc.folder)))

    def path(self, owner: InstanceTarget, name: str = "pbxctrl") -> str:
        return str(self.root / owner.directory.lstrip("/") / name)

    def runtime(self) -> dict[str, RuntimeSeen]:
        return self.processes.runtime((A, B))

    def pids(self) -> dict[str, list[tuple[int, ...]]]:
        return {name: [t.pids for t in seen.trees] for name, seen in self.runtime().items()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_runs(machine: Machine) -> None:
    nothing = RuntimeSeen((), "")
    assert machine.runtime() == {"a": nothing, "b": nothing}
    assert machine.processes.foreign_sockets((A, B)) == ()


def test_processes_go_by_the_path_of_their_executable(machine: Machine) -> None:
    machine.proc.add(10, machine.path(A))
    machine.proc.add(20, machine.path(B))
    machine.proc.add(30, "/usr/local/pbx-a/pbxctrl")  # the same path, but outside the root
    machine.proc.add(40, "/opt/other/pbxctrl", words=["pbxctrl", "--dir", machine.path(A)])
    machine.proc.add(50, "")  # a thread of the kernel
    machine.proc.add(60, machine.path(A, "helper"))
    assert machine.pids() == {"a": [(10,)], "b": [(20,)]}


def test_a_tree_is_the_topmost_process_with_all_descendants(machine: Machine) -> None:
    machine.proc.add(10, machine.path(A))  # the supervisor of --respawn
    machine.proc.add(11, machine.path(A), parent=10)
    machine.proc.add(12, "/bin/sh", parent=11, words=["sh", "-c", "true"])
    machine.proc.add(13, machine.path(A), parent=12)
    machine.proc.add(14, "/usr/bin/ffmpeg", parent=10)
    machine.proc.add(20, machine.path(A))
    machine.proc.add(30, machine.path(B), parent=11)  # another instance is never part of a tree
    machine.proc.add(31, "/bin/true", parent=30)
    assert machine.pids() == {"a": [(10, 11, 14, 12, 13), (20,)], "b": [(30, 31)]}


def test_zombies_do_not_run(machine: Machine) -> None:
    machine.proc.add(10, machine.path(A), state="Z")
    machine.proc.add(11, machine.path(A), state="X")
    machine.proc.add(12, machine.path(A), state="T")  # stopped is not ended
    assert machine.pids() == {"a": [(12,)], "b": []}
    assert [machine.processes.belongs(pid, A) for pid in (10, 11, 12, 99)] == [
        False, False, True, False,
    ]  # fmt: skip


def test_the_tree_that_started_first_comes_first(machine: Machine) -> None:
    machine.proc.add(10, machine.path(A), started=300)
    machine.proc.add(20, machine.path(A), started=200)
    assert machine.pids()["a"] == [(20,), (10,)]


def test_parents_that_form_a_ring_do_not_hang(machine: Machine) -> None:
    machine.proc.add(10, machine.path(A), parent=11)
    machine.proc.add(11, "/bin/sh", parent=12)
    machine.proc.add(12, "/bin/sh", parent=11)
    assert machine.pids()["a"] == [(10,)]


class TestReplaced:
    """Whether the file that is executed is still the file on disk."""

    def replaced(self, machine: Machine) -> list[bool]:
        return [tree.replaced for tree in machine.runtime()["a"].trees]

    def test_the_same_file(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A))
        assert self.replaced(machine) == [False]

    def test_a_file_without_a_name(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A) + " (deleted)")
        assert self.replaced(machine) == [True]

    def test_a_file_that_was_renamed_before_the_new_one_came(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A, "pbxctrl.old"), words=[machine.path(A), "--dir", "."])
        machine.proc.add(
            11,
            machine.path(A, "pbxctrl.old"),
            words=["./pbxctrl"],
            cwd=str(machine.root / "usr/local/pbx-a"),
        )
        machine.proc.add(12, machine.path(A, "pbxctrl.old"), words=["pbxctrl.old"])
        assert machine.pids()["a"] == [(10,), (11,)]
        assert self.replaced(machine) == [True, True]

    def test_a_file_that_is_gone(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A))
        os.unlink(machine.path(A))
        assert self.replaced(machine) == [True]


class TestScripts:
    """A script is executed by an interpreter, which is all that the kernel shows."""

    @pytest.mark.parametrize(
        ("interpreter", "before"),
        [
            ("/usr/bin/python3.11", ["/usr/bin/python3"]),
            ("/opt/venv/bin/python3.13", ["python3", "-u", "-I"]),
            ("/usr/bin/dash", ["/bin/sh", "-e"]),
            ("/usr/bin/bash", ["/bin/bash"]),
            ("/bin/busybox", ["/bin/sh"]),
            ("/usr/bin/perl5.36.0", ["/usr/bin/perl", "-w"]),
            ("/usr/bin/python3.11 (deleted)", ["python3"]),  # an upgrade of the interpreter
        ],
    )
    def test_run_by_an_interpreter(
        self, machine: Machine, interpreter: str, before: list[str]
    ) -> None:
        machine.proc.add(10, interpreter, words=[*before, machine.path(A), "--no-daemon"])
        assert machine.pids() == {"a": [(10,)], "b": []}

    @pytest.mark.parametrize(
        ("program", "before"),
        [
            ("/usr/bin/vi", ["vi"]),
            ("/usr/bin/sha256sum", ["sha256sum"]),
            ("/usr/bin/less", ["less", "-S"]),
            ("/bin/busybox", ["cp"]),
            ("/usr/bin/shred", ["shred"]),
            ("/usr/bin/python3.11", ["python3", "tool.py"]),
            ("/usr/bin/python3.11", ["python3", "-m", "py_compile"]),
            ("/usr/bin/bash", ["bash", "-c", "true"]),
            ("/usr/sbin/sshd", ["sshd:"]),
        ],
    )
    def test_merely_mentioned(self, machine: Machine, program: str, before: list[str]) -> None:
        machine.proc.add(10, program, words=[*before, machine.path(A)])
        assert machine.pids() == {"a": [], "b": []}

    def test_an_interpreter_nobody_knows_is_named_by_the_script(self, machine: Machine) -> None:
        interpreter = machine.root / "opt" / "weird"
        interpreter.parent.mkdir()
        interpreter.write_bytes(b"")
        Path(machine.path(A)).write_bytes(f"#!{interpreter} -x\n".encode())
        machine.proc.add(10, str(interpreter), words=["weird", "-x", machine.path(A)])
        machine.proc.add(11, str(interpreter), words=["weird", "-x", machine.path(B)])
        assert machine.pids() == {"a": [(10,)], "b": []}

    def test_relative_and_linked_paths_are_resolved_where_the_process_is(
        self, machine: Machine
    ) -> None:
        (machine.root / "linked").symlink_to(machine.root / "usr" / "local" / "pbx-a")
        home = str(machine.root / "usr/local/pbx-a")
        machine.proc.add(10, "/bin/dash", words=["sh", "./pbxctrl"], cwd=home)
        machine.proc.add(11, "/bin/dash", words=["sh", "pbxctrl"], cwd=str(machine.root / "linked"))
        machine.proc.add(12, "/bin/dash", words=["sh", f"{machine.root}/linked/pbxctrl"])
        machine.proc.add(13, "/bin/dash", words=["sh", "pbxctrl"], cwd="/")
        machine.proc.add(14, "/bin/dash", words=["sh", "../pbx-a/../pbx-b/pbxctrl"], cwd=home)
        assert machine.pids() == {"a": [(10,), (11,), (12,)], "b": [(14,)]}

    def test_a_script_that_was_rewritten_meanwhile(self, machine: Machine) -> None:
        clock = os.sysconf("SC_CLK_TCK")
        with open("/proc/uptime", encoding="ascii") as file:
            now = int(float(file.read().split()[0]) * clock)
        for pid, owner in ((10, A), (20, B)):
            machine.proc.add(pid, "/bin/dash", words=["sh", machine.path(owner)], started=now)
        written = os.stat(machine.path(A)).st_mtime
        os.utime(machine.path(A), (written + 3600, written + 3600))
        os.utime(machine.path(B), (written - 3600, written - 3600))
        runtime = machine.runtime()
        assert runtime["a"].trees[0].replaced
        assert not runtime["b"].trees[0].replaced


class TestSockets:
    """Sockets by descriptor and inode, within the network namespace of the process."""

    def test_each_tree_has_its_own(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A), inodes=[100, 101, 999])
        machine.proc.add(11, machine.path(A), parent=10, inodes=[101, 102])
        machine.proc.add(20, machine.path(B), inodes=[200])
        machine.proc.listen("udp", "127.0.0.1", 5060, 102)
        machine.proc.listen("tcp", "127.0.0.1", 80, 101)
        machine.proc.listen("tcp", "127.0.0.1", 443, 100)
        machine.proc.listen("tcp", "127.0.0.2", 80, 200)
        machine.proc.listen("tcp", "0.0.0.0", 22, 300)
        runtime = machine.runtime()
        assert runtime["a"].trees[0].sockets == (
            SocketSeen("tcp", "127.0.0.1", 80, 10),
            SocketSeen("tcp", "127.0.0.1", 443, 10),
            SocketSeen("udp", "127.0.0.1", 5060, 11),
        )
        assert runtime["b"].trees[0].sockets == (SocketSeen("tcp", "127.0.0.2", 80, 20),)
        ssh = SocketSeen("tcp", "0.0.0.0", 22, None)
        assert machine.processes.foreign_sockets((A, B)) == (ssh,)
        machine.proc.add(90, "/usr/sbin/sshd", inodes=[300])
        assert machine.processes.foreign_sockets((A, B), find_owners=True) == (
            ssh._replace(pid=90),
        )
        assert machine.processes.foreign_sockets((A,), find_owners=True) == (
            ssh._replace(pid=90),
            SocketSeen("tcp", "127.0.0.2", 80, 20),
        )

    def test_cores(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A), cores="3")
        assert machine.runtime()["a"].trees[0].cpus == (3,)

    def test_two_sockets_on_one_address_are_one_listener(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A), inodes=[1, 2])
        for inode in (1, 2):
            machine.proc.listen("udp", "127.0.0.1", 5060, inode)
        assert len(machine.runtime()["a"].trees[0].sockets) == 1

    def test_a_process_that_ends_while_it_is_looked_at(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A), inodes=[1])
        table = machine.processes.table((A,))
        for name in ("status", "stat"):
            (machine.proc.folder / "10" / name).unlink()
        assert machine.pids()["a"] == []
        assert table.trees["a"][0].members[0].pid == 10


def test_a_shared_executable_belongs_to_whom_the_command_line_says(machine: Machine) -> None:
    shared = machine.root / "opt" / "pbxctrl-70"
    shared.parent.mkdir()
    shared.write_bytes(b"\x7fELF")
    for owner in (A, B):
        os.unlink(machine.path(owner))
        os.symlink(shared, machine.path(owner))
    machine.proc.add(10, str(shared), words=[machine.path(A), "--dir", "/x"])
    machine.proc.add(20, str(shared), words=["/elsewhere/pbxctrl"])
    assert machine.pids() == {"a": [(10,)], "b": []}


def test_a_thousand_instances_take_one_look_at_each_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc = FakeProc(tmp_path / "proc")
    many = [instance(f"i{number}") for number in range(200)]
    for number, one in enumerate(many):
        proc.add(1000 + number, f"{tmp_path}{one.executable}", inodes=[5000 + number])
        proc.listen("tcp", f"127.0.{number // 250}.{number % 250}", 80, 5000 + number)
    looks: dict[str, int] = {}
    content = ProcDir.content

    def counted(self: ProcDir, name: str) -> bytes:
        looks[name] = looks.get(name, 0) + 1
        return content(self, name)

    monkeypatch.setattr(ProcDir, "content", counted)
    runtime = Processes(Root(str(tmp_path)), ProcDir(str(proc.folder))).runtime(many)
    assert all(len(seen.trees[0].sockets) == 1 for seen in runtime.values())
    assert set(looks.values()) == {1}
    assert sum(name.endswith("/net/tcp") for name in looks) == 1


class Moving(ProcDir):
    """Something happens while the sockets of a process are looked at."""

    def __init__(self, folder: str, happens: Callable[[], None]) -> None:
        super().__init__(folder)
        self._happens = happens

    def socket_inodes(self, pid: int) -> Iterator[int]:
        found = list(super().socket_inodes(pid))
        self._happens()
        return iter(found)


class TestASocketIsNobodyElsesOnlyBecause:
    """A plan that takes an instance's own socket for a stranger's is refused for nothing."""

    def test_its_instance_is_just_starting(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A))
        moving = Moving(
            str(machine.proc.folder), lambda: machine.proc.listen("tcp", "127.0.0.1", 80, 7)
        )
        assert Processes(machine.processes.root, moving).foreign_sockets((A,)) == ()

    def test_its_instance_is_just_ending(self, machine: Machine) -> None:
        machine.proc.add(10, machine.path(A))
        machine.proc.listen("tcp", "127.0.0.1", 80, 7)  # its process has closed it already
        table = machine.proc.folder / "self/net/tcp"

        def closed() -> None:
            table.write_text(HEADER)

        moving = Moving(str(machine.proc.folder), closed)
        assert Processes(machine.processes.root, moving).foreign_sockets((A,)) == ()
