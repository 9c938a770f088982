"""Where an adopted value is written, so that no other instance gets another value by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.core.span import Span
from pbxfleet.model.adopting import Adoption, AdoptLayer, LeftOut, Wish
from pbxfleet.model.desired import Desired
from pbxfleet.model.resolved import Resolved, ResolvedInstance

OWN = "its own file says it"
DEFAULTS = "defaults"


class Chosen(NamedTuple):
    """What is to be written, and what is left out because of its layer."""

    adoptions: tuple[Adoption, ...]
    left_out: tuple[LeftOut, ...]


class Fleet(NamedTuple):
    """What the choice depends on."""

    desired: Desired
    resolved: Resolved


def chosen(fleet: Fleet, host: str, wishes: Sequence[Wish], layer: AdoptLayer | None) -> Chosen:
    """One edit for each value, in order of file and keys; without `layer` the narrowest that is enough.

    That is the instance's own file, unless every instance that takes the value from a farther layer has
    drifted to the same one: then that layer's value is edited.
    """
    if layer is None:
        return _merged(_narrowest(fleet, wishes))
    return _merged(_in_layer(fleet, host, wishes, layer))


def _narrowest(fleet: Fleet, wishes: Sequence[Wish]) -> Iterable[Adoption | LeftOut]:
    alike: dict[tuple[Span, tuple[str, ...], str], list[Wish]] = {}
    for wish in wishes:
        alike.setdefault((wish.origin, wish.keys, wish.value), []).append(wish)
    for (origin, keys, value), group in alike.items():
        own = fleet.desired.instances[group[0].instance].span.file
        if origin.file == own:
            yield _of_instance(fleet, group[0], OWN)
            continue
        shared = _taking(fleet.resolved, origin, keys)
        layer = _layer_of(fleet, origin.file)
        wishing = {wish.instance for wish in group}
        if layer is not None and len(shared) > 1 and set(shared) == wishing:
            why = f"all {len(shared)} instances that take it from {origin} have it"
            where = (DEFAULTS, *keys)
            yield Adoption(origin.file, layer, where, value, tuple(group), why)
            continue
        others = len(set(shared) - wishing)
        why = f"{origin} says it for {others} other instance{'s' if others != 1 else ''} too"
        for wish in group:
            yield _of_instance(fleet, wish, why if others else f"{origin} says it")


def _of_instance(fleet: Fleet, wish: Wish, why: str) -> Adoption:
    file = fleet.desired.instances[wish.instance].span.file
    return Adoption(file, AdoptLayer.INSTANCE, wish.keys, wish.value, (wish,), why)


def _layer_of(fleet: Fleet, file: str) -> AdoptLayer | None:
    """The layer that is written in a file; None for what is no layer, such as a reference file."""
    if file == fleet.desired.fleet.span.file:
        return AdoptLayer.FLEET
    if any(file == host.span.file for host in fleet.desired.hosts.values()):
        return AdoptLayer.HOST
    return None


def _in_layer(
    fleet: Fleet, host: str, wishes: Sequence[Wish], layer: AdoptLayer
) -> Iterable[Adoption | LeftOut]:
    if layer is AdoptLayer.INSTANCE:
        for wish in wishes:
            yield _of_instance(fleet, wish, "asked for")
        return
    file = _file_of(fleet, host, layer)
    by_keys: dict[tuple[str, ...], list[Wish]] = {}
    for wish in wishes:
        if _is_nearer(fleet, host, wish.origin.file, layer):
            why = f"{wish.origin} is a nearer layer, which wins: the {layer} layer changes nothing"
            yield LeftOut(wish.instance, wish.resource, wish.name, why)
        else:
            by_keys.setdefault(wish.keys, []).append(wish)
    for keys, group in by_keys.items():
        values = sorted({wish.value for wish in group})
        if len(values) > 1:
            why = f"its siblings have drifted to other values ({', '.join(values)})"
            yield from (LeftOut(w.instance, w.resource, w.name, why) for w in group)
            continue
        yield Adoption(file, layer, (DEFAULTS, *keys), values[0], tuple(group), "asked for")


def _file_of(fleet: Fleet, host: str, layer: AdoptLayer) -> str:
    desired = fleet.desired
    return (desired.hosts[host] if layer is AdoptLayer.HOST else desired.fleet).span.file


def _is_nearer(fleet: Fleet, host: str, file: str, layer: AdoptLayer) -> bool:
    """Whether a value from this file wins over one in the layer."""
    if file in {instance.span.file for instance in fleet.desired.instances.values()}:
        return True
    return layer is AdoptLayer.FLEET and file == fleet.desired.hosts[host].span.file


def _taking(resolved: Resolved, origin: Span, keys: tuple[str, ...]) -> list[str]:
    """Names of all instances that take this value from this place."""
    instances = (instance for host in resolved.hosts for instance in host.instances)
    return [one.name for one in instances if origin in _origins(one, keys)]


def _origins(instance: ResolvedInstance, keys: tuple[str, ...]) -> Iterable[Span]:
    """Where the instance takes what these keys say from."""
    simple: Mapping[str, Span | None] = {
        "cpu": None if instance.cpu is None else instance.cpu.origin,
        "rtp": None if instance.rtp is None else instance.rtp.origin,
        "release": instance.release_origin,
    }
    if keys[0] in simple:
        place = simple[keys[0]]
        return () if place is None else (place,)
    label = ".".join(keys)
    return [setting.origin for setting in instance.settings if setting.label == label]


def _merged(found: Iterable[Adoption | LeftOut]) -> Chosen:
    """One adoption for each place: what several elements say together, such as a range, is one value."""
    by_place: dict[tuple[str, tuple[str, ...], str], Adoption] = {}
    left_out: list[LeftOut] = []
    for one in found:
        if isinstance(one, LeftOut):
            left_out.append(one)
            continue
        place = (one.file, one.keys, one.value)
        before = by_place.get(place)
        wishes = (*before.wishes, *one.wishes) if before is not None else one.wishes
        by_place[place] = one._replace(wishes=tuple(sorted(set(wishes))))
    return Chosen(tuple(by_place[place] for place in sorted(by_place)), tuple(left_out))
