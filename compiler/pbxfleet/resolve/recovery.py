"""An instance's file as it must be on another host: the fewest changes with which it can start there.

Addresses usually do not move between hosts, so declared ones become `auto` of the same family; what
the instance had from the defaults of its host and would not have on the other one (families, core,
release) is written into its own file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pbxfleet.model.desired import (
    AddressWish,
    Auto,
    CpuWish,
    HostFile,
    InstanceFile,
    Layer,
    ListenWish,
    Off,
    Role,
    Sourced,
)
from pbxfleet.model.net import Address, PortRange
from pbxfleet.model.network import Own, SourceWish
from pbxfleet.model.rehearsal import Edit
from pbxfleet.model.resolved import ResolvedInstance
from pbxfleet.pbx.binds import format_binds, rebind
from pbxfleet.resolve.pools import has_family

BY_VERSION = {4: Auto.IPV4, 6: Auto.IPV6}


class Moved(NamedTuple):
    """An instance's file for another host, and the changes of the text that make it so."""

    file: InstanceFile
    edits: tuple[Edit, ...]


class Terms(NamedTuple):
    """Where an instance goes: the host, and the layers under it there (host and fleet defaults).

    `pool` is the host as addresses are handed out for it: without those that another program is on.
    """

    host: HostFile
    defaults: Layer
    pool: HostFile


def moved(file: InstanceFile, now: ResolvedInstance, left: HostFile, terms: Terms) -> Moved:
    """The file of an instance that leaves `left`; its addresses are still to be handed out."""
    layer, edits = file.layer, [Edit(file.host.origin, _quoted(terms.host.name))]
    place = file.host.origin
    addresses = wished_addresses(layer, now, left, terms)
    if layer.address is not None and addresses is not None:
        edits += [
            Edit(old.origin, _quoted(str(new.value)))
            for old, new in zip(layer.address, addresses, strict=True)
            if old.value != new.value
        ]
    elif addresses is not None:
        words = ", ".join(_quoted(str(a.value)) for a in addresses)
        edits.append(Edit(place, f"[{words}]", "address"))
    layer = replace(layer, address=addresses)
    cpu = wished_cpu(layer, now, terms)
    if cpu != layer.cpu and cpu is not None:
        inserted = layer.cpu is None
        at = place if inserted else cpu.origin
        edits.append(Edit(at, _quoted(str(cpu.value)), "cpu" if inserted else ""))
    release = layer.release
    if release is None and _other_release(now, terms):
        release = Sourced(now.release.name, place)
        edits.append(Edit(place, _quoted(release.value), "release"))
    ports = layer.ports
    if ports is not None and isinstance(ports.value, PortRange):
        layer = replace(layer, ports=replace(ports, value=Auto.ANY))
        edits.append(Edit(ports.origin, _quoted("auto")))
    layer, rtp = _media(replace(layer, cpu=cpu, release=release), terms)
    host = replace(file.host, value=terms.host.name)
    return Moved(replace(file, host=host, layer=layer), (*edits, *rtp))


def wished_addresses(
    layer: Layer, now: ResolvedInstance, left: HostFile, terms: Terms
) -> tuple[Sourced[AddressWish], ...] | None:
    """What its file must say of addresses; None if the defaults there give the same families."""
    if layer.address is not None:
        return tuple(_wish(wish, left, terms.host) for wish in layer.address)
    needed = [address.value.version for address in now.addresses]
    there = terms.defaults.address
    offered = [Auto.ANY] if there is None else [wish.value for wish in there]
    versions = [wish_version(wish, terms.host) for wish in offered]
    literal = any(not isinstance(wish, Auto) for wish in offered)
    # An address that the host's defaults name is shared by its instances, who have ports of their own.
    if (literal and set(needed) <= set(versions)) or (
        not literal and sorted(needed) == sorted(versions)
    ):
        return None
    return tuple(Sourced(BY_VERSION[version], now.span) for version in needed)


def _wish(wish: Sourced[AddressWish], left: HostFile, to: HostFile) -> Sourced[AddressWish]:
    """A declared address becomes `auto`, and `auto` keeps the family it stands for."""
    version = wish_version(wish.value, left)
    if isinstance(wish.value, Auto) and wish_version(wish.value, to) == version:
        return wish
    return replace(wish, value=BY_VERSION[version])


