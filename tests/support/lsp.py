"""Speaks the Language Server Protocol with a server over its pipes, as an editor does."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0


class Server:
    """A running server with one folder open. Requests of the server are answered, notices kept."""

    def __init__(self, argv: Sequence[str], folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.settings = settings
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        self._number = 0
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        self._inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        uri = folder.as_uri()
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": uri,
                "workspaceFolders": [{"uri": uri, "name": "fleet"}],
                "initializationOptions": dict(settings),
                "capabilities": {
                    "workspace": {"configuration": True, "workspaceFolders": True},
                    "textDocument": {
                        "hover": {"contentFormat": ["markdown", "plaintext"]},
                        "completion": {"completionItem": {"snippetSupport": False}},
                        "publishDiagnostics": {},
                    },
                },
            },
        )
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": dict(settings)})

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while True:
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                self._inbox.put(None)
                return
            self._inbox.put(json.loads(stream.read(length)))

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._process.stdin
        assert stream is not None
        stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        stream.flush()

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Tell the server something."""
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Ask the server and wait for its answer."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        while (message := self._next()) is not None:
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message["error"]
                return message.get("result")
        raise AssertionError(f"the server ended before it answered {method}")

    def _next(self) -> dict[str, Any] | None:
        message = self._inbox.get(timeout=PATIENCE_S)
        if message is not None and "method" in message:
            self._serve(message)
        return message

    def _serve(self, message: Mapping[str, Any]) -> None:
        params = message.get("params") or {}
        if message["method"] == "textDocument/publishDiagnostics":
            self.diagnostics[params["uri"]] = params["diagnostics"]
        if "id" not in message:
            return
        result: Any = None
        if message["method"] == "workspace/configuration":
            result = [self.settings.get(i.get("section", ""), {}) for i in params["items"]]
        elif message["method"] == "workspace/workspaceFolders":
            result = [{"uri": self.folder.as_uri(), "name": "fleet"}]
        self._send({"id": message["id"], "result": result})

    def open(self, name: str, text: str) -> str:
        """Open a file of the folder with this text; its address."""
        uri = (self.folder / name).as_uri()
        language = "toml" if name.endswith(".toml") else "yaml"
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def hover(self, uri: str, line: int, column: int) -> str:
        """What is shown over a place (0-based), "" for nothing."""
        found = self.request("textDocument/hover", _place(uri, line, column))
        contents = (found or {}).get("contents", "")
        return contents["value"] if isinstance(contents, dict) else str(contents)

    def completions(self, uri: str, line: int, column: int) -> list[str]:
        """What is offered at a place (0-based)."""
        found = self.request("textDocument/completion", _place(uri, line, column))
        listed = found["items"] if isinstance(found, dict) else found or []
        return [item["label"] for item in listed]

    def wait_for_diagnostics(self, uri: str) -> list[dict[str, Any]]:
        """The marks of a file, as soon as there are any."""
        while not self.diagnostics.get(uri):
            if self._next() is None:
                raise AssertionError("the server ended before it marked anything")
        return self.diagnostics[uri]

    def end(self) -> None:
        """Ask the server to end, and see that it does."""
        with contextlib.suppress(AssertionError, queue.Empty, BrokenPipeError):
            self.request("shutdown", {})
            self.notify("exit", {})
        self._process.kill()
        self._process.communicate()


def _place(uri: str, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}


@contextlib.contextmanager
def serving(argv: Sequence[str], folder: Path, settings: Mapping[str, Any]) -> Iterator[Server]:
    """A server for as long as the block runs."""
    server = Server(argv, folder, settings)
    try:
        yield server
    finally:
        server.end()
