"""Text of /proc as data. Pure: bytes in, values out. Formats: proc(5), proc_net(5)."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

LISTENING = b"0A"  # TCP_LISTEN, include/net/tcp_states.h
UNCONNECTED = b"07"  # TCP_CLOSE, which is what the kernel shows for a UDP socket without a peer
MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, RFC 4291, 2.5.5.2

# File below /proc/PID/net, protocol, the state in which a socket receives from anybody.
NET_FILES = (
    ("tcp", "tcp", LISTENING),
    ("tcp6", "tcp", LISTENING),
    ("udp", "udp", UNCONNECTED),
    ("udp6", "udp", UNCONNECTED),
)


class ProcStat(NamedTuple):
    """What is used of /proc/PID/stat; `started_ticks` are clock ticks since boot."""

    pid: int
    state: str
    parent: int
    group: int
    started_ticks: int

    @property
    def ended(self) -> bool:
        """Whether nothing of the process is left but its exit code (a zombie, or a dead entry)."""
        return self.state in "ZXx"


class SocketRow(NamedTuple):
    """A receiving socket of one network namespace; `inode` is what descriptors are called by."""

    protocol: str
    address: str
    port: int
    inode: int


def parse_stat(content: bytes) -> ProcStat:
    """The fields of /proc/PID/stat; the name in parentheses may itself hold spaces and parentheses.

    ValueError if it is cut off.
    """
    head, bracket, tail = content.rpartition(b")")
    fields = tail.split()
    if not bracket or len(fields) < 20:
        raise ValueError("not a /proc/PID/stat")
    pid = int(head.split(b" ", 1)[0])
    state = fields[0].decode("ascii")
    return ProcStat(pid, state, int(fields[1]), int(fields[2]), int(fields[19]))


def parse_core_list(text: str) -> tuple[int, ...]:
    """Cores of a kernel list such as `0-3,8`, in order; empty for an empty list."""
    cores: list[int] = []
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            cores.extend(range(int(first), int(last or first) + 1))
    return tuple(cores)


def parse_allowed_cores(status: bytes) -> tuple[int, ...]:
    """The cores that /proc/PID/status says the process may run on; empty if it does not say."""
    line = status.partition(b"\nCpus_allowed_list:")[2].partition(b"\n")[0]
    return parse_core_list(line.decode("ascii"))


def parse_command_line(content: bytes) -> tuple[str, ...]:
    """The words of /proc/PID/cmdline; empty for a kernel thread or a zombie."""
    words = content.removesuffix(b"\0").split(b"\0") if content else []
    return tuple(os.fsdecode(word) for word in words)


def parse_sockets(
    content: bytes, protocol: str, state: bytes, byte_order: str = sys.byteorder
) -> list[SocketRow]:
    """The sockets in `state` of one file below /proc/PID/net.

    Addresses are hexadecimal words in the machine's byte order, ports plain hexadecimal. A row that
    is cut off is left out.
    """
    rows = []
    for line in content.split(b"\n")[1:]:
        fields = line.split(None, 10)
        if len(fields) < 10 or fields[3] != state:
            continue
        address, _, port = fields[1].partition(b":")
        text = address_text(bytes.fromhex(address.decode("ascii")), byte_order)
        rows.append(SocketRow(protocol, text, int(port, 16), int(fields[9])))
    return rows


def address_text(words: bytes, byte_order: str = sys.byteorder) -> str:
    """Literal text of an address whose 32-bit words are in `byte_order`.

    An IPv4 address in IPv6 form receives IPv4 and nothing else, so it is written as IPv4.
    """
    if byte_order == "little":
        words = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
    if len(words) == 4:
        return ".".join(map(str, words))
    if words.startswith(MAPPED):
        return ".".join(map(str, words[12:]))
    return ipv6_text(words)


def ipv6_text(packed: bytes) -> str:
    """The canonical text of an IPv6 address (RFC 5952)."""
    from _socket import AF_INET6, inet_ntop  # the C module: `socket` itself takes 5 ms to load

    return inet_ntop(AF_INET6, packed)
