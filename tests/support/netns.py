"""Two machines made of network namespaces, joined by a cable; nothing of this machine is touched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support import beds

ANSWERING = Path(__file__).with_name("answering.py")
PROBING = Path(__file__).with_name("probing.py")


class Namespace:
    """A network namespace, kept by a process that ends by itself should this test run be killed."""

    def __init__(self) -> None:
        beds.require_root("netns")
        beds.require_programs("netns", "unshare", "nsenter", "ip", "nft")
        script = "echo up && exec sleep 600 </dev/null >/dev/null"
        self._keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE
        )
        assert self._keeper.stdout is not None
        said = self._keeper.stdout.readline()
        self._keeper.stdout.close()
        if said != b"up\n":
            beds.bed_required("netns", "no network namespace of our own")
        self.pid = self._keeper.pid

    def inside(self, *argv: str) -> tuple[str, ...]:
        """The command line that runs a command in the namespace."""
        return ("nsenter", "-t", str(self.pid), "-n", *argv)

    def run(self, *argv: str, text_in: str = "", check: bool = True) -> str:
        """Run a command in it; its output."""
        done = subprocess.run(
            self.inside(*argv),
            check=False,
            capture_output=True,
            text=True,
            input=text_in,
            timeout=30,
        )
        assert not check or done.returncode == 0, done
        return done.stdout

    def configure(self, lines: Iterable[str]) -> None:
        """Run lines of `ip`."""
        self.run("ip", "-batch", "-", text_in="\n".join((*lines, "")))

    def stop(self) -> None:
        """End it; what still runs in it keeps it until it ends too."""
        self._keeper.kill()
        self._keeper.wait(30)


class Pair(Namespace):
    """The host; `peer` is the machine at the other end of the cable, which routes everything to it."""

    def __init__(self, own: Iterable[str], others: Iterable[str]) -> None:
        super().__init__()
        self.peer = Namespace()
        self.configure(
            ("link set lo up", f"link add v0 type veth peer name v1 netns {self.peer.pid}")
        )
        self._join(self, "v0", own)
        self._join(self.peer, "v1", others)

    def _join(self, machine: Namespace, device: str, addresses: Iterable[str]) -> None:
        lines = ["link set lo up"]
        for address in addresses:
            # Without duplicate detection an IPv6 address can be used at once.
            lines.append(f"addr add {address} dev {device}" + (" nodad" if ":" in address else ""))
        lines += [f"link set {device} up", f"route add 0.0.0.0/0 dev {device}"]
        lines.append(f"route add ::/0 dev {device}")
        machine.configure(lines)

    @contextmanager
    def answering(self, sockets: Iterable[tuple[str, str, int]]) -> Iterator[None]:
        """Programs that answer on these sockets of the host: protocol, address, port."""
        with answering(self, sockets):
            yield

    def probe(self, probes: Iterable[tuple[str, str, str, int]]) -> list[bool]:
        """Which probes of the peer are answered: protocol, own address, address and port there."""
        return probe(self.peer, probes)

    def stop(self) -> None:
        """End both."""
        self.peer.stop()
        super().stop()


@contextmanager
def answering(machine: Namespace, sockets: Iterable[tuple[str, str, int]]) -> Iterator[None]:
    """A program in `machine` that answers on these sockets."""
    program = subprocess.Popen(
        machine.inside(sys.executable, str(ANSWERING), json.dumps(list(sockets))),
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    try:
        said = program.stdout.readline()
        assert said == b"up\n", "a socket cannot be bound"
        yield
    finally:
        program.stdout.close()
        program.kill()
        program.wait(30)


def probe(machine: Namespace, probes: Iterable[tuple[str, str, str, int]]) -> list[bool]:
    """Which probes of `machine` are answered: protocol, own address, address and port there."""
    said = machine.run(sys.executable, str(PROBING), json.dumps(list(probes)))
    found = json.loads(said)
    assert isinstance(found, list)
    return found
