"""What people write about the service manager of a host, beyond its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address

Subnet: TypeAlias = IPv4Network | IPv6Network


class ComposeProgram(StrEnum):
    """A program that reads compose files; its first word tells the container engine."""

    DOCKER = "docker compose"
    DOCKER_V1 = "docker-compose"
    PODMAN = "podman compose"
    PODMAN_PYTHON = "podman-compose"


class ContainerNetwork(StrEnum):
    """Where a container has its address: on the host itself, or on a port of its own beside it."""

    HOST = "host"
    MACVLAN = "macvlan"
    IPVLAN = "ipvlan"


@dataclass(frozen=True, slots=True)
class ComposeWish:
    """`[compose]` of a host. `span` is the place of its key; the network's keys count without host.

    `image` is a reference with a digest. `open_files` limits the descriptors of an instance.
    """

    span: Span = field(compare=False)
    program: Sourced[ComposeProgram]
    image: Sourced[str] | None
    network: Sourced[ContainerNetwork]
    network_name: Sourced[str]
    parent: Sourced[str] | None
    subnets: tuple[Sourced[Subnet], ...]
    gateways: tuple[Sourced[Address], ...]
    open_files: Sourced[int]


class StartType(StrEnum):
    """When Windows starts a service: with the machine, or two minutes later."""

    AUTO = "auto"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class WindowsWish:
    """`[windows]` of a host. `restart_after_s` are the seconds after which a dead service is restarted."""

    span: Span = field(compare=False)
    script: Sourced[HostPath]
    start: Sourced[StartType]
    restart_after_s: Sourced[int]
