"""Compose files with a real compose program, and containers that podman really starts from them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbxfleet.app.compile import compile_fleet
from support.bed_host import PYTHON
from support.pages import BASE
from support.podman_bed import PodmanBed
from support.standin import make_release

CORE = max(os.sched_getaffinity(0))
ADDRESSES = {"alpha": "203.0.113.10", "beta": "203.0.113.11"}
LOGS = "/srv/log of pbx"
OWN = ["203.0.113.2"]


class Site:
    """A bed and a repository with a host of two instances, one of them pinned."""

    def __init__(self, bed: PodmanBed, repository: Path, network: str) -> None:
        self.bed = bed
        self.repository = repository
        release = make_release(repository / "artefacts", python=PYTHON)
        for path in BASE.joinpath("desired").rglob("*"):
            if path.is_file() and path.parent.name != "instances":
                target = repository / "desired" / path.relative_to(BASE / "desired")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
        fleet = repository / "desired/fleet.toml"
        text = fleet.read_text()
        for digest in release.sha256s.values():
            text = text.replace("0" * 64, digest, 1)
        fleet.write_text(text)
        host = repository / "desired/hosts/fra1.toml"
        text = host.read_text().replace('"0-7"', f'"0-{CORE}"')
        text = text.replace('system_cpus = "0-1"', 'services = "compose"')
        text += f'[compose]\nprogram = "podman-compose"\nimage = "{bed.image}"\nopen_files = 1024\n'
        host.write_text(f'{text}network = "{network}"\n')
        (repository / "desired/instances").mkdir()
        for name in ADDRESSES:
            self.instance(name, cpu=str(CORE) if name == "beta" else '"off"')

    def instance(self, name: str, cpu: str) -> None:
        """Declare an instance, and compile."""
        text = f'host = "fra1"\naddress = "{ADDRESSES[name]}"\ncpu = {cpu}\n'
        file = self.repository / f"desired/instances/{name}.toml"
        log = f"{LOGS}/{name}/pbx.log"
        file.write_text(f'{text}\n[settings]\nsys_name = "{name}"\nlog_filename = "{log}"\n')

    def pbxfleet(self, *arguments: str, code: int = 0) -> str:
        """Run pbxfleet on the host."""
        argv = ("-m", "pbxfleet", "-C", str(self.repository), *arguments)
        done = self.bed.python(*argv, check=False)
        assert done.returncode == code, done
        return done.stdout + done.stderr

    def compile(self) -> None:
        compiled = compile_fleet(str(self.repository))
        assert not compiled.failed, compiled.fleet.diagnostics

    def apply(self) -> str:
        """Compile and apply; a second plan must be empty, and nothing may have drifted."""
        self.compile()
        said = self.pbxfleet("apply", "fra1", "--auto-approve")
        self.pbxfleet("plan", "fra1", "--detailed-exitcode")
        self.pbxfleet("drift", "fra1")
        return said

    def container(self, name: str, what: str) -> str:
        return self.bed.run("podman", "inspect", "--format", what, f"pbx-{name}").stdout.strip()

    def main_process(self, name: str) -> int:
        """The PBX itself: the child of the container's process 1."""
        above = self.container(name, "{{.State.Pid}}")
        found = self.bed.run("pgrep", "--parent", above).stdout.split()
        return int(found[0])

    def allowed_cores(self, name: str) -> str:
        status = self.bed.run("cat", f"/proc/{self.main_process(name)}/status").stdout
        return re.findall(r"^Cpus_allowed_list:\t(.*)$", status, re.MULTILINE)[0]

    def bound(self, name: str) -> set[str]:
        """Addresses of the sockets in the network namespace of a process of the instance."""
        process = str(self.main_process(name))
        said = self.bed.run("nsenter", "-t", process, "-n", "ss", "-Hlntup").stdout
        mine = [line for line in said.splitlines() if f"pid={process}," in line]
        assert len(mine) == 5
        return {line.split()[4].rpartition(":")[0] for line in mine}


