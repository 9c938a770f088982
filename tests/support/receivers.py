"""Programs at the other end of a sink: servers of the web and of mail, and a journal."""

from __future__ import annotations

import array
import contextlib
import os
import socket
import ssl
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import AsyncMessage

from support import beds
from support.https import TLS
from support.serving import serving

MOST_BYTES = 1 << 22


class Posted(NamedTuple):
    """One request, with its header lines by name in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class HookServer(ThreadingHTTPServer):
    """Notes requests and answers with the statuses it was given, the last one for ever."""

    daemon_threads = True

    def __init__(self, answers: Sequence[int], *, tls: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.posted: list[Posted] = []
        self.scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(TLS / "loopback.pem")
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/hooks/T0KEN"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: HookServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        lines = {name.lower(): value for name, value in self.headers.items()}
        server.posted.append(Posted(self.command, self.path, lines, body))
        status = server.answers[0] if len(server.answers) == 1 else server.answers.pop(0)
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"{server.url}/elsewhere")
        if status == 429:
            self.send_header("Retry-After", "7")
        self.send_header("Content-Length", "0")
        self.end_headers()


def hook(*answers: int, tls: bool = False) -> contextlib.AbstractContextManager[HookServer]:
    """A receiver of webhooks while the context lasts; it takes everything unless said otherwise."""
    return serving(HookServer(answers or (204,), tls=tls))


def free_port() -> int:
    """A port of the loopback interface that nobody holds just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Inbox(AsyncMessage):
    """A mail server that keeps what it receives, and a program that delivers to it like sendmail."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        beds.require_programs("mail", "msmtp")
        self.received: list[Any] = []
        port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=port)
        settings, self.program = folder / "msmtprc", folder / "sendmail"
        settings.write_text(
            f"account default\nhost 127.0.0.1\nport {port}\ntls off\nauth off\n"
            "from pbxfleet@example.com\n",
            encoding="utf-8",
        )
        text = f'#!/bin/sh\nexec msmtp --file={settings} "$@"\n'
        self.program.write_text(text, encoding="utf-8")
        self.program.chmod(0o755)

    def __enter__(self) -> Inbox:
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()

    async def handle_message(self, message: Any) -> None:
        """Called by the server."""
        self.received.append(message)


class Journal:
    """A socket that speaks the journal's protocol, for reading what was sent to it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(10)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def entry(self) -> dict[str, str]:
        """The next entry, also where it came as a file."""
        room = socket.CMSG_SPACE(array.array("i", [0]).itemsize)
        content, more, _, _ = self.socket.recvmsg(MOST_BYTES, room)
        for level, kind, data in more:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                file = array.array("i", data)[0]
                content = os.pread(file, os.fstat(file).st_size, 0)
                os.close(file)
        return decode_entry(content)


def decode_entry(content: bytes) -> dict[str, str]:
    """The fields of an entry, as systemd documents them."""
    found: dict[str, str] = {}
    while content:
        line, _, rest = content.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            size = int.from_bytes(rest[:8], "little")
            name, value, rest = line, rest[8 : 8 + size], rest[9 + size :]
        found[name.decode()] = value.decode()
        content = rest
    return found
