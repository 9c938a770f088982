"""Keys that keep a host from a mistake: removals, and which machine the host is."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import Sourced
from pbxfleet.model.guards import (
    ARCHIVES,
    FEWEST_GENERATIONS,
    GENERATIONS,
    MOST_GENERATIONS,
    HostGuards,
    Removed,
)
from pbxfleet.schema import names, scalars, shapes
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.table import Items, Reads, Table
from pbxfleet.source.nodes import Node

MACHINE_ID_PATTERN = "^[0-9a-f]{32}$"  # machine-id(5)
NODE_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$"  # uname(2): at most 64 characters


def matching(pattern: str, wanted: str) -> Reads:
    """Text that matches the whole pattern; a problem says what is `wanted` (FMT124)."""
    from re import fullmatch

    def read(node: Node) -> Sourced[str]:
        found = scalars.text_of(node, wanted)
        if fullmatch(pattern, found.text) is None:
            raise problem("FMT124", f"{KEY} must be {wanted}")
        return Sourced(found.text, found.span)

    return Reads(read, shapes.text(pattern.removeprefix("^").removesuffix("$")))


_Removed: TypeAlias = Annotated[
    Sourced[Removed], Reads(scalars.one_of(Removed), shapes.words(Removed))
]
_HostPath: TypeAlias = Annotated[Sourced[HostPath], Reads(names.plain_host_path, shapes.HOST_PATH)]
_Text: TypeAlias = Annotated[Sourced[str], Reads(scalars.text, shapes.TEXT)]
_KEPT = (FEWEST_GENERATIONS, MOST_GENERATIONS)
_Generations: TypeAlias = Annotated[
    Sourced[int], Reads(scalars.whole(*_KEPT), shapes.number(*_KEPT, "generations"))
]
_NodeName: TypeAlias = Annotated[Sourced[str], matching(NODE_PATTERN, "a node name (uname -n)")]
_MachineId: TypeAlias = Annotated[
    Sourced[str], matching(MACHINE_ID_PATTERN, "32 lower-case hex digits, as in /etc/machine-id")
]


class PolicyGuards(Table):
    """What the fleet says of removals."""

    removed_directory: _Removed | None = Field(
        None,
        description="What becomes of the directory of an instance that is removed: it stays (keep), is "
        "renamed to DIR.removed-1 (aside), or is packed into an archive first and then renamed "
        "(archive). It is never deleted.",
        json_schema_extra={"default": Removed.KEEP.value},
    )
    removed_archives: _HostPath | None = Field(
        None,
        description="Folder on the host for archives of removed directories.",
        examples=["/srv/removed"],
        json_schema_extra={"default": ARCHIVES},
    )
    generations: _Generations | None = Field(
        None,
        description="Number of runs that each host keeps to go back to, with the contents that this takes; "
        "older ones are forgotten.",
        examples=[50],
        json_schema_extra={"default": GENERATIONS},
    )
    empty_hosts: Annotated[list[_Text], Items(unique=True)] | None = Field(
        None,
        description="Hosts of which it is right that they have no instance any more; apply removes the "
        "last instances of no other host.",
        examples=[["fra1"]],
    )


class HostGuardKeys(Table):
    """What a host says of removals, and of the machine that it is."""

    removed_directory: _Removed | None = Field(
        None,
        description="As policy.removed_directory, for this host.",
        examples=["aside"],
        json_schema_extra={"default": Removed.KEEP.value},
    )
    removed_archives: _HostPath | None = Field(
        None,
        description="As policy.removed_archives, for this host.",
        examples=["/srv/removed"],
        json_schema_extra={"default": ARCHIVES},
    )
    node_name: _NodeName | None = Field(
        None,
        description="Name of the machine (uname -n), where it must not be another one.",
        examples=["fra1.example.net"],
    )
    machine_id: _MachineId | None = Field(
        None,
        description="The machine's own number in /etc/machine-id, where it must not be another one.",
        examples=["4f1c0de9b3a24c5d8e7f60718293a4b5"],
    )


def lower_guards(model: HostGuardKeys) -> HostGuards:
    """What a host's file says, as it is written."""
    return HostGuards(
        model.removed_directory, model.removed_archives, model.node_name, model.machine_id
    )
