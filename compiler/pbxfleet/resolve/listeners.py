"""Listeners of an instance: declared ones, and those of the reference file on its own addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    LISTENER_ROLES,
    InstanceFile,
    Layer,
    ListenWish,
    Off,
    Ownership,
    Role,
    SettingWish,
    Sourced,
)
from pbxfleet.model.net import Address, Bind, Family, Protocol
from pbxfleet.model.resolved import Listener, Reference, ResolvedSetting
from pbxfleet.pbx.binds import BindError, format_bind, format_binds, parse_binds, rebind
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.roles import LISTENERS
from pbxfleet.resolve.allocate import Grant
from pbxfleet.resolve.elements import Element, Elements
from pbxfleet.resolve.problems import Problems
from pbxfleet.resolve.roles import RoleMap

# Port bindings need a restart (https://doc.vodia.com/docs/admin-ports); of other elements with
# addresses nothing is known, which is treated the same.
IMPACT = "restart"
UNKNOWN_TRANSPORT = (Protocol.TCP, Protocol.UDP)


class Source(NamedTuple):
    """Where a derived element comes from, and what that overrode."""

    origin: Span
    overrode: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An instance while it is being resolved: what it has, and what was derived so far.

    `own` are its addresses; `moves` maps each reference address to the instance's first address of
    that family, where it has one. `references` are those of all releases, by name.
    """

    file: InstanceFile
    layer: Layer
    grant: Grant
    own: frozenset[Address]
    moves: Mapping[Address, Address]
    elements: Elements
    roles: RoleMap
    problems: Problems
    references: Mapping[str, Reference]
    listeners: list[Listener] = field(default_factory=list)
    settings: list[ResolvedSetting] = field(default_factory=list)

    def share(self, diagnostic: Diagnostic) -> None:
        """Report a problem that other instances may have with the same words at the same place."""
        self.problems.share(diagnostic, self.file.name, self.file.span)

    def own_element(self, name: str, value: str, label: str, source: Source) -> None:
        """Add a derived element: it is kept as it is now, and a change of it costs a restart."""
        self.settings.append(ResolvedSetting(name, value, Ownership.OWNED, IMPACT, label, *source))


def add_listeners(draft: Draft) -> None:
    """Derive every listener of a known role and of elements that look like one.

    Reports BND102 to BND105, BND107, BND108 and SET104.
    """
    for role in LISTENER_ROLES:
        wish = draft.layer.listen.get(role)
        if wish is not None:
            _declared(draft, role, wish)
        elif role in draft.roles.elements:
            _from_reference(draft, role)
    for element in draft.elements.loose:
        if element.name not in draft.layer.settings:
            _loose(draft, element)
    for name, setting in draft.layer.settings.items():
        _set_by_name(draft, name, setting)


def _declared(draft: Draft, role: Role, wish: Sourced[ListenWish]) -> None:
    binds = tuple(_wished(draft, wish.value))
    element = draft.elements.by_role.get(role)
    known = () if element is None else tuple(_moved(draft, placed.bind) for placed in element.binds)
    for bind in binds:
        if bind.address is not None and bind.address not in draft.own:
            draft.share(_not_own(role, bind, wish.origin))
        same = role not in draft.roles.elements or bind in known
        protocols, literal = LISTENERS[role].protocols, isinstance(wish.value, tuple)
        draft.listeners.append(Listener(role, protocols, bind, wish.origin, same, literal))
    name = draft.roles.elements.get(role)
    if name is None:
        return
    hidden = () if element is None else (element.span,)
    source = Source(wish.origin, (*wish.overrode, *hidden))
    draft.own_element(name, format_binds(binds), f"listen.{role.value}", source)


def _wished(draft: Draft, wish: ListenWish) -> Iterator[Bind]:
    if isinstance(wish, Off):
        return
    if isinstance(wish, tuple):
        yield from wish
        return
    for address in dict.fromkeys(address.value for address in draft.grant.addresses):
        yield Bind(Family.IPV4 if address.version == 4 else Family.IPV6, address, wish)


def _from_reference(draft: Draft, role: Role) -> None:
    element = draft.elements.by_role.get(role)
    if element is None:
        draft.share(_absent(draft, role))
        return
    remedy = f'say listen.{role.value} = PORT or "off"'
    if element.fault:
        draft.share(_unreadable(element, remedy))
        return
    _rebound(draft, element, role.value, LISTENERS[role].protocols, remedy)


def _loose(draft: Draft, element: Element) -> None:
    role = Role(element.sounds) if element.sounds in list(Role) else None
    if role in draft.layer.listen and role not in draft.roles.elements:
        return  # REF102 says that this role is to be mapped
    what = "its role" if role is None else role.value
    remedy = f'map "{element.name}" to {what} in [catalogue], or set it in settings'
    if element.fault:
        draft.share(_unreadable(element, remedy))
    elif element.address is None:
        _rebound(draft, element, element.name, UNKNOWN_TRANSPORT, remedy)
    elif element.address in draft.moves:
        _add_rebound(draft, element, "address")
    else:
        draft.share(_no_family(element.name, element.address, element.span, remedy))


