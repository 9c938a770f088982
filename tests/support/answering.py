"""A program: answer on the sockets that the first argument lists, until it is ended.

Each TCP connection is told the address it came from, each datagram comes back.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys


def main() -> None:
    """Bind everything, say `up`, then serve."""
    waiting = selectors.DefaultSelector()
    for protocol, address, port in json.loads(sys.argv[1]):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address, port))
        if protocol == "tcp":
            bound.listen()
        waiting.register(bound, selectors.EVENT_READ, protocol)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        for key, _ in waiting.select():
            assert isinstance(key.fileobj, socket.socket)
            if key.data == "tcp":
                connection, where = key.fileobj.accept()
                connection.sendall(f"{where[0]}\n".encode())
                connection.close()
            else:
                said, where = key.fileobj.recvfrom(2000)
                key.fileobj.sendto(said, where)


main()
