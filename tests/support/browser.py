"""A real browser without a screen, driven through its own protocol over two pipes.

It runs in a network namespace without any network where that can be made; what it asks the network
for is counted in any case. Every page has a fresh context, and nothing of this machine is used.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.beds import require_programs

PATIENCE_S = 60.0
ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # the superuser of a container has no other way, and the page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Browser:
    """One running browser. Requests and messages of the last page that was opened are kept."""

    def __init__(self, process: subprocess.Popen[bytes], into: int, out_of: int) -> None:
        self._process = process
        self._into, self._out_of = into, out_of
        self._left = b""
        self._number = 0
        self._session = ""
        self.requests: list[str] = []
        self.messages: list[str] = []

    def open(
        self, page: Path, width: int = 1280, *, dark: bool = False, media: str = "screen"
    ) -> None:
        """Show a page in a new tab of this width, and wait until it is loaded."""
        target = self._ask("Target.createTarget", session="", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", session="", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.requests, self.messages = [], []
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility", "DOM"):
            self._ask(f"{domain}.enable")
        height = 900
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self._loaded = False
        self._ask("Page.navigate", url=page.as_uri())
        self._until(lambda: self._loaded)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page, as JSON has it."""
        done = self._ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key, such as Tab or Enter, and let it go."""
        codes = {"Tab": 9, "Enter": 13}
        more = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self._ask(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key,
                windowsVirtualKeyCode=codes[key], **more,
            )  # fmt: skip

    def accessible(self) -> list[dict[str, Any]]:
        """What assistive technology is told: the nodes that are not left out, in their order."""
        nodes = self._ask("Accessibility.getFullAXTree")["nodes"]
        return [node for node in nodes if not node["ignored"]]

    def picture(self, width: int, height: int) -> bytes:
        """The upper left part of the page as a PNG, in the size of its pixels."""
        part = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self._ask("Page.captureScreenshot", captureBeyondViewport=True, clip=part)
        return base64.b64decode(shot["data"])

    def printed(self) -> bytes:
        """The page as PDF, as it is printed."""
        return base64.b64decode(self._ask("Page.printToPDF", printBackground=True)["data"])

    def close(self) -> None:
        """End the browser and everything that it started."""
        try:
            self._send("Browser.close", "", {})
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()  # it is the first process of its namespace, or the only one we know
            self._process.wait(10)
        os.close(self._into)
        os.close(self._out_of)

    def _send(self, method: str, session: str, parameters: dict[str, Any]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        return self._number

    def _ask(self, method: str, *, session: str | None = None, **parameters: Any) -> Any:
        number = self._send(method, self._session if session is None else session, parameters)
        found: list[dict[str, Any]] = []
        self._until(lambda: bool(found), number, found)
        assert "error" not in found[0], f"{method}: {found[0]['error']}"
        return found[0]["result"]

    def _until(self, over: Any, number: int = 0, found: list[dict[str, Any]] | None = None) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not over():
            message = self._next(deadline)
            if message.get("id") == number and found is not None:
                found.append(message)
            elif message.get("sessionId") == self._session:
                self._happened(message)

    def _happened(self, message: dict[str, Any]) -> None:
        match message["method"]:
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case "Log.entryAdded":
                self.messages.append(message["params"]["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.messages.append(json.dumps(message["params"]))
            case "Page.loadEventFired":
                self._loaded = True

    def _next(self, deadline: float) -> Any:
        while b"\0" not in self._left:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._out_of], [], [], left_s)[0]:
                raise AssertionError("the browser does not answer")
            piece = os.read(self._out_of, 1 << 20)
            assert piece, "the browser has ended"
            self._left += piece
        text, self._left = self._left.split(b"\0", 1)
        return json.loads(text)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser whose files are in `folder`; the bed `browser`."""
    require_programs("browser", "chromium", "bash")
    theirs, into = os.pipe()
    out_of, ours = os.pipe()
    # The protocol wants descriptors 3 and 4, which are others in this process.
    script = f'exec "$@" 3<&{theirs} 4>&{ours}'
    argv = ["bash", "-c", script, "bash", "chromium", *ARGUMENTS, f"--user-data-dir={folder}"]
    if os.geteuid() == 0:
        namespaces = ("--net", "--pid", "--mount-proc", "--fork", "--kill-child")
        argv = ["unshare", *namespaces, *argv]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(theirs, ours),
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(folder),
                "LC_ALL": "C.UTF-8",
            },
        )
    os.close(theirs)
    os.close(ours)
    found = Browser(process, into, out_of)
    try:
        yield found
    finally:
        found.close()
