"""What runs in the name of an instance, from one pass over /proc.

A process belongs to an instance when it executes the instance's own `pbxctrl`, told by the path of
its executable, never by a base name: all of them are called pbxctrl. For a script the kernel only
shows the interpreter, so there the word after it counts (`owned`). Processes come and go while they
are looked at; one that has vanished was not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.host.owned import Executables
from pbxfleet.host.procdir import ProcDir
from pbxfleet.host.procfs import (
    NET_FILES,
    ProcStat,
    SocketRow,
    parse_allowed_cores,
    parse_sockets,
)
from pbxfleet.host.refusals import refused
from pbxfleet.host.rooted import Root
from pbxfleet.model.observed import ProcessSeen, RuntimeSeen, SocketSeen
from pbxfleet.model.target import InstanceTarget


class Tree(NamedTuple):
    """A process that belongs to an instance and has no ancestor that does, then its descendants."""

    members: tuple[ProcStat, ...]
    replaced: bool


class Table(NamedTuple):
    """One pass over /proc: every process by number, and the trees of each instance by its name.

    `unreadable` has, by instance, why a process that looks like its own could not be recognised.
    """

    processes: Mapping[int, ProcStat]
    trees: Mapping[str, tuple[Tree, ...]]
    unreadable: Mapping[str, str]


class Processes:
    """The processes of this machine as far as they belong to instances below a root folder."""

    def __init__(self, root: Root, proc: ProcDir | None = None) -> None:
        self.root = root
        self.proc = proc or ProcDir()

    def table(self, instances: Sequence[InstanceTarget]) -> Table:
        """All living processes and what belongs to whom; the cost is linear in both."""
        executables = Executables(self.root, instances, self.proc)
        processes: dict[int, ProcStat] = {}
        owners: dict[int, str] = {}
        replaced: set[int] = set()
        unreadable: dict[str, str] = {}
        for pid in self.proc.pids():
            stat = self.proc.stat(pid)
            if stat is None or stat.ended:
                continue
            processes[pid] = stat
            claim = executables.claim(stat)
            if claim is None:
                continue
            if not claim.readable:
                reason = f"process {pid} is another user's and cannot be looked into"
                unreadable.setdefault(claim.instance, reason)
                continue
            owners[pid] = claim.instance
            if claim.replaced:
                replaced.add(pid)
        return Table(processes, _trees(processes, owners, replaced), unreadable)

    def belongs(self, pid: int, instance: InstanceTarget) -> bool:
        """Whether one process executes the instance's own executable, without a pass over all."""
        stat = self.proc.stat(pid)
        if stat is None or stat.ended:
            return False
        claim = Executables(self.root, (instance,), self.proc).claim(stat)
        return claim is not None and claim.readable

    def runtime(self, instances: Sequence[InstanceTarget]) -> dict[str, RuntimeSeen]:
        """What runs in the name of each instance, by its name; every instance has an entry."""
        return self._runtime(instances, Sockets(self.proc))

    def running(
        self, instances: Sequence[InstanceTarget]
    ) -> tuple[dict[str, RuntimeSeen], tuple[SocketSeen, ...]]:
        """`runtime` and `foreign_sockets` from one pass over the processes.

        A socket that would matter to an instance is looked at once more, and by itself: its process may
        have begun or ended during the pass.
        """
        sockets = Sockets(self.proc)
        runtime = self._runtime(instances, sockets)
        left = sockets.not_held()
        if left is None or any(map(_matters(instances), left)):
            return runtime, self.foreign_sockets(instances)
        return runtime, _in_order(SocketSeen(*row[:3], None) for row in left)

    def _runtime(
        self, instances: Sequence[InstanceTarget], sockets: Sockets
    ) -> dict[str, RuntimeSeen]:
        table = self.table(instances)
        seen = {}
        for instance in instances:
            problems = [table.unreadable.get(instance.name, "")]
            trees = []
            for tree in table.trees.get(instance.name, ()):
                process, problem = self._process(tree, sockets)
                problems.append(problem)
                if process is not None:
                    trees.append(process)
            seen[instance.name] = RuntimeSeen(tuple(trees), "; ".join(filter(None, problems)))
        return seen

    def foreign_sockets(
        self, instances: Sequence[InstanceTarget], *, find_owners: bool = False
    ) -> tuple[SocketSeen, ...]:
        """Receiving sockets of our own network namespace that no instance's tree holds, in order.

        Who holds them is looked for, which reads every process, if one is on a port that an instance
        is to listen on, or on an address of an instance, or with `find_owners`.
        """
        sockets = Sockets(self.proc)
        # First the sockets, then who holds them: an instance that is just starting has its process
        # first. One that is just ending has its sockets no longer when they are read once more.
        before = self._rows(sockets)
        table = self.table(instances)
        own = {m.pid for trees in table.trees.values() for t in trees for m in t.members}
        held = {inode for pid in own for inode in sockets.inodes(pid)}
        left = [row for row in before if row.inode not in held]
        still = {row.inode for row in self._rows(sockets)} if left else set()
        rows = [row for row in left if row.inode in still]
        holders: dict[int, int] = {}
        matters = _matters(instances)
        if any(find_owners or matters(row) for row in rows):
            others = sorted(set(table.processes) - own, reverse=True)
            holders = {inode: pid for pid in others for inode in sockets.inodes(pid)}
        return _in_order(SocketSeen(*row[:3], holders.get(row.inode)) for row in rows)

    def _rows(self, sockets: Sockets) -> list[SocketRow]:
        try:
            return sockets.rows("self")
        except OSError as error:
            raise refused(f"{self.proc.folder}/self/net", error) from error

    def _process(self, tree: Tree, sockets: Sockets) -> tuple[ProcessSeen | None, str]:
        """A tree as it is reported, and what could not be read; None if it ended meanwhile."""
        main = tree.members[0]
        pids = tuple(member.pid for member in tree.members)
        problem = ""
        held: dict[int, SocketSeen] = {}
        for pid in pids:
            try:
                for row in sockets.receiving(pid):
                    # A socket that several hold is listed once, for the one nearest to the top.
                    held.setdefault(row.inode, SocketSeen(*row[:3], pid))
            except PermissionError:
                problem = f"the sockets of process {pid} cannot be read: it is another user's"
            except OSError:
                continue  # it ended between two looks
        try:
            cores = parse_allowed_cores(self.proc.page(f"{main.pid}/status"))
        except OSError:
            return None, ""
        listed = _in_order(held.values())
        return ProcessSeen(pids, main.started_ticks, cores, tree.replaced, listed), problem


