"""Cores and instance numbers of the instances of one host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pbxfleet.core.span import Span
from pbxfleet.model.desired import (
    Auto,
    HostFile,
    Sourced,
)
from pbxfleet.model.reserved import Reserved
from pbxfleet.model.resolved import Resource, Thing
from pbxfleet.resolve.desk import Asking, Desk, Holder
from pbxfleet.resolve.pools import free_cores, free_numbers


@dataclass(frozen=True, slots=True)
class Supply:
    """Where numbers of one kind come from; `taken` grows while they are handed out.

    `declared` are those that instances name themselves.
    """

    kind: Literal["cpu", "number"]
    resource: Resource
    word: str
    pool: Iterator[int]
    taken: set[int]
    declared: Mapping[str, Sourced[int]]
    hint: str = ""


def allocate_cores(desk: Desk, askings: Sequence[Asking]) -> dict[str, Sourced[int]]:
    """The core of each instance that is pinned; the others are left out."""
    literal: dict[str, Sourced[int]] = {}
    wishes: dict[str, Sourced[Auto]] = {}
    for asking in askings:
        cpu = asking.layer.cpu
        if cpu is not None and isinstance(cpu.value, int):
            literal[asking.name] = Sourced(cpu.value, cpu.origin, cpu.overrode)
            if (by := _reserved(desk.host, cpu.value)) is not None:
                desk.reserved(asking, cpu.origin, f"core {cpu.value}", by)
        elif cpu is not None and isinstance(cpu.value, Auto):
            wishes[asking.name] = Sourced(cpu.value, cpu.origin, cpu.overrode)
    taken = {core.value for core in literal.values()}
    gone = desk.held(Resource.CORE)
    by_name = {asking.name: asking for asking in askings}
    for name, core in literal.items():
        text = str(core.value)
        if text in gone:
            desk.inherited(by_name[name], core.origin, Thing(Resource.CORE, text), gone[text])
    taken |= set(map(int, gone))
    hint = f'add cores to cpus in {desk.host.span.file}, or say cpu = "off"'
    supply = Supply(
        "cpu", Resource.CORE, "core", free_cores(desk.host, taken), taken, literal, hint
    )
    cores = _hand_out(desk, askings, {n: wish.origin for n, wish in wishes.items()}, supply)
    auto = {n: Sourced(core, wishes[n].origin, wishes[n].overrode) for n, core in cores.items()}
    return literal | auto


def allocate_instance_numbers(desk: Desk, askings: Sequence[Asking]) -> dict[str, int]:
    """The number of each instance that declares one or whose path templates use {number}."""
    literal = {a.name: a.file.number for a in askings if a.file.number is not None}
    wishes = {a.name: a.file.span for a in askings if a.needs_number and a.name not in literal}
    numbers = {name: number.value for name, number in literal.items()}
    taken = {*numbers.values(), *map(int, desk.held(Resource.NUMBER))}
    supply = Supply("number", Resource.NUMBER, "number", free_numbers(taken), taken, literal)
    return numbers | _hand_out(desk, askings, wishes, supply)


def _hand_out(
    desk: Desk, askings: Sequence[Asking], wishes: Mapping[str, Span], supply: Supply
) -> dict[str, int]:
    asking_of = {asking.name: asking for asking in askings if asking.name in wishes}
    given: dict[str, int] = {}
    holders: dict[int, str] = {}
    for name, asking in asking_of.items():
        entry = desk.remembered(asking)
        value = None if entry is None else getattr(entry, supply.kind)
        if not isinstance(value, int):
            continue
        given[name] = value
        first = holders.setdefault(value, name)
        if fault := _core_fault(desk.host, value) if supply.kind == "cpu" else "":
            desk.stale(asking, wishes[name], Thing(supply.resource, str(value)), fault)
        elif first != name:
            thing = Thing(supply.resource, str(value))
            desk.twice(asking, wishes[name], thing, first, thing)
    _check_declared(desk, askings, supply, {n: Holder(h, wishes[h]) for n, h in holders.items()})
    supply.taken.update(given.values())
    for name, asking in asking_of.items():
        if name in given or desk.is_elsewhere(asking):
            continue
        value = next(supply.pool, None)
        if value is None:
            desk.nothing_left(
                asking, wishes[name], f"free {supply.word}", supply.hint, supply.resource
            )
            continue
        supply.taken.add(value)
        given[name] = value
    return given


def _check_declared(
    desk: Desk, askings: Sequence[Asking], supply: Supply, holders: Mapping[int, Holder]
) -> None:
    """ALC109 for every place where a number is declared that is remembered for another instance."""
    declaring: dict[tuple[Span, int], list[Asking]] = {}
    for asking in askings:
        number = supply.declared.get(asking.name)
        if number is not None and number.value in holders:
            declaring.setdefault((number.origin, number.value), []).append(asking)
    for (place, value), who in declaring.items():
        thing = Thing(supply.resource, str(value))
        desk.declared(who, (thing, thing), place, holders[value])


def _core_fault(host: HostFile, core: int) -> str:
    if host.cpus is None or core not in host.cpus.value:
        return f"is not a core of {host.name}"
    if host.system_cpus is not None and core in host.system_cpus.value:
        return f"is left to the system on {host.name}"
    by = _reserved(host, core)
    return "" if by is None else f"is reserved on {host.name}{by.words}"


def _reserved(host: HostFile, core: int) -> Reserved[tuple[int, ...]] | None:
    return next((r for r in host.reserved_cpus if core in r.what.value), None)
