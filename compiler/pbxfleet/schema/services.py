"""Keys of a host about its service manager: [compose] and [windows]."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, TypeAlias, TypeVar

from pydantic import Field

from pbxfleet.core.drives import to_windows
from pbxfleet.core.paths import HostPath
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.services import (
    ComposeProgram,
    ComposeWish,
    ContainerNetwork,
    StartType,
    Subnet,
    WindowsWish,
)
from pbxfleet.schema import names, network, scalars, shapes
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.table import Items, Reads, Table
from pbxfleet.source.nodes import Node

T = TypeVar("T")

PROGRAM = ComposeProgram.DOCKER
NETWORK = ContainerNetwork.HOST
NETWORK_NAME = "pbx"
OPEN_FILES = 65536
SCRIPT = HostPath("/C:/ProgramData/pbxfleet/pbxfleet.ps1")
START = StartType.AUTO
RESTART_AFTER_S = 5

# A registry's reference with a digest, or the bare digest of an image that was imported.
IMAGE_PATTERN = r"^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$"
# What the kernel takes (IFNAMSIZ, dev_valid_name), less what would need quoting somewhere.
INTERFACE_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$"
NETWORK_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"


def image_digest(node: Node) -> Sourced[str]:
    """An image by its digest. Problems: SVC103."""
    found = scalars.text_of(node, "an image with its digest")
    if re.fullmatch(IMAGE_PATTERN, found.text) is None:
        raise problem(
            "SVC103",
            f"{KEY} does not say which image it is: a tag can mean another one tomorrow",
            hint='write "NAME@sha256:" and its 64 hex digits',
        )
    return Sourced(found.text, found.span)


def subnet(node: Node) -> Sourced[Subnet]:
    """A network such as 203.0.113.0/24. Problems: FMT116."""
    wanted = 'a network such as "203.0.113.0/24"'
    found = scalars.text_of(node, wanted)
    try:
        if "/" not in found.text:
            raise ValueError("it has no prefix length")
        return Sourced(ip_network(found.text), found.span)
    except ValueError as error:
        raise problem("FMT116", f"{KEY} must be {wanted}: {error}") from None


def _named(pattern: str, what: str) -> Reads:
    def read(node: Node) -> Sourced[str]:
        found = scalars.text_of(node, what)
        if re.fullmatch(pattern, found.text) is None:
            raise problem("FMT124", f"{KEY} is not {what}")
        return Sourced(found.text, found.span)

    return Reads(read, {**shapes.TEXT, "pattern": pattern})


_Program: TypeAlias = Annotated[
    Sourced[ComposeProgram],
    Reads(scalars.one_of(ComposeProgram), shapes.words(ComposeProgram)),
]
_Network: TypeAlias = Annotated[
    Sourced[ContainerNetwork],
    Reads(scalars.one_of(ContainerNetwork), shapes.words(ContainerNetwork)),
]
_Subnet: TypeAlias = Annotated[Sourced[Subnet], Reads(subnet, shapes.INTERFACE_ADDRESS)]
_Gateway: TypeAlias = Annotated[Sourced[Address], Reads(network.address, shapes.ADDRESS)]


_Image: TypeAlias = Annotated[
    Sourced[str], Reads(image_digest, {"type": "string", "pattern": IMAGE_PATTERN})
]
_NetworkName: TypeAlias = Annotated[
    Sourced[str], _named(NETWORK_NAME_PATTERN, "the name of a network")
]
_Interface: TypeAlias = Annotated[
    Sourced[str], _named(INTERFACE_PATTERN, "the name of an interface")
]
_OpenFiles: TypeAlias = Annotated[
    Sourced[int],
    Reads(scalars.whole(1024, 1048576), shapes.number(1024, 1048576, "files")),
]


_Script: TypeAlias = Annotated[
    Sourced[HostPath],
    Reads(names.plain_host_path, shapes.HOST_PATH),
]
_Start: TypeAlias = Annotated[
    Sourced[StartType],
    Reads(scalars.one_of(StartType), {"enum": [str(word) for word in StartType]}),
]
_Delay: TypeAlias = Annotated[
    Sourced[int],
    Reads(scalars.whole(1, 3600), shapes.number(1, 3600, "seconds")),
]


class WindowsModel(Table):
    """How instances run as services of Windows, with services = "windows"."""

    script: _Script | None = Field(
        None,
        description="Where the script for the host lies in its rendered tree.",
        json_schema_extra={"default": to_windows(SCRIPT)},
    )
    start: _Start | None = Field(
        None,
        description="Whether services start with the machine, or a little later.",
        json_schema_extra={"default": START},
    )
    restart_after: _Delay | None = Field(
        None,
        description="Seconds after which a service that has ended by itself is started again.",
        json_schema_extra={"default": RESTART_AFTER_S},
    )


class ComposeModel(Table):
    """How instances run as containers, with services = "compose"."""

    program: _Program | None = Field(
        None,
        description="Program that reads compose files.",
        json_schema_extra={"default": PROGRAM},
    )
    image: _Image | None = Field(
        None,
        description="Image with the libraries that the executable needs, by its digest; executable "
        "and settings stay in the instance's directory.",
        examples=[f"registry.example.com/debian@sha256:{'5' * 64}"],
    )
    network: _Network | None = Field(
        None,
        description="Whether containers use the host's own network, or an address beside it.",
        json_schema_extra={"default": NETWORK},
    )
    network_name: _NetworkName | None = Field(
        None,
        description="Name of the network that containers with macvlan or ipvlan join.",
        json_schema_extra={"default": NETWORK_NAME},
    )
    parent: _Interface | None = Field(
        None,
        description="Interface that this network is on.",
        examples=["eth0"],
    )
    subnets: Annotated[list[_Subnet], Items()] | None = Field(
        None, description="Networks of its addresses.", examples=[["203.0.113.0/24"]]
    )
    gateways: Annotated[list[_Gateway], Items()] | None = Field(
        None, description="Its routers, one for each network.", examples=[["203.0.113.1"]]
    )
    open_files: _OpenFiles | None = Field(
        None,
        description="Number of files and sockets that an instance may have open.",
        json_schema_extra={"default": OPEN_FILES},
    )


def lower_compose(model: ComposeModel | None, place: Span) -> ComposeWish | None:
    """The table as it was written; what it does not say points at `place`, its key."""
    if model is None:
        return None

    def given(written: Sourced[T] | None, default: T) -> Sourced[T]:
        return Sourced(default, place) if written is None else written

    return ComposeWish(
        span=place,
        program=given(model.program, PROGRAM),
        image=model.image,
        network=given(model.network, NETWORK),
        network_name=given(model.network_name, NETWORK_NAME),
        parent=model.parent,
        subnets=tuple(model.subnets or ()),
        gateways=tuple(model.gateways or ()),
        open_files=given(model.open_files, OPEN_FILES),
    )


def lower_windows(model: WindowsModel | None, place: Span) -> WindowsWish:
    """The table as it was written, or what holds without one; defaults point at `place`."""
    written = WindowsModel.model_construct() if model is None else model

    def given(said: Sourced[T] | None, default: T) -> Sourced[T]:
        return Sourced(default, place) if said is None else said

    return WindowsWish(
        span=place,
        script=given(written.script, SCRIPT),
        start=given(written.start, START),
        restart_after_s=given(written.restart_after, RESTART_AFTER_S),
    )