def _rebound(
    draft: Draft, element: Element, role: str, protocols: tuple[Protocol, ...], remedy: str
) -> None:
    """Listeners of an element of the reference file, moved to the instance's addresses."""
    moved = False
    for bind, place in element.binds:
        address = bind.address
        if address is None:
            draft.share(_wildcard(element.name, bind, place, remedy))
            continue
        if address in draft.moves:
            moved = True
        elif address in draft.elements.addresses:
            draft.share(_no_family(element.name, address, place, remedy))
            continue
        elif address not in draft.own:
            draft.share(_foreign(element.name, bind, place, remedy))
            continue
        on = _moved(draft, bind)
        draft.listeners.append(Listener(role, protocols, on, place, as_reference=True))
    if moved:
        label = f"listen.{role}" if role in LISTENERS else "address"
        _add_rebound(draft, element, label)


def _moved(draft: Draft, bind: Bind) -> Bind:
    """A bind of the reference file on the instance's address, where it has one."""
    if bind.address is None or bind.address not in draft.moves:
        return bind
    return Bind(bind.family, draft.moves[bind.address], bind.port)


def _add_rebound(draft: Draft, element: Element, label: str) -> None:
    text = rebind(element.value or "", draft.moves).text
    literal = (element.address, *(placed.bind.address for placed in element.binds))
    moved = {draft.moves[a] for a in literal if a is not None and a in draft.moves}
    origins = [a.origin for a in draft.grant.addresses if a.value in moved]
    source = Source(origins[0] if origins else draft.file.span, (element.span,))
    draft.own_element(element.name, text, label, source)


def _set_by_name(draft: Draft, name: str, setting: Sourced[SettingWish]) -> None:
    """A declared value that reads as binds is a listener unless it is marked raw."""
    wish = setting.value
    if wish.raw or name in SETTINGS or name in draft.roles.roles:
        return
    if wish.value is None and any(e.name == name and e.binds for e in draft.elements.loose):
        draft.share(_unset_binds(name, setting.origin))
    if not isinstance(wish.value, str):
        return
    for bind in _binds_in(draft, name, wish.value):
        if bind.address in draft.own:
            listener = Listener(name, UNKNOWN_TRANSPORT, bind, setting.origin, names_address=True)
            draft.listeners.append(listener)
        else:
            draft.share(_set_elsewhere(name, bind, setting.origin))


def _binds_in(draft: Draft, name: str, value: str) -> Iterator[Bind]:
    """The binds in a declared value; bare ports count where the name is that of a listener."""
    if draft.elements.sounds.get(name) not in LISTENERS:
        yield from (rebound.before for rebound in rebind(value, {}).binds)
        return
    try:
        yield from parse_binds(value)
    except BindError:
        return


def _wildcard(name: str, bind: Bind, place: Span, remedy: str) -> Diagnostic:
    message = f'"{name}" would listen on every address of the machine: {format_bind(bind)}'
    return Diagnostic("BND102", message, place, hint=remedy)


def _foreign(name: str, bind: Bind, place: Span, remedy: str) -> Diagnostic:
    message = (
        f'"{name}" would listen on {format_bind(bind)}, '
        "which is neither the reference address nor the instance's"
    )
    hint = f"{remedy}; or add the address to reference_address of the release"
    return Diagnostic("BND103", message, place, hint=hint)


def _no_family(name: str, address: Address, place: Span, remedy: str) -> Diagnostic:
    message = (
        f'"{name}" is on the reference address {address}, '
        f"but the instance has no IPv{address.version} address to put there"
    )
    hint = f"give the instance an IPv{address.version} address; or {remedy}"
    return Diagnostic("BND104", message, place, hint=hint)


def _not_own(role: Role, bind: Bind, place: Span) -> Diagnostic:
    return Diagnostic(
        "BND105",
        f"listen.{role.value} names {format_bind(bind)}, which is not an address of the instance",
        place,
        hint=f"add it to address, or write the port alone: listen.{role.value} = {bind.port}",
    )


def _absent(draft: Draft, role: Role) -> Diagnostic:
    reference = draft.elements.reference.file
    return Diagnostic(
        "BND107",
        f'{reference} has no "{draft.roles.elements[role]}", and listen.{role.value} is not '
        "declared: the PBX would listen on every address",
        draft.elements.release.reference.origin,
        hint=f'say listen.{role.value} = PORT or "off"',
    )


def _unreadable(element: Element, remedy: str) -> Diagnostic:
    message = f'"{element.name}" cannot be read as binds: {element.fault}'
    return Diagnostic("BND108", message, element.span, hint=remedy)


def _unset_binds(name: str, place: Span) -> Diagnostic:
    return Diagnostic(
        "SET104",
        f'"{name}" looks like a listener: without it the PBX would use its default, every address',
        place,
        hint=f'switch it off instead: settings.{name} = ""',
    )


def _set_elsewhere(name: str, bind: Bind, place: Span) -> Diagnostic:
    return Diagnostic(
        "SET104",
        f'"{name}" looks like a listener, and {format_bind(bind)} is not the instance\'s alone',
        place,
        hint=f"bind it to the instance's address; if it is no listener, say so: settings.{name} = "
        "{ value = ..., raw = true }",
    )
