"""Every value that a host is rendered from, with its places, and how to put another one in its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from pbxfleet.core.span import Span, whole_file
from pbxfleet.model.backup import BackupTarget
from pbxfleet.model.desired import Layer, Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import Failover, Remembered, ResolvedHost, ResolvedInstance
from pbxfleet.model.source_map import Source
from pbxfleet.render.sources.turning import Path, exchanged, substituted, turned


class Stage(NamedTuple):
    """What files of a host are rendered from."""

    fleet: str
    host: ResolvedHost


class Lever(NamedTuple):
    """A value; `turn` gives the stage with another one in its place. `sources` are its places."""

    sources: tuple[Source, ...]
    turn: Callable[[Stage], Stage]


class Makings(NamedTuple):
    """The host of which lines are asked, and what lies outside of it.

    `peers` are instances of failover pairs by their names, as far as they are known.
    """

    fleet: Sourced[str]
    host: ResolvedHost
    peers: Mapping[str, ResolvedInstance]

    @property
    def stage(self) -> Stage:
        """What everything is rendered from as it is."""
        return Stage(self.fleet.value, self.host)


NAME = "name of the file"

# Of an instance: what has levers of its own below, or writes no line.
_OWN = ("span", "paths", "addresses", "listeners", "settings", "failover", "remembered", "partners")
# What the defaults of a host say is in its instances.
_NOT_OF_HOST = (
    "defaults",
    "services",
    "affinity",
    "stop_timeout_s",
    "addresses",
    "reserved",
    "name",
)


def levers(makings: Makings, only: int | None) -> tuple[Lever, ...]:
    """The values of the host and of its instances, or of the instance with the index `only`."""
    host = makings.host
    found = list(_of_host(makings, of_all=only is None))
    for index, instance in enumerate(host.instances):
        if only is None or only == index:
            found += _with_ledger(instance, _of_instance(makings, index, instance))
    return tuple(_numbered(makings, found))


class _Draft(NamedTuple):
    """A lever without its number: `change` takes what stands at the path, and the number.

    `ledger` is the thing in the ledger that alone belongs to it, as its line names it.
    """

    path: Path
    sources: tuple[Source, ...]
    change: Callable[[Any, int], Any]
    ledger: str = ""


def _numbered(makings: Makings, drafts: list[_Draft]) -> Iterator[Lever]:
    silent = _silent(makings)
    for number, draft in enumerate(drafts, 1):
        sources = tuple(_plain(source, silent) for source in draft.sources)
        yield Lever(sources, _turn(draft, number))


def _plain(source: Source, silent: frozenset[Span]) -> Source:
    return source._replace(is_default=source.span in silent and source.what != NAME)


def _silent(makings: Makings) -> frozenset[Span]:
    """Where values point that nothing says: no value stands where a file or a table begins."""
    file = makings.host.file
    tables = (file.network, file.compose, file.windows)
    spans = {file.span, *(instance.span for instance in makings.host.instances)}
    spans |= {whole_file(span.file) for span in spans}
    return frozenset(spans | {table.span for table in tables if table is not None})


def _with_ledger(instance: ResolvedInstance, drafts: Iterator[_Draft]) -> Iterator[_Draft]:
    """What `auto` stands for is in the ledger: its line is a source too."""
    for draft in drafts:
        spans = {source.span for source in draft.sources}
        lines = (r for r in instance.remembered if r.wish in spans and _is_of(r, draft))
        handed_out = (Source(r.line, f"ledger: {r.thing.words}") for r in lines)
        yield draft._replace(sources=(*draft.sources, *handed_out))


def _is_of(one: Remembered, draft: _Draft) -> bool:
    """Of several addresses that one wish stands for, each has a line of its own."""
    return draft.ledger in ("", one.thing.text)


def _turn(draft: _Draft, number: int) -> Callable[[Stage], Stage]:
    def turn(stage: Stage) -> Stage:
        changed = exchanged(stage, draft.path, lambda value: draft.change(value, number))
        assert isinstance(changed, Stage)
        return changed

    return turn


def _of_host(makings: Makings, *, of_all: bool) -> Iterator[_Draft]:
    """Without the service manager where a file is its own: that decides whether the file is there at all."""
    file = makings.host.file
    name = whole_file(file.span.file)
    yield _Draft(("fleet",), (_source(makings.fleet, "name"),), turned)
    yield _Draft(("host", "name"), (Source(name, NAME),), turned)
    for key in ("services", "affinity", "stop_timeout_s")[0 if of_all else 1 :]:
        yield _Draft(("host", key), (_source(getattr(file, key), key),), turned)
    for field in dataclasses.fields(file):
        if field.name not in _NOT_OF_HOST:
            path = ("host", "file", field.name)
            yield from _values(getattr(file, field.name), path, field.name)


def _of_instance(makings: Makings, index: int, instance: ResolvedInstance) -> Iterator[_Draft]:
    path: Path = ("host", "instances", index)
    named = Source(whole_file(instance.span.file), NAME)
    yield _Draft((*path, "name"), (named,), turned)
    for field in dataclasses.fields(instance):
        if field.name not in _OWN:
            yield from _values(getattr(instance, field.name), (*path, field.name), field.name)
    release = (Source(instance.release_origin, "release"),)
    for pin in ("pbxctrl", "dat"):
        yield _Draft((*path, "release", pin, "sha256", "value"), release, turned)
    for address in instance.addresses:
        source, text = _source(address, "address"), str(address.value)
        yield _Draft(path, (source,), partial(_moved, address.value), text)
    for number, listener in enumerate(instance.listeners):
        source = Source(listener.origin, f"listen.{listener.role}")
        yield _Draft((*path, "listeners", number, "bind"), (source,), turned)
    for number, setting in enumerate(instance.settings):
        source = Source(setting.origin, setting.label, setting.overrode)
        yield _Draft((*path, "settings", number, "value"), (source,), turned)
    yield from _paths(makings.host, instance, (*path, "paths"), named)
    if instance.failover is not None:
        yield from _failover(makings, instance.failover, (*path, "failover"))


def _moved(address: Address, instance: Any, number: int) -> Any:
    """The instance with another address wherever that one stands."""
    return substituted(instance, address, turned(address, number))


def _paths(
    host: ResolvedHost, instance: ResolvedInstance, path: Path, named: Source
) -> Iterator[_Draft]:
    """Paths are made of templates, in which stand the name, the first address and the number."""
    file = host.file
    service = _source(file.services, "services")
    yield _Draft((*path, "service_name"), (named,), turned)
    if instance.paths.unit is not None:
        yield _Draft((*path, "unit"), (named, service), turned)
    templates = {
        "directory": instance.directory_template or file.directory,
        "pid_file": file.pid_file,
        "lock_file": file.lock_file,
        "failover_file": file.failover_file,
        "backup_list": file.backup_list,
        "backup_exclude": file.backup_exclude,
        "mirror_exclude": file.mirror_exclude,
    }
    for key, template in templates.items():
        if template is None or getattr(instance.paths, key) is None:
            continue
        sources = [_source(template, key)]
        if "{instance}" in template.value:
            sources.append(named)
        if "{address}" in template.value:
            sources.append(_source(instance.addresses[0], "address"))
        if "{number}" in template.value:
            place = instance.number_origin or _remembered_number(instance)
            sources.append(Source(place or instance.span, "number"))
        yield _Draft((*path, key), tuple(sources), turned)


def _remembered_number(instance: ResolvedInstance) -> Span | None:
    for one in instance.remembered:
        if one.thing.resource.value == "numbers":
            return one.line
    return None


def _failover(makings: Makings, pair: Failover, path: Path) -> Iterator[_Draft]:
    peer = Source(pair.origin, "failover.peer")
    other = makings.peers.get(pair.peer)
    theirs = [] if other is None else [_source(a, "address of the peer") for a in other.addresses]
    url = Source(pair.url_origin or pair.origin, "failover.peer_url")
    ports = [] if other is None else [_web(o.origin) for o in other.listeners if o.role in _WEB]
    rows: tuple[tuple[str, tuple[Source, ...]], ...] = (
        ("role", (Source(pair.role_origin or pair.origin, "failover.role"),)),
        ("peer", (peer,)),
        ("peer_host", (peer,)),
        ("peer_address", (peer, *theirs)),
        ("peer_url", (url,) if pair.url_origin else (peer, *theirs, *ports)),
    )
    for key, sources in rows:
        yield _Draft((*path, key), sources, turned)
    for field in dataclasses.fields(pair):
        value = getattr(pair, field.name)
        if isinstance(value, Sourced):
            yield from _values(value, (*path, field.name), f"failover.{field.name}")


_WEB = ("http", "https")


def _web(origin: Span) -> Source:
    return Source(origin, "web port of the peer")


def _values(tree: Any, path: Path, what: str) -> Iterator[_Draft]:
    """Every value with a place, wherever it is in the tree."""
    if isinstance(tree, Sourced):
        yield _Draft((*path, "value"), (_source(tree, what),), turned)
    elif isinstance(tree, Layer):
        return
    elif isinstance(tree, tuple) and not hasattr(tree, "_fields"):
        for index, part in enumerate(tree):
            yield from _values(part, (*path, index), what)
    elif isinstance(tree, Mapping):
        for key, part in tree.items():
            yield from _values(part, (*path, key), f"{what}.{key}")
    else:
        yield from _parts(tree, path, what)


def _parts(tree: Any, path: Path, what: str) -> Iterator[_Draft]:
    if dataclasses.is_dataclass(tree):
        names = [field.name for field in dataclasses.fields(tree)]
    elif isinstance(tree, tuple):
        names = list(tree._fields)  # type: ignore[attr-defined]
    else:
        return
    for name in names:
        yield from _values(getattr(tree, name), (*path, name), f"{_called(tree, what)}.{name}")
    for key, place in getattr(tree, "keep_at", {}).items():
        yield _Draft(
            (*path, "keep", key), (Source(place, f"{_called(tree, what)}.keep.{key}"),), turned
        )


def _called(tree: Any, what: str) -> str:
    """The words of the format for a table: those of backup programs stand in it under their names."""
    if isinstance(tree, BackupTarget):
        return f"{what.removesuffix('.targets')}.{tree.program}"
    return what


def _source(value: Sourced[Any], what: str) -> Source:
    # Keys of the format have no unit in their names.
    return Source(value.origin, what.removesuffix("_s"), value.overrode)
