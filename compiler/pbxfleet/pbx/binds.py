"""Bind lists: what a listener's setting may say, and moving them from one address to another.

The grammar is that of the vendor's page on ports (https://doc.vodia.com/docs/admin-ports): a port
for all addresses, ADDRESS:PORT or [IPV6]:PORT, several separated by spaces; empty is off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from pbxfleet.model.net import Address, Bind, Family
from pbxfleet.pbx.patterns import compiled

_SPACE = " \t\r\n"
_FORMS = "write PORT, ADDRESS:PORT or [IPV6]:PORT, several separated by spaces; empty is off"


class BindError(ValueError):
    """Text that is no bind. `offset` and `length` are characters in the text that was given."""

    def __init__(self, message: str, offset: int, length: int, hint: str = _FORMS) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.hint = hint


class MappedAddress(BindError):
    """A bind on an IPv4 address that is written as IPv6: the kernel would bind the IPv4 address."""


class ReboundBind(NamedTuple):
    """One bind of a list, as it was and as it is now; `offset` and `length` in the text given."""

    before: Bind
    after: Bind
    replaced: bool
    offset: int
    length: int


class Mention(NamedTuple):
    """A place in a text where one of the addresses stands as a word of its own."""

    address: Address
    offset: int
    length: int


class Rebound(NamedTuple):
    """What a setting's value is, and the value with every mapped address replaced.

    `kind` is `binds` (a bind list with at least one literal address; `binds` has its members),
    `address` (one bare address; `address` is the one that now stands there) or `text` (anything
    else; nothing is replaced, `mentions` says where mapped addresses occur). Binds that need no
    change, and white space always, keep their spelling.
    """

    kind: str
    text: str
    replaced: bool
    binds: tuple[ReboundBind, ...] = ()
    address: Address | None = None
    mentions: tuple[Mention, ...] = ()


def parse_binds(text: str) -> tuple[Bind, ...]:
    """The binds in `text`, in order; () when it is empty, which means off. Else `BindError`.

    Addresses are strict: no names, leading zeros, zones, or IPv4 addresses in IPv6 clothes.
    """
    return tuple(_bind(token, offset) for token, offset in _tokens(text))


def format_bind(bind: Bind) -> str:
    """The bind as the PBX reads it."""
    if bind.address is not None:
        return f"{bracketed(bind.address)}:{bind.port}"
    return {Family.ANY: "", Family.IPV4: "0.0.0.0:", Family.IPV6: "[::]:"}[bind.family] + str(
        bind.port
    )


def format_binds(binds: Iterable[Bind]) -> str:
    """The binds separated by one space each; the empty text, which means off, if there are none."""
    return " ".join(format_bind(bind) for bind in binds)


@lru_cache(maxsize=4096)  # each address stands in half a dozen values, and its text is dear
def bracketed(address: Address) -> str:
    """The address as it stands before a colon and a port: IPv6 in square brackets."""
    return str(address) if address.version == 4 else f"[{address}]"


def bind_text(addresses: Sequence[Address], port: int) -> str:
    """One bind on `port` for each address, IPv4 first; ValueError without any (that means off)."""
    if not addresses:
        raise ValueError("a bind needs an address")
    in_order = sorted(addresses, key=lambda address: address.version)
    return " ".join(f"{bracketed(address)}:{port}" for address in in_order)


def rebind(text: str, mapping: Mapping[Address, Address]) -> Rebound:
    """Replace every address of a bind list, or a bare address, that is a key of `mapping`."""
    if "." not in text and ":" not in text:  # most settings: no address in any spelling
        return Rebound("text", text, replaced=False)
    listed = _rebound_list(text, mapping)
    if listed is not None:
        return listed
    bare = text.strip(_SPACE)
    inner = bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare
    address = _literal(inner)
    if address is None or _plain_ipv4(address) or (inner != bare and address.version == 4):
        return Rebound("text", text, replaced=False, mentions=_mentions(text, mapping))
    wanted = mapping.get(address, address)
    if wanted == address:
        return Rebound("address", text, replaced=False, address=address)
    new = bracketed(wanted) if inner != bare else str(wanted)
    at = text.index(bare)
    new_text = text[:at] + new + text[at + len(bare) :]
    return Rebound("address", new_text, replaced=True, address=wanted)


def _rebound_list(text: str, mapping: Mapping[Address, Address]) -> Rebound | None:
    found: list[ReboundBind] = []
    parts: list[str] = []
    position = 0
    literal = False
    for token, offset in _tokens(text):
        try:
            before = _bind(token, offset)
        except BindError:
            return None
        literal = literal or ":" in token
        after = before
        if before.address is not None and mapping.get(before.address, before.address) != (
            before.address
        ):
            after = _on(mapping[before.address], before.port)
        replaced = after is not before
        found.append(ReboundBind(before, after, replaced, offset, len(token)))
        parts += (text[position:offset], format_bind(after) if replaced else token)
        position = offset + len(token)
    if not literal:
        return None
    parts.append(text[position:])
    return Rebound("binds", "".join(parts), any(bind.replaced for bind in found), tuple(found))


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    position = 0
    while position < len(text):
        if text[position] in _SPACE:
            position += 1
            continue
        start = position
        while position < len(text) and text[position] not in _SPACE:
            position += 1
        yield text[start:position], start


def _bind(token: str, offset: int) -> Bind:
    host, colon, port_text = token.rpartition(":")
    if not token.startswith("[") and (_is_ipv6(host) or _is_ipv6(token)):
        raise BindError(
            f'"{token}" has an IPv6 address without square brackets',
            offset,
            len(token),
            "write [IPV6]:PORT",
        )
    if host.startswith("[") and not host.endswith("]"):
        raise BindError(f'"{token}" has no port behind the square brackets', offset, len(token))
    if not host and colon:
        raise BindError(f'"{token}" has no address before the colon', offset, len(token))
    port = _port(port_text, offset + len(host) + len(colon), token, offset)
    if not host:
        return Bind(Family.ANY, None, port)
    return _on(_address(host, offset), port)


def _on(address: Address, port: int) -> Bind:
    family = Family.IPV4 if address.version == 4 else Family.IPV6
    return Bind(family, None if address.is_unspecified else address, port)


def _port(text: str, offset: int, token: str, token_offset: int) -> int:
    if not text.isascii() or not text.isdigit():
        if text and token == text:
            alone = f'"{token}" has no port' if _literal(token) else f'"{token}" is not a bind'
            raise BindError(alone, token_offset, len(token))
        shown = f'"{text}" is not a port' if text else f'"{token}" has no port'
        where = (offset, len(text)) if text else (token_offset, len(token))
        raise BindError(shown, *where)
    if text.startswith("0") and text != "0":
        raise BindError(f'the port "{text}" has leading zeros', offset, len(text))
    if len(text) > 5 or not 1 <= int(text) <= 65535:
        raise BindError(f"the port {text[:20]} is not between 1 and 65535", offset, len(text))
    return int(text)


def _address(host: str, offset: int) -> Address:
    inner = host[1:-1] if host.startswith("[") else host
    at = offset + (inner is not host)
    try:
        address = _strict(inner, six=inner is not host)
    except AddressValueError as error:
        raise BindError(
            _wrong_address(inner, inner is not host, error), at, max(len(inner), 1)
        ) from None
    plain = _plain_ipv4(address)
    if plain is not None:
        raise MappedAddress(
            f'"{inner}" is the IPv4 address {plain} written as IPv6',
            at,
            len(inner),
            f"write {plain}:PORT",
        )
    return address


def _strict(text: str, *, six: bool) -> Address:
    if not six:
        return IPv4Address(text)
    if "%" in text:
        raise AddressValueError("zone")
    return IPv6Address(text)


def _wrong_address(text: str, six: bool, error: AddressValueError) -> str:
    if "%" in text:
        return f'"{text}" has a zone, which a bind cannot have'
    if "eading zero" in str(error):
        return f'"{text}" has leading zeros, which some programs read as octal'
    if not text.strip("0123456789."):
        if six:
            return f'"{text}" is not an IPv6 address; IPv4 has no square brackets'
        return f'"{text}" is not an IPv4 address'
    return f'"{text}" is not an address; names are not resolved'


def _literal(text: str) -> Address | None:
    try:
        return _strict(text, six=":" in text)
    except AddressValueError:
        return None


def _is_ipv6(text: str) -> bool:
    address = _literal(text)
    return address is not None and address.version == 6


def _plain_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address that ::ffff:a.b.c.d stands for (RFC 4291, 2.5.5.2)."""
    return address.ipv4_mapped if isinstance(address, IPv6Address) else None


# A run of digits and dots, or of hexadecimal digits and colons, that is no part of a longer word:
# 198.51.100.10 is neither in 198.51.100.101 nor in 198.51.100.10.example.com.
_WORD_4 = r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.\w)"
_WORD_6 = r"(?<!\w)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]*+(?!:?\w)"


def _mentions(text: str, mapping: Mapping[Address, Address]) -> tuple[Mention, ...]:
    """Places where a key of `mapping` stands in `text`, in any spelling, in order."""
    found: list[Mention] = []
    for pattern in (_WORD_6, _WORD_4) if mapping else ():
        for match in compiled(pattern).finditer(text):
            word = match[0].rstrip(".")
            address = _literal(word)
            if address is not None and address not in mapping:
                address = _plain_ipv4(address)
            inside = any(one.offset <= match.start() < one.offset + one.length for one in found)
            if address is not None and address in mapping and not inside:
                found.append(Mention(address, match.start(), len(word)))
    return tuple(sorted(found, key=lambda mention: mention.offset))
