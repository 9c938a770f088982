"""A web server that plays the comments of GitHub and the notes of GitLab, in pages."""

from __future__ import annotations

import contextlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.serving import serving

GITHUB = "/repos/example/fleet/issues/7/comments"
GITHUB_ONE = "/repos/example/fleet/issues/comments/"
GITLAB = "/projects/42/merge_requests/7/notes"
USER = "/user"
PERSON, ROBOT = 11, 12
TOKENS = {"Authorization": "Bearer good", "PRIVATE-TOKEN": "good"}


class ForgeServer(ThreadingHTTPServer):
    """Keeps comments by number, and who wrote them: people, but for what is posted.

    `broken` requests are answered with 502 before it is well, and `cut` ones are not answered.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments: dict[int, str] = {}
        self.writers: dict[int, int] = {}
        self.cut = 0
        self.asked: list[tuple[str, str]] = []
        self.broken = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, body: str, writer: int = PERSON) -> int:
        """A comment, with the next number."""
        number = len(self.comments) + 1
        self.writers[number] = writer
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
        if server.cut:
            server.cut -= 1
            self.wfile.write(b"nonsense\r\n\r\n")
            self.close_connection = True
        elif server.broken:
            server.broken -= 1
            self._answer(502)
        elif not any(self.headers.get(name) == token for name, token in TOKENS.items()):
            self._answer(403, {"message": "Resource not accessible by integration"})
        elif self.command == "GET" and parts.path in (GITHUB, GITLAB):
            asked = parse_qs(parts.query)
            size, page = int(asked["per_page"][0]), int(asked["page"][0])
            found = [self._comment(n) for n in sorted(server.comments)]
            self._answer(200, found[(page - 1) * size : page * size])
        elif self.command == "POST" and parts.path in (GITHUB, GITLAB):
            self._answer(201, {"id": server.add(sent["body"], ROBOT)})
        elif self.command == "GET" and parts.path == USER and self.headers.get("PRIVATE-TOKEN"):
            self._answer(200, {"id": ROBOT})
        else:
            self._change(parts.path, sent)

    def _comment(self, number: int) -> dict[str, Any]:
        """As GitHub tells it, and as GitLab does."""
        writer = self.server.writers[number]
        kind = {"type": "Bot" if writer == ROBOT else "User"}
        return {
            "id": number,
            "body": self.server.comments[number],
            "user": kind,
            "author": {"id": writer},
        }

    def _change(self, path: str, sent: dict[str, str]) -> None:
        folder, _, number = path.rpartition("/")
        fits = {"PATCH": GITHUB_ONE, "PUT": f"{GITLAB}/"}.get(self.command) == f"{folder}/"
        if not fits or int(number) not in self.server.comments:
            self._answer(404)
            return
        self.server.comments[int(number)] = sent["body"]
        self._answer(200, {"id": int(number)})

    do_GET = do_POST = do_PATCH = do_PUT = _handle


def forge() -> contextlib.AbstractContextManager[ForgeServer]:
    """The server while the context lasts."""
    return serving(ForgeServer())
