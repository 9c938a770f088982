"""The service definitions of a Windows host with the service manager of wine and a real service process.

On request: wine and a compiler for Windows are more than a gigabyte. PBXFLEET_OPTIONAL_BEDS=wine asks for it,
where `apt-get install wine wine64 gcc-mingw-w64-x86-64-win32` has been run. Wine's `sc` has no `config`,
and its registry keeps no failure actions: that they are accepted is all that is shown.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.model.desired import ServiceBackend
from pbxfleet.render.services.windows import RESET_AFTER_S, ServiceDefinition, definition
from support import beds
from support.resolved import Wish, host
from support.standin import wait_until

SOURCE = Path(__file__).parent / "windows/standin.c"
COMPILER = "x86_64-w64-mingw32-gcc"


class Wine:
    """A Windows of its own in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "WINEPREFIX": str(folder / "prefix"),
            "WINEDEBUG": "-all",
            "WINEARCH": "win64",
        }
        (folder / "prefix").mkdir()
        self.run("wineboot", "--init")
        self.server("-w")
        # Stays between the commands: its end and its next start would be a reboot.
        self.server("-p")

    def run(self, *argv: str, check: bool = True) -> str:
        """What a command of Windows prints."""
        # A file takes what is printed: services inherit it, and a pipe would stay open with them.
        with (self.folder / "said").open("w+", encoding="utf-8", errors="replace") as said:
            done = subprocess.run(
                ["wine", *argv],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.DEVNULL,
                timeout=120,
                env=self.environment,
            )
            said.seek(0)
            text = said.read()
        assert not check or done.returncode == 0, (argv, text)
        return text

    def reboot(self) -> None:
        """End everything; the next command starts this Windows again."""
        self.server("-k", check=False)
        self.server("-w")
        self.server("-p")

    def server(self, word: str, *, check: bool = True) -> None:
        """Tell the process that is this Windows: -p to stay, -k to end, -w to wait for its end."""
        argv = ["wineserver", word]
        subprocess.run(argv, check=check, env=self.environment, timeout=120)

    def path(self, on_windows: str) -> Path:
        """A file of drive C as this machine sees it."""
        return self.folder / "prefix/drive_c" / on_windows[3:].replace("\\", "/")

    def registered(self, service: str, name: str) -> str:
        """A value of the service's key in the registry, as text."""
        key = rf"HKLM\System\CurrentControlSet\Services\{service}"
        said = self.run("reg", "query", key, "/v", name)
        return re.findall(rf"^ +{name} +REG_\w+ +(.*?)\r?$", said, re.MULTILINE)[0]

    def state(self, service: str) -> str:
        said = self.run("sc", "query", service)
        return re.findall(r"STATE +: \d+ +(\w+)", said)[0]


@pytest.fixture
def wine(tmp_path: Path) -> Iterator[Wine]:
    beds.require_programs("wine", "wine", "wineserver", COMPILER)
    made = Wine(tmp_path)
    try:
        yield made
    finally:
        made.server("-k", check=False)


def create(wine: Wine, service: ServiceDefinition) -> None:
    """What the script does with New-Service and sc.exe, with wine's sc.exe."""
    wine.run(
        "sc",
        "create",
        service.service,
        "binPath=",
        service.command,
        "DisplayName=",
        service.display,
        "start=",
        service.start,
    )
    reset = str(RESET_AFTER_S)
    wine.run("sc", "failure", service.service, "reset=", reset, "actions=", service.failure_actions)


def test_two_services_with_one_program_name(wine: Wine) -> None:
    resolved = host([Wish("acme"), Wish("beta")], ServiceBackend.WINDOWS)
    wish = resolved.file.windows
    assert wish is not None
    acme, beta = (definition(resolved, instance, wish) for instance in resolved.instances)
    program = wine.folder / "pbxctrl.exe"
    subprocess.run([COMPILER, "-O1", "-o", program, SOURCE, "-ladvapi32"], check=True, timeout=120)
    for service in (acme, beta):
        target = wine.path(service.files[0].path)
        target.parent.mkdir(parents=True)
        target.write_bytes(program.read_bytes())
        create(wine, service)
        assert wine.registered(service.service, "ImagePath") == service.command
        assert wine.registered(service.service, "DisplayName") == service.display
        assert wine.registered(service.service, "Start") == "0x2"
        assert wine.state(service.service) == "STOPPED"

    for service in (acme, beta):
        wine.run("sc", "start", service.service)
        said = wine.path(rf"{service.directory}\words.txt")
        wait_until(lambda said=said: said.exists() and said.read_text().count("\n") == 3, "it runs")
        assert said.read_text().splitlines()[1:] == ["--dir", service.directory]
        assert wine.state(service.service) == "RUNNING"

    wine.run("sc", "stop", acme.service)
    wait_until(lambda: wine.state(acme.service) == "STOPPED", "it has stopped")
    assert wine.state(beta.service) == "RUNNING", "the sibling did not notice"

    wine.reboot()
    for service in (acme, beta):
        wait_until(
            lambda s=service: wine.state(s.service) == "RUNNING", "it starts with the machine"
        )
        wine.run("sc", "stop", service.service)
    for service in (acme, beta):
        wine.run("sc", "delete", service.service)
