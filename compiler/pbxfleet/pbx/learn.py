"""Proposals for the fleet's `[catalogue]`, from the shape of values and the sound of names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from pbxfleet.core.span import Span
from pbxfleet.model.desired import Role
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import Reference
from pbxfleet.pbx.binds import rebind
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.patterns import compiled
from pbxfleet.pbx.roles import CONFIRMED

UNKNOWN_ROLE = "?"


class Proposal(NamedTuple):
    """An element that may have a role. It proposes and never decides.

    `role` is a role's word or `?`. `confidence` is `confirmed` (a public source names it), `likely`
    (value and name both fit, and nothing else does), `possible` (one of them fits, or several
    elements do) or `unknown` (the value looks like a listener's, the name says nothing).
    """

    name: str
    value: str
    role: str
    confidence: str
    why: str
    span: Span


# What a name must contain, as pieces of its small-letter form; the first row that fits counts.
_LISTENERS = (
    (Role.TFTP, ("tftp",)),
    (Role.SNMP, ("snmp",)),
    (Role.LDAP, ("ldap",)),
    (Role.SIP_TLS, ("sips",)),
    (Role.SIP_TLS, ("sip", "tls")),
    (Role.SIP_TCP, ("sip", "tcp")),
    (Role.SIP_UDP, ("sip", "udp")),
)
_FIRST = "start|begin|first|from|min|low"
_LAST = "end|stop|last|to|max|high"


def learn(reference: Reference, addresses: Collection[Address]) -> tuple[Proposal, ...]:
    """Elements that hold binds, one of `addresses`, or a port under a telling name, in file order.

    `addresses` are the reference addresses. Encrypted and secret settings are never shown.
    """
    same = {address: address for address in addresses}
    found = [
        proposal
        for name, (value, span) in reference.settings.items()
        if value is not None and (name not in SETTINGS or name in CONFIRMED.values())
        if (proposal := _proposal(name, value, span, same)) is not None
    ]
    claims = Counter(proposal.role for proposal in found)
    return tuple(
        proposal._replace(
            confidence="possible", why=f"{proposal.why}; other elements fit this role too"
        )
        if proposal.confidence == "likely" and claims[proposal.role] > 1
        else proposal
        for proposal in found
    )


def _proposal(
    name: str, value: str, span: Span, same: Mapping[Address, Address]
) -> Proposal | None:
    for role, confirmed in CONFIRMED.items():
        if name == confirmed:
            why = "the vendor's documentation names this element"
            return Proposal(name, value, role.value, "confirmed", why, span)
    shape, strong = _shape(value, same)
    role_by_name = _role_by_name(name.lower(), shape)
    if role_by_name is not None:
        confidence = "likely" if strong else "possible"
        why = f"{shape or 'the value says nothing'}, and the name fits {role_by_name.value}"
        return Proposal(name, value, role_by_name.value, confidence, why, span)
    if strong:
        return Proposal(name, value, UNKNOWN_ROLE, "unknown", shape, span)
    return None


_BINDS = "the value is a bind list"
_ADDRESS = "the value is the reference address"
_MENTION = "the value mentions the reference address"
_PORT = "the value is a number that can be a port"
_EMPTY = "the value is empty, which may mean off"


def _shape(value: str, same: Mapping[Address, Address]) -> tuple[str, bool]:
    """What the value looks like, and whether that alone is a reason to show it."""
    rebound = rebind(value, same)
    if rebound.kind == "binds":
        return _BINDS, True
    if rebound.kind == "address":
        return (_ADDRESS, True) if rebound.address in same else ("", False)
    if rebound.mentions:
        return _MENTION, True
    bare = value.strip()
    if not bare:
        return _EMPTY, False
    is_port = bare.isascii() and bare.isdigit() and len(bare) < 6 and 0 < int(bare) < 65536
    return (_PORT if is_port else ""), False


def _role_by_name(name: str, shape: str) -> Role | None:
    if "affinity" in name:
        return Role.AFFINITY
    if "rtp" in name and "srtp" not in name:
        return _rtp_role(name, shape)
    if shape == _BINDS or (shape in (_PORT, _EMPTY) and "port" in name):
        for role, pieces in _LISTENERS:
            if all(piece in name for piece in pieces):
                return role
    return None


def _rtp_role(name: str, shape: str) -> Role | None:
    words = set(compiled("[a-z]+").findall(name))
    if shape == _ADDRESS or (shape == _EMPTY and words & {"ip", "bind", "address", "addr"}):
        return Role.RTP_BIND
    if shape != _PORT:
        return None
    for role, wanted in ((Role.RTP_START, _FIRST), (Role.RTP_END, _LAST)):
        if words & set(wanted.split("|")):
            return role
    return None
