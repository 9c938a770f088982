"""Readers of addresses, ports and cores."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network

from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    AddressRange,
    AddressWish,
    Auto,
    CpuWish,
    ListenWish,
    Off,
    PortsWish,
    RtpWish,
    Sourced,
)
from pbxfleet.model.net import Address, Bind, Family, PortRange
from pbxfleet.pbx.binds import BindError, parse_binds
from pbxfleet.pbx.port_block import LEAST_BLOCK
from pbxfleet.schema.problem import KEY, inside, problem
from pbxfleet.schema.scalars import is_whole, quoted_choice, scalar, text_of, whole
from pbxfleet.source.nodes import Kind, Node, ScalarNode, SequenceNode

# Linux is built for at most this many (CONFIG_NR_CPUS).
MOST_CORES = 8192

_ONE_ADDRESS = "one IPv4 or IPv6 address"
_ADDRESS_OR_AUTO = f"an address, {quoted_choice(Auto)}"
_RANGE = 'an address or a range such as "203.0.113.10-203.0.113.41"'
_PORTS = 'a range of ports such as "49152-64511"'
_BINDS_HINT = "write ADDRESS:PORT or [IPV6]:PORT, several separated by spaces"
_LISTEN = 'a port from 1 to 65535, "off", or binds such as "203.0.113.10:80 [2001:db8::10]:80"'
_ONE_BIND = 'a port from 1 to 65535, or one bind such as "0.0.0.0:22"'
_CPU = f'the number of a core from 0 to {MOST_CORES - 1}, "auto" or "off"'
_CORES = 'cores such as "0-15" or "0-3,8"'

_PORT_RANGE = re.compile(r"([0-9]{1,6})-([0-9]{1,6})")
_CORE_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_DIGITS = re.compile(r"[0-9]+")


def address(node: Node) -> Sourced[Address]:
    """One literal address. Problems: FMT116."""
    found = text_of(node, _ONE_ADDRESS)
    return Sourced(_literal(found, found.text, 0, _ONE_ADDRESS), found.span)


def address_wish(node: Node) -> Sourced[AddressWish]:
    """A literal address, or `auto`, `auto-ipv4`, `auto-ipv6`."""
    found = text_of(node, _ADDRESS_OR_AUTO)
    if found.text in list(Auto):
        return Sourced(Auto(found.text), found.span)
    return Sourced(_literal(found, found.text, 0, _ADDRESS_OR_AUTO), found.span)


def address_range(node: Node) -> Sourced[AddressRange]:
    """`first-last`, or one address. Problems: FMT116, also for networks: which addresses count?"""
    found = text_of(node, _RANGE)
    first_text, dash, last_text = found.text.partition("-")
    if "/" in found.text:
        raise problem("FMT116", f"{KEY} must be {_RANGE}", hint=_network_hint(found.text))
    first = _literal(found, first_text, 0, _RANGE)
    if not dash:
        return Sourced(AddressRange(first, first), found.span)
    last = _literal(found, last_text, len(first_text) + 1, _RANGE)
    if first.version != last.version:
        raise problem("FMT116", "a range has two addresses of one family, not IPv4 and IPv6")
    if int(first) > int(last):
        raise problem(
            "FMT116",
            f"the range ends ({last}) before it starts ({first})",
            hint=f'write "{last}-{first}"',
        )
    return Sourced(AddressRange(first, last), found.span)


def _literal(node: ScalarNode, text: str, offset: int, wanted: str) -> Address:
    try:
        found = ip_address(text)
    except ValueError:
        found = None
    if found is None or text != text.strip() or "%" in text:
        shown = f', not "{text}"' if text else ""
        place = inside(node, offset, len(text)) if text else node.span
        raise problem("FMT116", f"{KEY} must be {wanted}{shown}", place)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        raise problem(
            "FMT116",
            f"{text} is an IPv4 address in IPv6 clothes",
            inside(node, offset, len(text)),
            hint=f"write {found.ipv4_mapped}",
        )
    why = _not_one(found)
    if why:
        raise problem("FMT116", f"{text} {why}", inside(node, offset, len(text)))
    return found


def _not_one(address: Address) -> str:
    """Why no socket can be bound to exactly this address, empty if one can (RFC 6890, RFC 4007)."""
    if address.is_unspecified:
        return "stands for every address, not for one"
    if address.is_multicast or int(address) == 0xFFFFFFFF:
        return "is an address of many machines, not of one"
    if address.version == 6 and address.is_link_local:
        return "is valid on one link only, and a bind cannot say on which"
    return ""


def _network_hint(text: str) -> str:
    """The range of hosts in a network: what the hosting company most likely meant."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "write the first and the last address"
    first, last = network[0], network[-1]
    if first == last:
        return f'write "{first}"'
    if network.num_addresses > 2:
        first, last = network[1], network[-2]
    return f'write the addresses that are yours, at most "{first}-{last}"'


