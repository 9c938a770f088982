"""Compose files: what a real compose program reads in them, and how odd paths are written."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pbxfleet.model.desired import AffinityBy, ServiceBackend
from pbxfleet.model.services import ComposeProgram, ContainerNetwork
from pbxfleet.render.services import BACKENDS
from pbxfleet.render.services.compose import network_command, quoted
from pbxfleet.render.services.hardening import CAPABILITIES
from support.resolved import Wish, compose, host

ODD_DIRECTORY = "/srv/p b%x/$HOME ${A} ;[1]*#~{a}'\"\\\u00fc\U0001f4de"
PROGRAM = Path(sys.executable).with_name("podman-compose")


def text(wish: Wish, affinity: AffinityBy = AffinityBy.UNIT, **says: Any) -> str:
    resolved = host([wish], ServiceBackend.COMPOSE, affinity=affinity, **says)
    made = BACKENDS[ServiceBackend.COMPOSE].service_file(resolved, resolved.instances[0])
    assert made is not None and made.mode == 0o644
    return made.content.decode()


def service(wish: Wish, affinity: AffinityBy = AffinityBy.UNIT, **says: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text(wish, affinity, **says))["services"]["pbx-acme"]
    return found


@pytest.mark.parametrize("network", list(ContainerNetwork))
@pytest.mark.parametrize("directory", ["/usr/local/pbx-acme", ODD_DIRECTORY])
def test_a_compose_program_reads_it(tmp_path: Path, directory: str, network: str) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(text(Wish("acme", cpu=1, directory=directory, peer="x"), network=network))
    done = subprocess.run(
        [PROGRAM, "--file", file, "config"], check=True, capture_output=True, text=True, timeout=60
    )
    read = yaml.safe_load(done.stdout)["services"]["pbx-acme"]
    assert read["entrypoint"] == [f"{directory}/pbxctrl", "--no-daemon", "--dir", directory]
    assert read["working_dir"] == directory
    mounts = [{"type": "bind", "source": p, "target": p} for p in (directory, FAILOVER)]
    assert read["volumes"] == mounts
    assert read["cpuset"] == "1"
    assert "ports" not in read


def test_folders_of_files_outside_the_directory_are_mounted() -> None:
    settings = {
        "log_filename": f"{ODD_FOLDER}/acme.log",
        "cdr_url": "file:/srv/cdr/acme/out.csv file:/srv/cdr/all.csv /usr/local/pbx-acme/own.csv",
    }
    shared = [
        {"type": "bind", "source": folder, "target": folder, "bind": {"create_host_path": True}}
        for folder in ("/srv/cdr", ODD_FOLDER)
    ]
    found = service(Wish("acme", settings=settings, peer="x"))["volumes"]
    found = [{**one, "source": one["source"].replace("$$", "$"),
              "target": one["target"].replace("$$", "$")} for one in found]  # fmt: skip
    assert found[:2] == shared
    assert [one["target"] for one in found[2:]] == ["/usr/local/pbx-acme", FAILOVER]


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("/acme.log", True),
        ("/etc/acme.log", True),
        ("/usr/lib/pbx/acme.log", True),
        ("/proc/acme.log", True),
        ("/usr/local/pbx-acme/acme.log", False),
        ("/etc/pbx/acme.log", False),
        ("/var/log/acme.log", False),
        ("acme.log", False),
    ],
)
def test_folders_of_the_image_are_not_hidden(path: str, refused: bool) -> None:
    resolved = host([Wish("acme", settings={"log_filename": path})], ServiceBackend.COMPOSE)
    found = BACKENDS[ServiceBackend.COMPOSE].problems(resolved.instances[0])
    assert [d.code for d in found] == ["DIR122"] * refused


ODD_FOLDER = '/var/log/p "b" $x'
FAILOVER = "/etc/pbx/failover-acme.conf"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_a_quoted_text_means_itself(word: str) -> None:
    assert yaml.safe_load(quoted(word)) == word.replace("$", "$$")
    assert json.loads(quoted(word)) == word.replace("$", "$$")


def test_the_core_is_a_set_that_the_container_cannot_leave() -> None:
    assert service(Wish("acme", cpu=3))["cpuset"] == "3"
    assert service(Wish("acme", cpu=3), AffinityBy.CPUSET)["cpuset"] == "3"
    assert "cpuset" not in service(Wish("acme", cpu=3), AffinityBy.PBX)
    assert "cpuset" not in service(Wish("acme"))


def test_hardening_is_that_of_units_as_far_as_containers_have_it() -> None:
    hard = service(Wish("acme"))
    assert hard["cap_drop"] == ["ALL"]
    assert hard["cap_add"] == [capability.name for capability in CAPABILITIES]
    assert hard["security_opt"] == ["no-new-privileges:true"]
    soft = service(Wish("acme"), hardening=False)
    assert not {"cap_drop", "security_opt"} & set(soft)
    assert "CAP_SYS_NICE" in soft["cap_add"]


def test_an_address_beside_the_host_is_in_the_file_and_its_network_is_not_made_by_it() -> None:
    read = yaml.safe_load(text(Wish("acme", address="203.0.113.10"), network="macvlan"))
    assert read["services"]["pbx-acme"]["networks"] == {"pbx": {"ipv4_address": "203.0.113.10"}}
    assert read["networks"] == {"pbx": {"name": "pbx", "external": True}}
    read = yaml.safe_load(text(Wish("acme"), network="host"))
    assert read["services"]["pbx-acme"]["network_mode"] == "host"
    assert "networks" not in read


@pytest.mark.parametrize(
    ("program", "engine"), [("docker-compose", "docker"), ("podman compose", "podman")]
)
def test_the_network_is_made_by_one_command(program: str, engine: str) -> None:
    wish = compose(ContainerNetwork.IPVLAN)
    wish = replace(wish, program=replace(wish.program, value=ComposeProgram(program)))
    assert network_command(wish) == (
        f"{engine} network create --driver ipvlan --opt parent=eth0 --ipv6 "
        "--subnet 203.0.113.0/24 --gateway=203.0.113.1 "
        "--subnet 2001:db8:1::/64 --gateway=2001:db8:1::1 pbx"
    )
