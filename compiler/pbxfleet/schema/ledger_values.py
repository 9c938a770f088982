"""Keys and values of the ledger's lines: things of a host, and who holds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address

from pbxfleet.model.desired import Sourced
from pbxfleet.model.resolved import Resource
from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.scalars import text_of
from pbxfleet.source.nodes import Node

HOLDER_PATTERN = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?( [1-9][0-9]{0,3})?$"
_HOLDER = re.compile(HOLDER_PATTERN)
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_NUMBER = re.compile("0|[1-9][0-9]{0,4}")
_RANGE = re.compile("([1-9][0-9]{0,4})-([1-9][0-9]{0,4})")
_WANTED = {
    Resource.ADDRESS: "an IPv4 or IPv6 address",
    Resource.CORE: "the number of a core",
    Resource.NUMBER: "a number",
    Resource.PORTS: 'a range of ports such as "8000-8009"',
    Resource.RTP: 'a range of ports such as "49152-50175"',
}
_CODES = {
    Resource.ADDRESS: "FMT116",
    Resource.CORE: "FMT118",
    Resource.NUMBER: "FMT107",
    Resource.PORTS: "FMT117",
    Resource.RTP: "FMT117",
}


def canonical(resource: Resource, key: str) -> str:
    """The key as compile writes it, "" if it names no such thing."""
    if resource is Resource.ADDRESS:
        if _IPV4.fullmatch(key):
            return key
        try:
            return str(ip_address(key))
        except ValueError:
            return ""
    if resource in (Resource.CORE, Resource.NUMBER):
        return key if _NUMBER.fullmatch(key) else ""
    match = _RANGE.fullmatch(key)
    return key if match is not None and int(match[1]) <= int(match[2]) <= 65535 else ""


def key_of(resource: Resource, pattern: str) -> Callable[[str], str]:
    """A check of keys that name things. Problems: FMT107, FMT116 to FMT118."""
    assert pattern, "the pattern is for editors, which see no more than a part of this"

    def read(key: str) -> str:
        if not canonical(resource, key):
            raise problem(_CODES[resource], f"{KEY} must be {_WANTED[resource]}")
        return key

    return read


def holder(node: Node) -> Sourced[str]:
    """The name of an instance, or `name 2` for its second address of a family. Problems: FMT108."""
    found = text_of(node, "the name of an instance")
    if not _HOLDER.match(found.text):
        raise problem("FMT108", f"{KEY} must be the name of an instance, alone or with a number")
    return Sourced(found.text, found.span)


def name_and_place(text: str) -> tuple[str, int]:
    """The instance of a holder's text, and which of its addresses the line is about."""
    name, _, place = text.partition(" ")
    return name, int(place or 1)


def is_holder(text: str) -> bool:
    """Whether a text names an instance as the ledger does."""
    return _HOLDER.match(text) is not None
