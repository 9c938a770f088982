"""The ledger: what earlier compiles handed out, as the repository remembers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from pbxfleet.core.diagnostics import Diagnostic, Outcome, outcome
from pbxfleet.core.span import Span
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address, PortRange
from pbxfleet.model.resolved import Ledger, Resource, Thing
from pbxfleet.schema import ledger_values, names, network, scalars, shapes
from pbxfleet.schema.errors import read_table
from pbxfleet.schema.holdings import Holding, Tombstone, ledger_of
from pbxfleet.schema.layers import Text
from pbxfleet.schema.ledger_lines import from_lines
from pbxfleet.schema.table import OPEN_TABLE, Items, Reads, Table
from pbxfleet.source.load import load
from pbxfleet.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from pbxfleet.source.text import MAX_FILE_BYTES, display_text

_Address: TypeAlias = Annotated[Sourced[Address], Reads(network.address, shapes.ADDRESS)]
_Range: TypeAlias = Annotated[Sourced[PortRange], Reads(network.port_range, shapes.PORT_RANGE)]
_Holder: TypeAlias = Annotated[
    Sourced[str],
    Reads(ledger_values.holder, shapes.HOLDER),
]
_Holders: TypeAlias = Annotated[
    list[_Holder], Items(single=True, wanted="the name of an instance or a list of names")
]


class AllocationModel(Table):
    """What one instance was given, in format 1."""

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
    rtp: _Range | None = Field(None, description="UDP ports for media.", examples=["49152-50175"])
    ports: _Range | None = Field(
        None, description="Block of ports for listeners.", examples=["8000-8009"]
    )
    number: (
        Annotated[
            Sourced[int],
            Reads(scalars.whole(0, 99_999), shapes.number(0, 99_999, "number of an instance")),
        ]
        | None
    ) = Field(None, description="Number, for {number} in paths.", examples=[1])


def _key(resource: Resource, pattern: str) -> AfterValidator:
    return AfterValidator(ledger_values.key_of(resource, pattern))


_ADDRESS, _NUMBER, _BLOCK = "[.:]", "^[0-9]{1,5}$", "^[0-9]{1,5}-[0-9]{1,5}$"
_AddressKey: TypeAlias = Annotated[
    str, _key(Resource.ADDRESS, _ADDRESS), WithJsonSchema({"type": "string", "pattern": _ADDRESS})
]
_CoreKey: TypeAlias = Annotated[
    str, _key(Resource.CORE, _NUMBER), WithJsonSchema({"type": "string", "pattern": _NUMBER})
]
_NumberKey: TypeAlias = Annotated[
    str, _key(Resource.NUMBER, _NUMBER), WithJsonSchema({"type": "string", "pattern": _NUMBER})
]
_BlockKey: TypeAlias = Annotated[
    str, _key(Resource.RTP, _BLOCK), WithJsonSchema({"type": "string", "pattern": _BLOCK})
]


class HoldersModel(Table):
    """The things of one host, each with the instance that holds it."""

    addresses: Annotated[dict[_AddressKey, _Holders], OPEN_TABLE] | None = Field(
        None, description="Addresses; several instances only where all of them declare it."
    )
    cores: Annotated[dict[_CoreKey, _Holders], OPEN_TABLE] | None = Field(
        None, description="Cores."
    )
    numbers: Annotated[dict[_NumberKey, _Holders], OPEN_TABLE] | None = Field(
        None, description="Numbers, for {number} in paths."
    )
    ports: Annotated[dict[_BlockKey, _Holders], OPEN_TABLE] | None = Field(
        None, description="Blocks of ports for listeners."
    )
    rtp: Annotated[dict[_BlockKey, _Holders], OPEN_TABLE] | None = Field(
        None, description="Blocks of UDP ports for media."
    )


class LedgerModel(Table):
    """desired/ledger.toml: written by compile, committed with the fleet."""

    format: Annotated[Sourced[int], Reads(names.ledger_format, shapes.LEDGER_FORMAT)] | None = (
        Field(None, description="Number of the file format; compile writes 2.", examples=[2])
    )
    hosts: Annotated[dict[str, HoldersModel], OPEN_TABLE] | None = Field(
        None, description="What is held on each host."
    )
    tombstones: Annotated[dict[str, Text], OPEN_TABLE] | None = Field(
        None,
        description="Instances that are gone, each with its host; what they held stays theirs until "
        "it is released.",
        examples=[{"birch": "fra1"}],
    )
    instances: Annotated[dict[str, AllocationModel], OPEN_TABLE] | None = Field(
        None, description="Allocations by instance, in format 1."
    )


def read_ledger_file(file: str, content: bytes) -> Outcome[Ledger]:
    """The ledger in a file; problems of its text (SRC1xx) and of what it says (FMT1xx, ALC107).

    What compile wrote is read line by line, which is ten times as fast; the rest by the full reader.
    """
    small = len(content) <= MAX_FILE_BYTES
    plain = from_lines(file, display_text(content)) if small else None
    if plain is not None:
        return plain
    loaded = load(file, content)
    if loaded.value is None:
        return Outcome(None, loaded.diagnostics)
    return read_ledger(loaded.value)


def read_ledger(root: MappingNode | None) -> Outcome[Ledger]:
    """Allocations by instance, sorted; none if there is no ledger yet. Problems: FMT1xx, ALC107."""
    if root is None or not root.entries:
        return Outcome(Ledger({}))
    model, problems = read_table(LedgerModel, root, {})
    if model is None:
        return outcome(Ledger({}), (_restored(problem) for problem in problems))
    removed = {
        key: Tombstone(text, span)
        for key, span, node in _entries(root, "tombstones")
        for text in _texts(node)
    }
    holdings = [*_by_instance(model, root), *_by_host(model, root)]
    return ledger_of(holdings, removed)


def _restored(problem: Diagnostic) -> Diagnostic:
    """The problem with a hint that fits a file which compile writes."""
    if problem.hint:
        return problem
    return Diagnostic(
        problem.code, problem.message, problem.span, hint="restore it from the last commit"
    )


def _entries(root: Node, key: str) -> tuple[tuple[str, Span, Node], ...]:
    below = root.get(key) if isinstance(root, MappingNode) else None
    return below.node.entries if below and isinstance(below.node, MappingNode) else ()


def _by_instance(model: LedgerModel, root: MappingNode) -> Iterator[Holding]:
    """What format 1 says: a table for each instance."""
    spans = {key: span for key, span, _ in _entries(root, "instances")}
    for name, one in (model.instances or {}).items():
        places = {4: 0, 6: 0}
        for address in one.addresses or ():
            places[address.value.version] += 1
            place = places[address.value.version]
            thing = Thing(Resource.ADDRESS, str(address.value))
            yield Holding(one.host.value, thing, name, place, spans[name])
        for resource, value in (
            (Resource.CORE, one.cpu),
            (Resource.NUMBER, one.number),
            (Resource.PORTS, one.ports),
            (Resource.RTP, one.rtp),
        ):
            if value is not None:
                thing = Thing(resource, str(value.value))
                yield Holding(one.host.value, thing, name, 1, spans[name])


def _by_host(model: LedgerModel, root: MappingNode) -> Iterator[Holding]:
    """What format 2 says: a line for each thing. The model has proven what is walked here."""
    for host, _, tables in _entries(root, "hosts"):
        for resource in Resource:
            for key, span, node in _entries(tables, resource.value):
                thing = Thing(resource, ledger_values.canonical(resource, key))
                for text in _texts(node):
                    name, place = ledger_values.name_and_place(text)
                    yield Holding(host, thing, name, place, span)


def _texts(node: Node) -> tuple[str, ...]:
    items = node.items if isinstance(node, SequenceNode) else (node,)
    return tuple(item.text for item in items if isinstance(item, ScalarNode))
