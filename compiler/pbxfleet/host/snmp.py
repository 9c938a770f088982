"""The number of calls by SNMP, which the PBX answers in version 1 and to GET alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pbxfleet.host import ber
from pbxfleet.model.asking import Answer

if TYPE_CHECKING:
    from pbxfleet.host.talk import Talk

# Primary calls, not their legs: https://doc.vodia.com/docs/snmp. The PBX goes by the address of who
# asks; a community is documented nowhere, and "public" is the custom.
CALLS = "1.3.6.1.4.1.25060.1.1"
COMMUNITY = b"public"
VERSION_1 = 0
GET, RESPONSE = 0xA0, 0xA2
NUMBERS = (ber.INTEGER, 0x41, 0x42, 0x43)  # INTEGER, Counter, Gauge, TimeTicks: RFC 1155
AGAIN_S = 1.0


def number_of_calls(talk: Talk) -> Answer:
    """The number as text; asked again each second, since a datagram may be lost."""
    number = int.from_bytes(os.urandom(3), "big")
    request = get_request(number, CALLS)
    while True:
        talk.send(request)
        try:
            value = value_in(talk.receive(within_s=AGAIN_S), number)
        except TimeoutError:
            talk.remaining_s()
            continue
        return Answer(0, str(value).encode(), "")


def get_request(number: int, name: str) -> bytes:
    """A GetRequest of one object, with its number (RFC 1157, section 4.1)."""
    binding = ber.write(ber.SEQUENCE, ber.oid(name) + ber.write(ber.NULL, b""))
    body = ber.integer(number) + ber.integer(0) + ber.integer(0) + ber.write(ber.SEQUENCE, binding)
    message = ber.integer(VERSION_1) + ber.write(ber.OCTETS, COMMUNITY) + ber.write(GET, body)
    return ber.write(ber.SEQUENCE, message)


def value_in(message: bytes, number: int) -> int:
    """The value that a response to that request has; ValueError if it has none."""
    version = ber.inside(ber.inside(message, ber.SEQUENCE).content, ber.INTEGER)
    community = ber.inside(version.rest, ber.OCTETS)
    asked = ber.inside(ber.inside(community.rest, RESPONSE).content, ber.INTEGER)
    status = ber.inside(asked.rest, ber.INTEGER)
    index = ber.inside(status.rest, ber.INTEGER)
    if int.from_bytes(asked.content, "big") != number:
        raise ValueError("an answer to another question")
    if any(status.content):
        raise ValueError(f"SNMP error {int.from_bytes(status.content, 'big')}")
    binding = ber.inside(ber.inside(index.rest, ber.SEQUENCE).content, ber.SEQUENCE)
    value = ber.read(ber.inside(binding.content, ber.OID).rest)
    if value.tag not in NUMBERS:
        raise ValueError("the value is no number")
    return int.from_bytes(value.content, "big")
