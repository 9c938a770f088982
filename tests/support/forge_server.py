"""A web server that plays the comments of GitHub and the notes of GitLab, in pages."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

GITHUB = "/repos/example/fleet/issues/7/comments"
GITHUB_ONE = "/repos/example/fleet/issues/comments/"
GITLAB = "/projects/42/merge_requests/7/notes"
TOKENS = {"Authorization": "Bearer good", "PRIVATE-TOKEN": "good"}


class ForgeServer(ThreadingHTTPServer):
    """Keeps comments by number. `broken` requests are answered with 502 before it is well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments: dict[int, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.broken = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, body: str) -> int:
        """A comment, with the next number."""
        number = len(self.comments) + 1
        self.comments[number] = body
        return number


class _Handler(BaseHTTPRequestHandler):
    server: ForgeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def _answer(self, code: int, data: Any = None) -> None:
        content = json.dumps(data).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _handle(self) -> None:
        server, parts = self.server, urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(size) or b"{}")
        server.asked.append((self.command, parts.path))
        if server.broken:
            server.broken -= 1
            self._answer(502)
        elif not any(self.headers.get(name) == token for name, token in TOKENS.items()):
            self._answer(403, {"message": "Resource not accessible by integration"})
        elif self.command == "GET" and parts.path in (GITHUB, GITLAB):
            asked = parse_qs(parts.query)
            size, page = int(asked["per_page"][0]), int(asked["page"][0])
            found = [{"id": n, "body": body} for n, body in sorted(server.comments.items())]
            self._answer(200, found[(page - 1) * size : page * size])
        elif self.command == "POST" and parts.path in (GITHUB, GITLAB):
            self._answer(201, {"id": server.add(sent["body"])})
        else:
            self._change(parts.path, sent)

    def _change(self, path: str, sent: dict[str, str]) -> None:
        folder, _, number = path.rpartition("/")
        fits = {"PATCH": GITHUB_ONE, "PUT": f"{GITLAB}/"}.get(self.command) == f"{folder}/"
        if not fits or int(number) not in self.server.comments:
            self._answer(404)
            return
        self.server.comments[int(number)] = sent["body"]
        self._answer(200, {"id": int(number)})

    do_GET = do_POST = do_PATCH = do_PUT = _handle


@contextlib.contextmanager
def forge() -> Iterator[ForgeServer]:
    """The server while the context lasts."""
    server = ForgeServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