def port_range(node: Node) -> Sourced[PortRange]:
    """`first-last`, both included. Problems: FMT117."""
    found = text_of(node, _PORTS)
    match = _PORT_RANGE.fullmatch(found.text)
    if match is None:
        raise problem("FMT117", f'{KEY} must be {_PORTS}, not "{found.text}"')
    first, last = int(match.group(1)), int(match.group(2))
    for index, port in ((1, first), (2, last)):
        if not 1 <= port <= 65535:
            place = inside(found, match.start(index), len(match.group(index)))
            raise problem("FMT117", f"{port} is not a port: ports are 1 to 65535", place)
    if first > last:
        raise problem(
            "FMT117", f"the range ends ({last}) before it starts ({first})",
            hint=f'write "{last}-{first}"',
        )  # fmt: skip
    return Sourced(PortRange(first, last), found.span)


def foreign_bind(node: Node) -> Sourced[Bind]:
    """A port on every address, or one bind as the PBX writes them. Problems: FMT109, FMT119."""
    found = scalar(node, _LISTEN)
    if is_whole(found):
        port = _read_port(found)
        return Sourced(Bind(Family.ANY, None, port.value), port.origin)
    found = text_of(node, _ONE_BIND)
    try:
        binds = parse_binds(found.text)
    except BindError as error:
        place = inside(found, error.offset, max(1, error.length))
        raise problem("FMT119", error.message, place, hint=_BINDS_HINT) from None
    if len(binds) != 1 or ":" not in found.text:
        raise problem("FMT119", f'{KEY} must be {_ONE_BIND}, not "{found.text}"')
    return Sourced(binds[0], found.span)


def rtp_wish(node: Node) -> Sourced[RtpWish]:
    """A range of ports, or `auto`."""
    found = text_of(node, f'{_PORTS}, or "auto"')
    if found.text == Auto.ANY:
        return Sourced(Auto.ANY, found.span)
    ports = port_range(node)
    return Sourced(ports.value, ports.origin)


def ports_wish(node: Node) -> Sourced[PortsWish]:
    """A block of ports, `auto` or `off`. Problems: FMT117, also for a block that is too small."""
    found = text_of(node, f'{_PORTS}, "auto" or "off"')
    if found.text in (Auto.ANY, Off.OFF):
        wish: PortsWish = Auto.ANY if found.text == Auto.ANY else Off.OFF
        return Sourced(wish, found.span)
    ports = port_range(node)
    if ports.value.size < LEAST_BLOCK:
        raise problem(
            "FMT117",
            f"{KEY} {ports.value} has {ports.value.size} ports; a block has {LEAST_BLOCK} or more",
            hint=f'write "{ports.value.first}-{ports.value.first + LEAST_BLOCK - 1}", or "auto"',
        )
    return Sourced(ports.value, ports.origin)


_read_block = whole(2, 65534)