def wish_version(wish: AddressWish, host: HostFile) -> int:
    """The family that the wish gets on the host: as `allocate_addresses` hands them out."""
    if not isinstance(wish, Auto):
        return wish.version
    if wish is Auto.ANY:
        return 4 if has_family(host, 4) or not has_family(host, 6) else 6
    return 4 if wish is Auto.IPV4 else 6


def wished_cpu(layer: Layer, now: ResolvedInstance, terms: Terms) -> Sourced[CpuWish] | None:
    """What its file must say of the core, so that it is pinned there if it is pinned now."""
    own, there = layer.cpu, terms.defaults.cpu
    if own is not None:
        return replace(own, value=Auto.ANY) if isinstance(own.value, int) else own
    pinned = there is not None and not isinstance(there.value, Off)
    numbered = there is not None and isinstance(there.value, int)
    if pinned == (now.cpu is not None) and not numbered:
        return None
    wish: CpuWish = Off.OFF if now.cpu is None else Auto.ANY
    return Sourced(wish, now.span)


def _other_release(now: ResolvedInstance, terms: Terms) -> bool:
    there = terms.defaults.release
    return there is None or there.value != now.release.name


def _media(layer: Layer, terms: Terms) -> tuple[Layer, tuple[Edit, ...]]:
    """A declared RTP range that the host does not have becomes the host's own range."""
    rtp, pool = layer.rtp, terms.host.rtp
    if rtp is None or pool is None or not isinstance(rtp.value, PortRange):
        return layer, ()
    if rtp.value.first in pool.value and rtp.value.last in pool.value:
        return layer, ()
    edit = Edit(rtp.origin, _quoted(str(pool.value)))
    return replace(layer, rtp=replace(rtp, value=pool.value)), (edit,)


def readdressed(found: Moved, mapping: Mapping[Address, Address]) -> Moved:
    """Binds, source addresses and settings that name an address of before name that of now."""
    layer, edits = found.file.layer, list(found.edits)
    listen = dict(layer.listen)
    for role, wish in layer.listen.items():
        _readdress_listener(role, wish, mapping, listen, edits)
    settings = dict(layer.settings)
    for name, setting in layer.settings.items():
        value = setting.value.value
        if not isinstance(value, str) or setting.origin.line != setting.origin.end_line:
            continue
        rebound = rebind(value, mapping)
        if rebound.replaced:
            settings[name] = replace(setting, value=replace(setting.value, value=rebound.text))
            edits.append(Edit(setting.origin, _quoted(rebound.text)))
    sources = layer.source_address
    if sources is not None:
        sources = tuple(_source(source, mapping, edits) for source in sources)
    layer = replace(layer, listen=listen, settings=settings, source_address=sources)
    return Moved(replace(found.file, layer=layer), tuple(edits))


def _readdress_listener(
    role: Role,
    wish: Sourced[ListenWish],
    mapping: Mapping[Address, Address],
    listen: dict[Role, Sourced[ListenWish]],
    edits: list[Edit],
) -> None:
    if not isinstance(wish.value, tuple):
        return
    binds = tuple(
        bind
        if bind.address is None
        else replace(bind, address=mapping.get(bind.address, bind.address))
        for bind in wish.value
    )
    if binds != wish.value:
        listen[role] = replace(wish, value=binds)
        edits.append(Edit(wish.origin, _quoted(format_binds(binds))))


def _source(
    source: Sourced[SourceWish], mapping: Mapping[Address, Address], edits: list[Edit]
) -> Sourced[SourceWish]:
    if isinstance(source.value, Own) or source.value not in mapping:
        return source
    new = mapping[source.value]
    edits.append(Edit(source.origin, _quoted(str(new))))
    return replace(source, value=new)


def address_map(before: Sequence[Address], after: Iterable[Address]) -> dict[Address, Address]:
    """Each address of before with one of now of the same family, in their order."""
    left = list(after)
    found: dict[Address, Address] = {}
    for address in before:
        match = next((one for one in left if one.version == address.version), None)
        if match is not None:
            left.remove(match)
            found[address] = match
    return found


def _quoted(text: str) -> str:
    """The text as TOML and YAML both write it."""
    return json.dumps(text, ensure_ascii=False)
