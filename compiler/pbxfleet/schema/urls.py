"""Readers of web addresses: what the failover of the PBX polls and calls."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from pbxfleet.core.diagnostics import nearest
from pbxfleet.model.desired import Sourced
from pbxfleet.schema.problem import KEY, inside, problem
from pbxfleet.schema.scalars import text_of
from pbxfleet.source.nodes import Node

SCHEMA_PATTERN = r"https?://[^/?#@\s]+([/?#]\S*)?"
_WANTED = "a web address, http:// or https://"

# RFC 3986, section 3: authority up to the first slash, question mark or number sign.
_PARTS = re.compile(r"(?P<scheme>[^:/?#\s]+)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_NEARLY = re.compile(r"([A-Za-z]+)(?:[:;]/{1,3}|//)(?=[^/])")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]+))?")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBERS = re.compile(r"[0-9.]+")
_NOT_VISIBLE = re.compile(r"[^!-~]")  # RFC 3986 has ASCII only; others are escaped with percent


def web_address(node: Node) -> Sourced[str]:
    """An address with http:// or https:// and a host, without user and password.

    Problems: FMT126, at the part that is wrong.
    """
    found = text_of(node, _WANTED)
    text = found.text
    parts = _PARTS.fullmatch(text)
    if parts is None or parts["scheme"] not in ("http", "https"):
        raise problem("FMT126", f"{KEY} must be {_WANTED}", hint=_scheme_hint(text))
    start = parts.start("authority")
    authority = parts["authority"]
    if "@" in authority:
        raise problem(
            "FMT126",
            f"{KEY} must not hold a user or a password",
            inside(found, start, authority.rindex("@") + 1),
            hint="everybody who reads the repository would read it",
        )
    hidden = _NOT_VISIBLE.search(text)
    if hidden is not None:
        raise problem(
            "FMT126",
            f"{KEY} holds U+{ord(hidden.group()):04X}, which web addresses do not have",
            inside(found, hidden.start(), 1),
            hint="write it as percent sign and two hex digits for each byte",
        )
    fault = _fault(authority)
    if fault:
        span = inside(found, start, max(1, len(authority)))
        raise problem("FMT126", f"{KEY}: {fault}", span)
    return Sourced(text, found.span)


def _scheme_hint(text: str) -> str:
    mistyped = _NEARLY.match(text)
    meant = mistyped and nearest(mistyped[1].lower(), ("http", "https"))
    if mistyped and meant:
        return f'write "{meant}://{text[mistyped.end() :]}"'
    if "://" in text:
        return "the PBX asks web servers only"
    authority, slash, rest = text.partition("/")
    for host in (authority, f"[{authority}]"):
        if not _fault(host):
            return f'write "http://{host}{slash}{rest}"'
    return ""


def _fault(authority: str) -> str:
    """What is wrong with `host:port`; nothing if it is right."""
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        lone = authority.count(":") > 1
        return "an IPv6 address stands in square brackets" if lone else "this is no host"
    if parts["port"] is not None and not 1 <= int(parts["port"][:6]) <= 65535:
        return "ports are 1 to 65535"
    return _host_fault(parts["host"])


def _host_fault(host: str) -> str:
    if not host:
        return "there is no host"
    try:
        if host.startswith("["):
            IPv6Address(host[1:-1])
        elif _NUMBERS.fullmatch(host):
            IPv4Address(host)
    except AddressValueError:
        return f"{host} is not an address"
    if host.startswith("[") or all(map(_LABEL.fullmatch, host.removesuffix(".").split("."))):
        return ""
    return f"{host} is not the name of a host"
