"""The ledger: allocations that earlier compiles made, as the repository remembers them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.core.diagnostics import Diagnostic, Outcome, outcome
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address, PortRange
from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.schema import names, network, scalars, shapes
from pbxfleet.schema.errors import read_table
from pbxfleet.schema.layers import Text
from pbxfleet.schema.table import OPEN_TABLE, Items, Reads, Table
from pbxfleet.source.nodes import MappingNode

_Address: TypeAlias = Annotated[Sourced[Address], Reads(network.address, shapes.ADDRESS)]


class AllocationModel(Table):
    """What one instance was given."""

    host: Text = Field(description="The host that it was given on.", examples=["fra1"])
    addresses: Annotated[list[_Address], Items()] | None = Field(
        None, description="Addresses.", examples=[["203.0.113.10"]]
    )
    cpu: (
        Annotated[
            Sourced[int],
            Reads(
                scalars.whole(0, network.MOST_CORES - 1),
                shapes.number(0, network.MOST_CORES - 1, shapes.CORE_NUMBER),
            ),
        ]
        | None
    ) = Field(None, description="Core.", examples=[2])
    rtp: (
        Annotated[
            Sourced[PortRange],
            Reads(network.port_range, shapes.PORT_RANGE),
        ]
        | None
    ) = Field(None, description="UDP ports for media.", examples=["49152-50175"])
    ports: (
        Annotated[
            Sourced[PortRange],
            Reads(network.port_range, shapes.PORT_RANGE),
        ]
        | None
    ) = Field(None, description="Block of ports for listeners.", examples=["8000-8009"])
    number: (
        Annotated[
            Sourced[int],
            Reads(scalars.whole(0, 99_999), shapes.number(0, 99_999, "number of an instance")),
        ]
        | None
    ) = Field(None, description="Number, for {number} in paths.", examples=[1])


class LedgerModel(Table):
    """desired/ledger.toml: written by compile, committed with the fleet."""

    format: Annotated[Sourced[int], Reads(names.format_number, shapes.FORMAT)] | None = Field(
        None, description="Number of the file format.", examples=[1]
    )
    instances: Annotated[dict[str, AllocationModel], OPEN_TABLE] | None = Field(
        None, description="Allocations by instance."
    )


def read_ledger(root: MappingNode | None) -> Outcome[Ledger]:
    """Allocations by instance, sorted; none if there is no ledger yet. Problems: FMT1xx."""
    if root is None or not root.entries:
        return Outcome(Ledger({}))
    model, problems = read_table(LedgerModel, root, {})
    if model is None:
        return outcome(Ledger({}), (_restored(problem) for problem in problems))
    written = root.get("instances")
    places = written.node.entries if written and isinstance(written.node, MappingNode) else ()
    allocations = {name: _allocation(a) for name, a in sorted((model.instances or {}).items())}
    return Outcome(Ledger(allocations, {entry.key: entry.key_span for entry in places}))


def _restored(problem: Diagnostic) -> Diagnostic:
    """The problem with a hint that fits a file which compile writes."""
    if problem.hint:
        return problem
    return Diagnostic(
        problem.code, problem.message, problem.span, hint="restore it from the last commit"
    )


def _allocation(model: AllocationModel) -> Allocation:
    return Allocation(
        host=model.host.value,
        addresses=tuple(str(address.value) for address in model.addresses or ()),
        cpu=model.cpu.value if model.cpu else None,
        rtp=str(model.rtp.value) if model.rtp else None,
        number=model.number.value if model.number else None,
        ports=str(model.ports.value) if model.ports else None,
    )
