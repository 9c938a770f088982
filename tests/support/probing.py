"""A program: which of the probes in the first argument are answered, as a JSON list on stdout.

A probe is `tcp`, `udp` or `icmp`, an address to send from, an address and a port to send to.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

TIMEOUT_S = 0.7


def answered(probe: tuple[str, str, str, int]) -> bool:
    """Whether an answer comes in time."""
    protocol, source, address, port = probe
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        if protocol == "tcp":
            with socket.create_connection((address, port), TIMEOUT_S, (source, 0)) as made:
                return made.recv(100) == f"{source}\n".encode()
        if protocol == "udp":
            with socket.socket(family, socket.SOCK_DGRAM) as sending:
                sending.settimeout(TIMEOUT_S)
                sending.bind((source, 0))
                sending.connect((address, port))
                sending.send(b"probe")
                return sending.recv(100) == b"probe"
        return echoed(family, source, address)
    except OSError:
        return False


def echoed(family: int, source: str, address: str) -> bool:
    """Whether the address answers to ping."""
    four = family == socket.AF_INET
    protocol = socket.IPPROTO_ICMP if four else socket.IPPROTO_ICMPV6
    with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
        raw.settimeout(TIMEOUT_S)
        raw.bind((source, 0))
        request, reply = (8, 0) if four else (128, 129)
        body = struct.pack("!BBHHH", request, 0, 0, 4711, 1)
        if four:  # the kernel fills in the checksum of ICMPv6 only
            total = sum(struct.unpack("!4H", body))
            total = (total >> 16) + (total & 0xFFFF)
            body = struct.pack("!BBHHH", request, 0, ~total & 0xFFFF, 4711, 1)
        raw.sendto(body, (address, 0))
        while True:
            packet, where = raw.recvfrom(2000)
            kind = packet[20] if four else packet[0]
            if where[0] == address and kind == reply:
                return True


def main() -> None:
    """Try all at once, since what is dropped takes its time."""
    probes = [tuple(probe) for probe in json.loads(sys.argv[1])]
    with ThreadPoolExecutor(64) as pool:
        sys.stdout.write(json.dumps(list(pool.map(answered, probes))))


main()
