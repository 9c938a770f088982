"""A real HTTPS server on the loopback interface that answers well, or in every wrong way."""

from __future__ import annotations

import contextlib
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.serving import serving
from support.tree import ROOT

TLS = ROOT / "tests/host/samples/tls"
CA = TLS / "ca.pem"


class Server(ThreadingHTTPServer):
    """Files by path in `files`; the other paths are those of `_Handler`. `asked` are the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "loopback.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what several tests are about."""


def https() -> contextlib.AbstractContextManager[Server]:
    """The server while the context lasts."""
    return serving(Server())


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        known = self.server.files.get(self.path)
        if known is not None:
            self._answer(200, length=len(known))
            self.wfile.write(known)
            return
        wrong = getattr(self, "_" + self.path.strip("/").replace("-", "_"), None)
        if wrong is None:
            self._answer(404, length=0)
        else:
            self.close_connection = True
            wrong()

    def _answer(self, code: int, length: int | None = None, **headers: str) -> None:
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _cut(self) -> None:
        """Ends in the middle, with its length announced."""
        self._answer(200, length=1000)
        self.wfile.write(b"x" * 400)

    def _cut_in_pieces(self) -> None:
        """Ends in the middle of a body that comes in pieces of announced lengths."""
        self._answer(200, Transfer_Encoding="chunked")
        self.wfile.write(b"190\r\n" + b"x" * 0x190 + b"\r\n" + b"190\r\n" + b"x")

    def _large(self) -> None:
        self._answer(200, length=1 << 40)
        self.wfile.write(b"x" * 1000)

    def _endless(self) -> None:
        """Never says how much there is, and does not stop."""
        self._answer(200)
        with contextlib.suppress(OSError):
            for _ in range(10_000):
                self.wfile.write(b"x" * 65536)

    def _silent(self) -> None:
        self._answer(200, length=10)
        self.wfile.write(b"x")
        time.sleep(1.5)

    def _slow(self) -> None:
        self._answer(200, length=1000)
        with contextlib.suppress(OSError):
            for _ in range(20):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)

    def _slow_headers(self) -> None:
        """A byte of the head now and then: the server is never silent, and never done."""
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-Long: " + b"x" * 600:
                self.wfile.write(bytes((byte,)))
                self.wfile.flush()
                time.sleep(0.05)
            self.wfile.write(b"\r\n\r\nx")

    def _to_http(self) -> None:
        self._answer(302, length=0, Location="http://127.0.0.1:9/secret?token=1")

    def _to_file(self) -> None:
        self._answer(302, length=0, Location="file:///etc/passwd")

    def _to_good(self) -> None:
        self._answer(302, length=0, Location="/good")

    def _round_and_round(self) -> None:
        self._answer(302, length=0, Location="/round-and-round")