@pytest.fixture
def host_network(tmp_path: Path) -> Iterator[Site]:
    with PodmanBed(tmp_path / "bed") as bed:
        bed.start([*OWN, *ADDRESSES.values()])
        yield Site(bed, tmp_path / "fleet", "host")


def test_containers_on_the_hosts_addresses(host_network: Site) -> None:
    site = host_network
    site.apply()
    for name, address in ADDRESSES.items():
        assert site.bound(name) == {address}
    assert site.allowed_cores("beta") == str(CORE)
    assert site.container("beta", "{{.HostConfig.CpusetCpus}}") == str(CORE)

    # What a container writes lies in the instance's directory on the host, and outlives it; what it
    # writes to the folder of its log too.
    kept = ("/usr/local/pbx-alpha/kept", f"{LOGS}/alpha/kept")
    for file in kept:
        inside = ("podman", "exec", "pbx-alpha", "sh", "-c", f"echo kept >'{file}'")
        site.bed.run(*inside)
    beta = site.main_process("beta")
    site.instance("alpha", cpu="0")
    said = site.apply()
    assert "1 instance interrupted" in said
    assert site.allowed_cores("alpha") == "0"
    assert [site.bed.path(file).read_text() for file in kept] == ["kept\n", "kept\n"]
    assert site.main_process("beta") == beta, "the sibling did not notice"

    site.bed.run("podman", "stop", "--time", "5", "pbx-beta")
    assert "running -> stopped" in site.pbxfleet("drift", "fra1", code=2)
    site.apply()

    # A container that somebody removed is not started with the machine any more.
    site.bed.run("podman", "rm", "--force", "--time", "5", "pbx-beta")
    assert "enabled" in site.pbxfleet("plan", "fra1")
    site.apply()

    site.bed.power_cut([*OWN, *ADDRESSES.values()])
    assert "stopped" in site.pbxfleet("status", "fra1")
    # What podman-restart.service runs when the machine starts.
    site.bed.run("podman", "start", "--all", "--filter", "restart-policy=always")
    site.pbxfleet("plan", "fra1", "--detailed-exitcode")
    site.pbxfleet("drift", "fra1")

    (site.repository / "desired/instances/beta.toml").unlink()
    site.apply()
    assert site.bed.run("podman", "ps", "--all", "--format", "{{.Names}}").stdout == "pbx-alpha\n"


def test_containers_with_addresses_beside_the_host(tmp_path: Path) -> None:
    with PodmanBed(tmp_path / "bed") as bed:
        bed.start(OWN)
        for line in (
            "link add up0 type veth peer name up1",
            "link set up0 up",
            "link set up1 up",
            "address add 203.0.113.99/24 dev up1",
        ):
            bed.run("ip", *line.split())
        site = Site(bed, tmp_path / "fleet", "macvlan")
        host = site.repository / "desired/hosts/fra1.toml"
        host.write_text(f'{host.read_text()}parent = "up0"\nsubnets = ["203.0.113.0/24"]\n')
        site.compile()
        assert "network" in site.pbxfleet("apply", "fra1", "--auto-approve", code=6)
        text = bed_file(site, "beta")
        command = re.findall(r"^#   (podman network create .*)$", text, re.MULTILINE)[0]
        bed.run(*command.split())
        site.apply()
        for name, address in ADDRESSES.items():
            assert site.bound(name) == {address}
            connect = f"import socket; socket.create_connection(('{address}', 80), 5)"
            bed.python("-c", connect)
        assert "203.0.113.10" not in bed.run("ip", "address").stdout, "not the host's own"
        assert site.allowed_cores("beta") == str(CORE)
        site.instance("beta", cpu='"off"')
        site.apply()


def bed_file(site: Site, name: str) -> str:
    file = f"rendered/fra1/root/etc/pbx/compose/pbx-{name}/compose.yaml"
    return (site.repository / file).read_text()
