"""One instance directory of the stand-in PBX, with what a test does to it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from support import beds
from support.standin import (
    PATIENCE_S,
    PORTS,
    Answer,
    bound_to,
    configuration,
    http_get,
    http_post,
    make_release,
    processes,
    wait_listening,
    wait_until,
)


class Box:
    """A directory with a release, a pbx.xml bound to one address, and its processes."""

    def __init__(self, directory: Path, address: str) -> None:
        self.directory, self.address = directory, address
        self.release = make_release(directory)
        self.pbx_xml = directory / "pbx.xml"
        self.pidfile = directory.with_name(directory.name + ".pid")
        self.foreground: list[subprocess.Popen[str]] = []

    def configure(self, **settings: str) -> None:
        """Write pbx.xml: every port on the address of this box, and what is said here."""
        self.pbx_xml.write_bytes(configuration(bound_to(self.address, **settings)))

    def behave(self, **choices: object) -> None:
        """Write standin.json; names without `standin_`."""
        members = {f"standin_{name}": value for name, value in choices.items()}
        (self.directory / "standin.json").write_text(json.dumps(members), encoding="utf-8")

    def argv(self, *options: str) -> list[str]:
        fixed = ["--dir", str(self.directory), "--pidfile", str(self.pidfile)]
        return [str(self.release.pbxctrl), *fixed, *options]

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Start in the background and wait for the caller's part of it to end."""
        return subprocess.run(
            self.argv(*options),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )

    def start(self, *options: str) -> int:
        """Start in the background; the number in the PID file."""
        done = self.run(*options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return self.pid

    def start_in_front(self, *options: str, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start with --no-daemon, below the command `under` when given."""
        popen = subprocess.Popen(
            [*under, *self.argv("--no-daemon", *options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.foreground.append(popen)
        return popen

    @property
    def pid(self) -> int:
        return int(self.pidfile.read_text())

    @property
    def pids(self) -> list[int]:
        return processes(self.directory)

    def wait_gone(self) -> None:
        wait_until(lambda: not self.pids, f"no process of {self.directory.name} is left")

    def wait_listening(self) -> None:
        wait_listening(self.address, PORTS["ip_http_port"])

    def stored(self) -> dict[str, str]:
        """The settings of pbx.xml on the disk."""
        return {e.tag: e.text or "" for e in ElementTree.fromstring(self.pbx_xml.read_bytes())}  # noqa: S314

    def get(self, path: str, login: str = "") -> Answer:
        return http_get(self.address, PORTS["ip_http_port"], path, login)

    def post(
        self, path: str, members: Mapping[str, object] | None = None, login: str = ""
    ) -> Answer:
        body = "" if members is None else json.dumps(members)
        return http_post(self.address, PORTS["ip_http_port"], path, body, login)

    def change(self, **settings: object) -> None:
        """Change settings over the web, as an administrator without a password does."""
        assert self.post("/rest/system/config", settings) == Answer(200, "true")

    def logged(self) -> str:
        return (self.directory / "pbx.log").read_text(encoding="utf-8")


def namespace() -> tuple[str, ...]:
    """The command under which a program has a network of its own, where nothing is taken."""
    beds.require_programs("netns", "unshare")
    for command in (("unshare", "-n"), ("unshare", "-rn")):
        if subprocess.run((*command, "true"), check=False, capture_output=True).returncode == 0:
            return command
    beds.bed_required("netns", "this machine does not let us make network namespaces")
