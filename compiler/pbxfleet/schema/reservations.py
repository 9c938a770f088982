"""What a host does not hand out, with a reason, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import Discriminator, Field, Tag

from pbxfleet.model.desired import (
    AddressRange,
    Sourced,
)
from pbxfleet.model.net import PortRange
from pbxfleet.model.reserved import Price, Reserved
from pbxfleet.schema import network, shapes
from pbxfleet.schema.layers import Text
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.scalars import is_whole, scalar, text_of, whole
from pbxfleet.schema.table import Items, Reads, Table
from pbxfleet.source.nodes import Kind, MappingNode, Node

T = TypeVar("T")

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MONEY = "an amount of money such as 49.90"
_REASON = "Why; told where a wish is refused, and in the capacity view."

# Tags become parts of the paths of errors, where they must not be taken for keys of the file.
_AS_VALUE, _AS_TABLE = "<value>", "<table>"
_read_port = whole(1, 65535)


def port_or_range(node: Node) -> Sourced[PortRange]:
    """One port, or `first-last`. Problems: FMT107, FMT109, FMT117."""
    if is_whole(scalar(node, "a port or a range of ports")):
        port = _read_port(node)
        return Sourced(PortRange(port.value, port.value), port.origin)
    return network.port_range(node)


def money(node: Node) -> Sourced[Decimal]:
    """An amount of money, exactly as it is written. Problems: FMT107."""
    found = scalar(node, _MONEY)
    if found.kind is Kind.BOOLEAN or not _AMOUNT.fullmatch(found.text):
        raise problem("FMT107", f'{KEY} must be {_MONEY}, not "{found.text}"')
    return Sourced(Decimal(found.text), found.span)


def currency_code(node: Node) -> Sourced[str]:
    """Three capital letters of ISO 4217. Problems: FMT124."""
    found = text_of(node, "the code of a currency")
    if not _CURRENCY.fullmatch(found.text):
        raise problem("FMT124", f'{KEY} must be a code of ISO 4217 such as "EUR"')
    return Sourced(found.text, found.span)


def _form(node: Any) -> str:
    return _AS_TABLE if isinstance(node, MappingNode) else _AS_VALUE


_Range: TypeAlias = Annotated[
    Sourced[AddressRange], Reads(network.address_range, shapes.ADDRESS_RANGE)
]
_Cores: TypeAlias = Annotated[Sourced[tuple[int, ...]], Reads(network.cores, shapes.CORES)]
_Ports: TypeAlias = Annotated[
    Sourced[PortRange], Reads(port_or_range, shapes.either(shapes.PORT, shapes.PORT_RANGE))
]


class ReservedAddressesModel(Table):
    """Addresses that are not handed out, and why."""

    addresses: Annotated[
        list[_Range], Items(single=True, wanted="an address, a range or a list of them")
    ] = Field(description="An address, a range, or a list of them.", examples=["203.0.113.11"])
    reason: Text = Field(description=_REASON, examples=["monitoring"])


class ReservedCoresModel(Table):
    """Cores that are not handed out, and why."""

    cpus: _Cores = Field(description="The cores.", examples=["14-15"])
    reason: Text = Field(description=_REASON, examples=["recordings are converted here"])


class ReservedPortsModel(Table):
    """Ports that are not handed out, and why."""

    ports: _Ports = Field(description="A port or a range.", examples=["8080-8089"])
    reason: Text = Field(description=_REASON, examples=["reverse proxy"])


ReservedAddresses: TypeAlias = Annotated[
    Annotated[_Range, Tag(_AS_VALUE)] | Annotated[ReservedAddressesModel, Tag(_AS_TABLE)],
    Discriminator(_form),
]
ReservedCores: TypeAlias = Annotated[
    Annotated[_Cores, Tag(_AS_VALUE)] | Annotated[ReservedCoresModel, Tag(_AS_TABLE)],
    Discriminator(_form),
]
ReservedPorts: TypeAlias = Annotated[
    Annotated[_Ports, Tag(_AS_VALUE)] | Annotated[ReservedPortsModel, Tag(_AS_TABLE)],
    Discriminator(_form),
]


class PriceModel(Table):
    """What the host costs per month."""

    amount: Annotated[
        Sourced[Decimal],
        Reads(money, shapes.AMOUNT),
    ] = Field(description="The amount.", examples=["49.90"])
    currency: Annotated[Sourced[str], Reads(currency_code, shapes.CURRENCY)] = Field(
        description="Code of the currency (ISO 4217).", examples=["EUR"]
    )


def lower_addresses(
    written: Iterable[Sourced[AddressRange] | ReservedAddressesModel] | None,
) -> tuple[Reserved[AddressRange], ...]:
    """Reserved addresses in the order of the file."""
    lowered: list[Reserved[AddressRange]] = []
    for one in written or ():
        if isinstance(one, Sourced):
            lowered.append(Reserved(one))
        else:
            lowered += [Reserved(found, one.reason.value) for found in one.addresses]
    return tuple(lowered)


def lower_cores(
    written: Iterable[Sourced[tuple[int, ...]] | ReservedCoresModel] | None,
) -> tuple[Reserved[tuple[int, ...]], ...]:
    """Reserved cores in the order of the file."""
    return tuple(
        Reserved(one) if isinstance(one, Sourced) else Reserved(one.cpus, one.reason.value)
        for one in written or ()
    )


def lower_ports(
    written: Iterable[Sourced[PortRange] | ReservedPortsModel] | None,
) -> tuple[Reserved[PortRange], ...]:
    """Reserved ports in the order of the file."""
    return tuple(
        Reserved(one) if isinstance(one, Sourced) else Reserved(one.ports, one.reason.value)
        for one in written or ()
    )


def lower_price(written: PriceModel | None) -> Price | None:
    """The price of a host, None if it is not declared."""
    return None if written is None else Price(written.amount, written.currency.value)
