"""A program: take TCP connections on the sockets of the first argument, and say who came from where.

One line a connection: the port, the address it came from, and what it said first.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys


def main() -> None:
    """Bind everything, then write lines to stdout for ever."""
    waiting = selectors.DefaultSelector()
    for address, port in json.loads(sys.argv[1]):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
        bound.listen()
        waiting.register(bound, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            assert isinstance(key.fileobj, socket.socket)
            connection, where = key.fileobj.accept()
            connection.settimeout(5)
            said = connection.recv(100).decode().strip()
            sys.stdout.write(f"{key.fileobj.getsockname()[1]} {where[0]} {said}\n")
            sys.stdout.flush()
            connection.close()


main()
