"""What the reference file of a release says that concerns addresses, read once per release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span
from pbxfleet.model.desired import LISTENER_ROLES, ReleaseFile, Role
from pbxfleet.model.net import Address, Bind
from pbxfleet.model.resolved import Reference
from pbxfleet.pbx.binds import BindError, MappedAddress, Mention, parse_binds, rebind
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.learn import learn
from pbxfleet.pbx.reference import part_of
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.roles import RoleMap


class PlacedBind(NamedTuple):
    """A bind, and where in the reference file it stands."""

    bind: Bind
    span: Span


class Element(NamedTuple):
    """An element of the reference file.

    `value` is None when it is encrypted or nested. `binds` are its binds; `fault` says why it should
    have some but cannot be read, and `span` is the place of that. `address` is set when the value is
    the bare reference address. `sounds` is the role that the name of an unmapped element suggests.
    """

    name: str
    value: str | None
    span: Span
    binds: tuple[PlacedBind, ...] = ()
    fault: str = ""
    address: Address | None = None
    sounds: str = ""


@dataclass(frozen=True, slots=True)
class Elements:
    """The reference file of a release, seen through the roles of the fleet.

    `by_role` has the elements of mapped roles; `loose` other elements that hold binds with literal
    addresses, readable or not, the bare reference address, or ports under a listener's name.
    `addresses` are the reference addresses; `sounds` has the roles that names of unmapped elements
    suggest.
    """

    release: ReleaseFile
    reference: Reference
    addresses: frozenset[Address]
    by_role: Mapping[Role, Element]
    loose: tuple[Element, ...]
    sounds: Mapping[str, str]


def read_elements(
    release: ReleaseFile, reference: Reference, roles: RoleMap, problems: Problems
) -> Elements:
    """Sort the elements of the reference file; reports ADV101 for addresses in running text."""
    addresses = frozenset(address.value for address in release.reference_address)
    by_role: dict[Role, Element] = {}
    loose: list[Element] = []
    sounds = _sounds(reference, addresses)
    for name, (value, span) in reference.settings.items():
        role = roles.roles.get(name)
        element = Element(name, value, span, sounds=sounds.get(name, ""))
        if role is not None:
            by_role[role] = _listener(element) if role in LISTENER_ROLES else element
        elif value:
            known = _loose(element, value, addresses, problems)
            if known is not None:
                loose.append(known)
    return Elements(release, reference, addresses, by_role, tuple(loose), sounds)


def _sounds(reference: Reference, addresses: frozenset[Address]) -> dict[str, str]:
    """The roles that names suggest; a list of ports counts as its first one."""
    values = {
        name: (value.split()[0] if value and _is_ports(value) else value, span)
        for name, (value, span) in reference.settings.items()
    }
    proposals = learn(Reference(reference.file, b"", values), addresses)
    return {proposal.name: proposal.role for proposal in proposals}


def _is_ports(value: str) -> bool:
    words = value.split()
    return bool(words) and all(word.isascii() and word.isdigit() for word in words)


def _listener(element: Element) -> Element:
    if element.value is None:
        return element._replace(fault="its value is encrypted or nested")
    try:
        binds = parse_binds(element.value)
    except BindError as error:
        place = part_of(element.span, element.value, error.offset, error.length)
        return element._replace(fault=error.message, span=place)
    # One word is one bind, which parse_binds gives in order.
    words = re.finditer(r"[^ \t\r\n]+", element.value)
    return element._replace(
        binds=tuple(_placed(element, b, w) for b, w in zip(binds, words, strict=True))
    )


def _placed(element: Element, bind: Bind, word: re.Match[str]) -> PlacedBind:
    return PlacedBind(bind, part_of(element.span, word.string, word.start(), len(word[0])))


def _loose(
    element: Element, value: str, addresses: frozenset[Address], problems: Problems
) -> Element | None:
    """The element with its binds or its bare address, None if it has neither."""
    read = rebind(value, {address: address for address in addresses})
    if read.mentions and _is_mapped(value) and element.name not in SETTINGS:
        return _listener(element)
    for mention in read.mentions:
        problems.add(_mentions(element, value, mention))
    # The catalogue knows its settings: an address among them is somebody else's, not a listener's.
    if element.name in SETTINGS:
        return None
    if read.kind == "binds":
        return element._replace(
            binds=tuple(
                PlacedBind(b.before, part_of(element.span, value, b.offset, b.length))
                for b in read.binds
            )
        )
    if read.address is not None and read.address in addresses:
        return element._replace(address=read.address)
    # A bare port says nothing by itself; under the name of a listener it is the port of all addresses.
    if element.sounds in LISTENER_ROLES and value.strip():
        ports = _listener(element)
        return ports if ports.binds else None
    return None


def _is_mapped(value: str) -> bool:
    """Whether the value would be binds if an IPv4 address in it were not written as IPv6."""
    try:
        parse_binds(value)
    except MappedAddress:
        return True
    except BindError:
        return False
    return False


def _mentions(element: Element, value: str, mention: Mention) -> Diagnostic:
    return Diagnostic(
        "ADV101",
        f'"{element.name}" mentions the reference address {mention.address} in running text, '
        "which stays as it is",
        part_of(element.span, value, mention.offset, mention.length),
        Severity.ADVICE,
        hint=f'if it is meant for each instance, declare settings."{element.name}" yourself',
    )
