"""The few parts of BER (X.690) that SNMP messages and certificates are made of."""

from __future__ import annotations

from typing import NamedTuple

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18


class Part(NamedTuple):
    """One value with its tag; `rest` is what follows it."""

    tag: int
    content: bytes
    rest: bytes


def read(data: bytes) -> Part:
    """The first value of `data`; ValueError if it is cut off or of indefinite length."""
    if len(data) < 2:
        raise ValueError("cut off")
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 4 or len(data) < 2 + count:
            raise ValueError("a length that cannot be")
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if len(data) < start + length:
        raise ValueError("cut off")
    return Part(tag, data[start : start + length], data[start + length :])


def inside(data: bytes, tag: int) -> Part:
    """The first value, which has to have that tag; ValueError if it has another one."""
    part = read(data)
    if part.tag != tag:
        raise ValueError(f"tag {part.tag:#x} where {tag:#x} is expected")
    return part


def write(tag: int, content: bytes) -> bytes:
    """A value with its tag and length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(number: int) -> bytes:
    """A number that is not negative."""
    return write(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(text: str) -> bytes:
    """An object identifier from its dotted form, which has at least two arcs."""
    first, second, *arcs = map(int, text.split("."))
    content = b""
    for arc in (40 * first + second, *arcs):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return write(OID, content)
