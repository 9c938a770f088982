"""Asks the kernel which sockets it grants together, in a network namespace of its own.

Run as a program it is the other side: one line with a question and a list of sockets in, one line with
the answer out. All sockets of a line are open at the same time, then closed.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from support.beds import bed_required, require_programs

IPV4 = ("203.0.113.10", "203.0.113.11")
IPV6 = ("2001:db8::10", "2001:db8::11")
BED = "network namespace"
ANSWER_WITHIN_S = 20


class Wanted(NamedTuple):
    """A socket to be bound. `v6only` only matters for IPv6 sockets."""

    protocol: str
    address: str
    port: int
    v6only: bool


class Kernel:
    """The kernel of this machine, seen through a namespace that has `IPV4` and `IPV6`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def refused(self, sockets: Sequence[Wanted]) -> list[int]:
        """Indexes of the sockets that the kernel does not grant beside the earlier ones."""
        return self._asked("refused", sockets)

    def received(self, sockets: Sequence[Wanted]) -> list[list[int | None]]:
        """With all UDP sockets open and sharing: who gets what is sent to each, by its addresses.

        None stands for a packet that nobody gets.
        """
        return self._asked("received", sockets)

    def _asked(self, question: str, sockets: Sequence[Wanted]) -> list[Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([question, sockets]).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_WITHIN_S)
        assert ready, "the namespace does not answer"
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, list), answer
        return answer


@contextmanager
def kernel() -> Iterator[Kernel]:
    """A namespace with loopback addresses; ends the test through `bed_required` if there is none."""
    require_programs(BED, "unshare", "ip")
    unshare = ["unshare", "--net"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    process = subprocess.Popen(
        [*unshare, sys.executable, "-m", "support.kernel"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=here,
    )
    try:
        asked = Kernel(process)
        try:
            asked.refused([])
        except (OSError, ValueError):
            process.kill()
            _, error = process.communicate(timeout=ANSWER_WITHIN_S)
            bed_required(BED, error.decode(errors="replace").strip() or "no answer")
        yield asked
    finally:
        process.kill()
        process.communicate(timeout=ANSWER_WITHIN_S)


def _addresses() -> None:
    commands = [["link", "set", "lo", "up"]]
    commands += [["addr", "add", f"{address}/32", "dev", "lo"] for address in IPV4]
    commands += [["-6", "addr", "add", f"{address}/128", "dev", "lo", "nodad"] for address in IPV6]
    for command in commands:
        subprocess.run(["ip", *command], check=True, timeout=ANSWER_WITHIN_S)


def _granted(stack: ExitStack, wanted: Wanted) -> bool:
    return _opened(stack, wanted, share=False) is not None


def _opened(stack: ExitStack, wanted: Wanted, *, share: bool) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in wanted.address else socket.AF_INET
    tcp = wanted.protocol == "tcp"
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    opened = stack.enter_context(socket.socket(family, kind))
    if tcp or share:
        # What every server sets; for listening sockets it changes nothing in the verdict.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(wanted.v6only))
    try:
        opened.bind((wanted.address, wanted.port))
        if tcp:
            opened.listen(1)
    except OSError:
        opened.close()
        return None
    return opened


def _received(stack: ExitStack, sockets: Sequence[Wanted]) -> list[list[int | None]]:
    """Send to every address that a socket covers, and look who has it."""
    opened = [_opened(stack, wanted, share=True) for wanted in sockets]
    return [[_taker(opened, to, one.port) for to in _covered(one.address)] for one in sockets]


def _covered(address: str) -> tuple[str, ...]:
    return {"0.0.0.0": IPV4, "::": IPV6}.get(address, (address,))


def _taker(opened: Sequence[socket.socket | None], address: str, port: int) -> int | None:
    """Which socket gets a packet; on loopback it is there as soon as it is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", (address, port))
    taker = None
    for number, one in enumerate(opened):
        if one is not None and select.select([one], [], [], 0)[0]:
            one.recv(10)
            taker = number
    return taker


def main() -> None:
    _addresses()
    for line in sys.stdin:
        with ExitStack() as stack:
            question, fields = json.loads(line)
            wanted = [Wanted(*one) for one in fields]
            answer: list[Any] = (
                [i for i, one in enumerate(wanted) if not _granted(stack, one)]
                if question == "refused"
                else _received(stack, wanted)
            )
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