class Sockets:
    """Sockets of processes; the table of a network namespace is read once for all its processes."""

    def __init__(self, proc: ProcDir) -> None:
        self._proc = proc
        self._tables: dict[str, dict[int, SocketRow]] = {}
        self._held: set[int] = set()

    def inodes(self, pid: int) -> tuple[int, ...]:
        """Inodes of the sockets a process has open; none for one that cannot be looked into."""
        try:
            return tuple(self._proc.socket_inodes(pid))
        except OSError:
            return ()

    def receiving(self, pid: int) -> list[SocketRow]:
        """The receiving sockets a process has open; OSError if that cannot be told."""
        inodes = tuple(self._proc.socket_inodes(pid))
        self._held.update(inodes)
        if not inodes:
            return []
        namespace = self._proc.link(f"{pid}/ns/net")
        table = self._tables.get(namespace)
        if table is None:
            table = {row.inode: row for row in self.rows(str(pid))}
            self._tables[namespace] = table
        return [table[inode] for inode in inodes if inode in table]

    def not_held(self) -> list[SocketRow] | None:
        """Sockets of our own namespace that no process has which was asked for; None if none lives here."""
        try:
            table = self._tables.get(self._proc.link("self/ns/net"))
        except OSError:
            return None
        if table is None:
            return None
        return [row for inode, row in table.items() if inode not in self._held]

    def rows(self, process: str) -> list[SocketRow]:
        """Every receiving socket in the network namespace of a process (a number, or `self`)."""
        rows = []
        for name, protocol, state in NET_FILES:
            try:
                content = self._proc.content(f"{process}/net/{name}")
            except FileNotFoundError:
                continue  # a kernel without IPv6
            rows += parse_sockets(content, protocol, state)
        return rows


def _matters(instances: Sequence[InstanceTarget]) -> Callable[[SocketRow], bool]:
    """Whether a socket is on a port that an instance is to listen on, or on an address of an instance."""
    ports = {listener.port for i in instances for listener in i.listeners}
    addresses = {address for i in instances for address in i.addresses}
    return lambda row: row.port in ports or row.address in addresses


def _trees(
    processes: Mapping[int, ProcStat], owners: Mapping[int, str], replaced: set[int]
) -> dict[str, tuple[Tree, ...]]:
    """Trees by instance, the one that started first before the others."""
    children: dict[int, list[int]] = {}
    for pid in sorted(processes if owners else ()):
        children.setdefault(processes[pid].parent, []).append(pid)
    trees: dict[str, list[Tree]] = {}
    for pid, instance in owners.items():
        if _has_ancestor(pid, instance, processes, owners):
            continue
        members = {pid: processes[pid]}
        waiting = [pid]
        while waiting:
            for child in children.get(waiting.pop(0), ()):
                if child not in members and owners.get(child, instance) == instance:
                    members[child] = processes[child]
                    waiting.append(child)
        old = not replaced.isdisjoint(members)
        trees.setdefault(instance, []).append(Tree(tuple(members.values()), old))
    return {
        name: tuple(sorted(found, key=lambda t: (t.members[0].started_ticks, t.members[0].pid)))
        for name, found in trees.items()
    }


def _has_ancestor(
    pid: int, instance: str, processes: Mapping[int, ProcStat], owners: Mapping[int, str]
) -> bool:
    passed = {pid}
    above = processes.get(processes[pid].parent)
    while above is not None and above.pid not in passed:
        if owners.get(above.pid) == instance:
            return True
        passed.add(above.pid)  # parents were read at different moments and may form a ring
        above = processes.get(above.parent)
    return False


def _in_order(sockets: Iterable[SocketSeen]) -> tuple[SocketSeen, ...]:
    unique = dict.fromkeys(sockets)
    return tuple(sorted(unique, key=lambda s: (s.protocol, s.address, s.port, s.pid or 0)))
