"""Sockets of which the kernel says that an instance's own processes hold them.

A password goes nowhere else: another program may listen where an instance was declared to.
"""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.errors import HostError
from pbxfleet.host.proc import Processes, Sockets
from pbxfleet.host.procfs import SocketRow
from pbxfleet.model.asking import NO_ANSWER, OWN_NETWORK
from pbxfleet.model.target import ExpectedListener, InstanceTarget

# What is connected to where a socket takes every address.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked for, never bound


class Unproven(Exception):
    """Nobody can be asked there; the text says why."""


class Proven(NamedTuple):
    """A listening socket of the instance; `inode` tells it from any later one at the same place."""

    address: str
    port: int
    inode: int
    pid: int


class Prover:
    """Finds the sockets of one machine's instances; each proof reads /proc once."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def proven(self, instance: InstanceTarget, listener: ExpectedListener) -> Proven:
        """Where to connect to reach that listener and nobody else; Unproven if that is not sure."""
        table = self._processes.table((instance,))
        pids = [m.pid for tree in table.trees.get(instance.name, ()) for m in tree.members]
        if not pids:
            raise Unproven(table.unreadable.get(instance.name, "") or "it does not run")
        sockets = Sockets(self._processes.proc)
        found: Proven | None = None
        own: set[int] = set()
        for pid in pids:
            own.update(sockets.inodes(pid))
            for row in self._receiving(sockets, pid):
                if row[:3] == listener.bind and found is None:
                    found = Proven(LOOPBACK.get(row.address, row.address), row.port, row.inode, pid)
        if found is None:
            raise Unproven(f"its processes do not hold {listener.protocol} port {listener.port}")
        self._must_be_reachable(sockets, listener, found, own)
        return found

    def still_holds(self, instance: InstanceTarget, proven: Proven) -> bool:
        """Whether the very same socket is still held by the very same process of the instance."""
        if not self._processes.belongs(proven.pid, instance):
            return False
        sockets = Sockets(self._processes.proc)
        if proven.inode not in sockets.inodes(proven.pid):
            return False
        return any(row.inode == proven.inode for row in self._receiving(sockets, proven.pid))

    def _receiving(self, sockets: Sockets, pid: int) -> list[SocketRow]:
        try:
            return sockets.receiving(pid)
        except OSError:
            return []  # it ended between two looks, or is another user's

    def _must_be_reachable(
        self, sockets: Sockets, listener: ExpectedListener, found: Proven, own: set[int]
    ) -> None:
        """Only from the same network stack, and only if no other socket is nearer to the address."""
        proc = self._processes.proc
        try:
            if proc.link(f"{found.pid}/ns/net") != proc.link("self/ns/net"):
                raise Unproven(OWN_NETWORK)
            rows = sockets.rows("self")
        except OSError as error:
            raise Unproven(f"its sockets cannot be looked at: {error.strerror}") from error
        rivals = {found.address, listener.address}
        for row in rows:
            same_port = (row.protocol, row.port) == (listener.protocol, listener.port)
            if same_port and row.inode not in own and row.address in rivals:
                raise Unproven(f"another program holds {listener.protocol} port {row.port} too")


def reason(error: Exception) -> str:
    """Why something could not be asked, in a few words without any address."""
    if isinstance(error, Unproven):
        return str(error)
    if isinstance(error, HostError):
        return f"{error.subject}: {error.message}"
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) or type(error).__name__