def rtp_block(node: Node) -> Sourced[int]:
    """An even number of ports: RTP and RTCP come in pairs (RFC 3550, section 11)."""
    found = _read_block(node)
    if found.value % 2:
        raise problem("FMT109", f"{KEY} must be an even number: RTP and RTCP ports come in pairs")
    return found


_read_port = whole(1, 65535, _LISTEN)


def listen(node: Node) -> Sourced[ListenWish]:
    """A port, `off`, or binds. Problems: FMT107 and FMT109 (port), FMT119 (binds)."""
    if isinstance(node, SequenceNode):
        hint = "write them as one text, separated by spaces"
        raise problem("FMT119", f"{KEY} must be {_LISTEN}, not a list", hint=hint)
    found = scalar(node, _LISTEN)
    if is_whole(found):
        port = _read_port(found)
        return Sourced(port.value, port.origin)
    if found.kind is Kind.BOOLEAN or found.text.lower() in ("", "no", "false", "none"):
        raise problem("FMT119", f"{KEY} must be {_LISTEN}", hint='write "off" to close it')
    found = text_of(node, _LISTEN)
    if found.text == Off.OFF:
        return Sourced(Off.OFF, found.span)
    if _DIGITS.fullmatch(found.text):
        raise problem(
            "FMT119",
            f"{KEY} is a port in quotes",
            hint=f"write {found.text} for that port on the instance's own addresses",
        )
    if ":" not in found.text:
        raise problem("FMT119", f'{KEY} must be {_LISTEN}, not "{found.text}"')
    try:
        return Sourced(parse_binds(found.text), found.span)
    except BindError as error:
        place = inside(found, error.offset, max(1, error.length))
        raise problem("FMT119", error.message, place, hint=_BINDS_HINT) from None


_read_core = whole(0, MOST_CORES - 1, _CPU)


def cpu(node: Node) -> Sourced[CpuWish]:
    """The number of a core, `auto` or `off`. Problems: FMT107 to FMT109."""
    found = scalar(node, _CPU)
    if found.kind in (Kind.PLAIN, Kind.QUOTED) and found.text in (Auto.ANY, Off.OFF):
        wish: CpuWish = Auto.ANY if found.text == Auto.ANY else Off.OFF
        return Sourced(wish, found.span)
    core = _read_core(found)
    return Sourced(core.value, core.origin)


def cores(node: Node) -> Sourced[tuple[int, ...]]:
    """Core numbers, sorted. Problems: FMT118, also for a bare number, which may be meant as a count."""
    found = scalar(node, _CORES)
    if is_whole(found) and found.text != "0":
        raise problem(
            "FMT118",
            f"{KEY} must be {_CORES}",
            hint=f'write "{found.text}" for core {found.text} alone, or "0-..." for several',
        )
    if found.kind not in (Kind.PLAIN, Kind.QUOTED, Kind.INTEGER):
        raise problem("FMT118", f"{KEY} must be {_CORES}")
    listed: set[int] = set()
    offset = 0
    for part in found.text.split(","):
        _add_cores(listed, part, inside(found, offset, max(1, len(part))))
        offset += len(part) + 1
    return Sourced(tuple(sorted(listed)), found.span)


def _add_cores(listed: set[int], part: str, place: Span) -> None:
    match = _CORE_RANGE.fullmatch(part.strip())
    if match is None:
        raise problem("FMT118", f'{KEY} must be {_CORES}, not "{part}"', place)
    first = int(match.group(1))
    last = int(match.group(2) or first)
    if first > last:
        message = f"the range ends ({last}) before it starts ({first})"
        raise problem("FMT118", message, place, hint=f"write {last}-{first}")
    if last >= MOST_CORES:
        raise problem("FMT118", f"Linux has no core {last}: they end at {MOST_CORES - 1}", place)
    twice = [core for core in range(first, last + 1) if core in listed]
    if twice:
        raise problem("FMT118", f"core {twice[0]} is listed twice", place)
    listed |= set(range(first, last + 1))
