"""A site whose instances really run: stand-in PBX processes on loopback addresses, no init system."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from support.e2e import PROGRAM, Site
from support.processes import wait_for
from support.standin import (
    PORTS,
    SOURCE,
    Answer,
    Bound,
    Release,
    bound,
    end_all,
    fresh_address,
    http_get,
    http_post,
    make_release,
    processes,
)

HTTP = PORTS["ip_http_port"]
LOGIN = "admin:reference-password"
VERSIONS = ("70.5", "70.6")

FLEET = """\
format = 1
name = "running"

[defaults]
release = "70.5"
listen = { http = 18080, https = 18443, sip_udp = 15060, sip_tcp = 15060, sip_tls = 15061, \
tftp = "off", snmp = "off", ldap = "off" }

[defaults.probes]
stable_s = 0

[defaults.settings]
log_duration = 86400

[catalogue]
sip_udp = "sip_udp_port"
sip_tcp = "sip_tcp_port"
sip_tls = "sip_tls_port"
tftp = "tftp_port"
snmp = "snmp_port"
ldap = "ldap_port"
rtp_bind = "rtp_bind_ip4"
rtp_start = "rtp_port_start"
rtp_end = "rtp_port_end"

[policy]
deletion_budget = 1
"""

RELEASE = """
[releases."{version}"]
pbxctrl = {{ source = "file:../artefacts/{version}/pbxctrl", sha256 = "{pbxctrl}" }}
dat = {{ source = "file:../artefacts/{version}/pbxctrl.dat", sha256 = "{dat}" }}
reference = "reference/pbx.xml"
reference_address = "198.51.100.10"
"""

HOST = """\
addresses = [{addresses}]
rtp = "20000-29999"
services = "direct"
stop_timeout = {stop_timeout}
start_timeout = {start_timeout}
"""


class RunningSite(Site):
    """Instances by name, each with an address that no other test uses."""

    def __init__(
        self,
        folder: Path,
        names: Iterable[str] = ("ash", "birch"),
        *,
        stop_timeout: int = 20,
        start_timeout: int = 20,
    ) -> None:
        super().__init__(folder)
        self.addresses = {name: fresh_address() for name in names}
        self.releases: dict[str, Release] = {}
        self.declare("desired/fleet.toml", FLEET)
        for version in VERSIONS:
            self.add_release(version)
        (self.repo / "desired/reference").mkdir(parents=True)
        shutil.copy(SOURCE / "pbx.xml", self.repo / "desired/reference/pbx.xml")
        listed = ", ".join(f'"{a}"' for a in self.addresses.values())
        text = HOST.format(addresses=listed, stop_timeout=stop_timeout, start_timeout=start_timeout)
        self.declare("desired/hosts/h1.toml", text)
        for name in self.addresses:
            self.instance(name)

    def add_release(self, version: str) -> Release:
        """Make a release of the stand-in and declare it."""
        release = make_release(self.repo / "artefacts" / version, version)
        pins = {name.rpartition("/")[2]: digest for name, digest in release.sha256s.items()}
        text = RELEASE.format(version=version, pbxctrl=pins["pbxctrl"], dat=pins["pbxctrl.dat"])
        fleet = self.repo / "desired/fleet.toml"
        fleet.write_text(fleet.read_text(encoding="utf-8") + text, encoding="utf-8")
        self.releases[version] = release
        return release

    def instance(self, name: str, head: str = "", **settings: str | int) -> None:
        """Declare an instance; `head` are lines of its own beside address and settings."""
        lines = [f'host = "h1"\naddress = "{self.addresses[name]}"', head, "[settings]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        if "sys_name" not in settings:
            lines.append(f'sys_name = "{name.capitalize()}"')
        self.declare(f"desired/instances/{name}.toml", "\n".join(lines) + "\n")

    def change(self, name: str, head: str = "", **settings: str | int) -> None:
        """Declare an instance otherwise, and compile."""
        self.instance(name, head, **settings)
        self.compile()

    def up(self) -> RunningSite:
        """Compile and apply for the first time."""
        self.compile()
        self.apply("--quiet")
        return self

    # --- what is there ---

    def directory(self, name: str) -> Path:
        return self.root / f"usr/local/pbx-{name}"

    def pbx_xml(self, name: str) -> str:
        return (self.directory(name) / "pbx.xml").read_text(encoding="utf-8")

    def pids(self) -> dict[str, list[int]]:
        """Processes that run in the directories of the instances."""
        return {name: processes(self.directory(name)) for name in self.addresses}

    def pid(self, name: str) -> int:
        (pid,) = processes(self.directory(name))
        return pid

    def sockets(self, name: str) -> set[Bound]:
        return {found for pid in processes(self.directory(name)) for found in bound(pid)}

    def expected(self, name: str, **ports: int) -> set[Bound]:
        """The sockets that are declared for an instance, with other ports where given."""
        declared = {
            ("http", "tcp"): HTTP,
            ("https", "tcp"): PORTS["ip_https_port"],
            ("sip_udp", "udp"): PORTS["sip_udp_port"],
            ("sip_tcp", "tcp"): PORTS["sip_tcp_port"],
            ("sip_tls", "tcp"): PORTS["sip_tls_port"],
        }
        address = self.addresses[name]
        return {
            Bound(protocol, address, ports.get(role, port))
            for (role, protocol), port in declared.items()
        }

    def proven(self) -> None:
        """Every instance runs once, on its declared sockets and on no other; nothing is to be done."""
        for name in self.addresses:
            self.pid(name)
            assert self.sockets(name) == self.expected(name), name
        self.settles()

    # --- what happens to it ---

    def behave(self, name: str, **choices: object) -> None:
        """Choose how the stand-in of an instance behaves (its file standin.json)."""
        self.directory(name).mkdir(parents=True, exist_ok=True)
        members = {f"standin_{choice}": value for choice, value in choices.items()}
        path = self.directory(name) / "standin.json"
        path.write_text(json.dumps(members), encoding="utf-8")

    def post(self, name: str, settings: Mapping[str, str]) -> Answer:
        """Change settings as the web page does."""
        url = "/rest/system/config"
        return http_post(self.addresses[name], HTTP, url, json.dumps(settings), LOGIN)

    def status_of(self, name: str) -> Any:
        return json.loads(http_get(self.addresses[name], HTTP, "/rest/system/status", LOGIN).body)

    def kill(self, name: str) -> None:
        """Kill the process of an instance and wait until it is gone."""
        pid = self.pid(name)
        subprocess.run(("kill", "-KILL", str(pid)), check=True, timeout=30)
        wait_for(lambda: not processes(self.directory(name)), f"the end of {name}")

    @contextlib.contextmanager
    def applying(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """An apply that is under way; it is gone afterwards."""
        argv = (str(PROGRAM), "apply", "-C", str(self.repo), self.host, "--root", str(self.root))
        with subprocess.Popen(
            (*argv, "--auto-approve", *words),
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def steps_begun(self) -> int:
        """Steps that the journal of the apply under way tells of."""
        try:
            content = (self.root / "var/lib/pbxfleet/journal").read_bytes()
        except FileNotFoundError:
            return 0
        return content.count(b'"event":"step"')

    def end(self) -> None:
        """End every process of this site."""
        end_all(self.root)
