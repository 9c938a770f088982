"""A look at the disk before anything is worked out: what is in desired/, and what of rendered/ is settled.

It needs none of the libraries that work takes, so a large fleet is looked at while they are loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from pbxfleet.app.kept import INDEX, load_tree
from pbxfleet.app.sources import Sources, Unusual, read_sources
from pbxfleet.core.digest import Digest
from pbxfleet.host.cache import Cache
from pbxfleet.host.forked import WorkerFailed, beside
from pbxfleet.host.stamps import stamp_of
from pbxfleet.model.frozen import freeze, thaw

WORTH_IT_BYTES = 300_000  # of the index, some thousand instances; for fewer a child costs more


class Seen(NamedTuple):
    """Everything below desired/, and by host the digests of trees that are on the disk for certain."""

    sources: Sources
    settled: Mapping[str, Digest]


def look(repository: str, cache: Cache, render: Collection[str] | None) -> Seen:
    """Look at desired/, and at the folders of the hosts in `render` (None: all).

    Unusual as `read_sources`.
    """
    if not is_large(cache):
        return _seen(repository, cache, render)
    with beside(lambda: freeze(_seen_or_none(repository, cache, render))) as result:
        import pbxfleet.app.workshop

        if render is None or render:
            import pbxfleet.render.compile  # noqa: F401
        try:
            seen = thaw(result())
        except WorkerFailed:
            return _seen(repository, cache, render)
    if not isinstance(seen, Seen):
        raise Unusual
    return seen


def is_large(cache: Cache) -> bool:
    """Whether the fleet is one where a second process pays."""
    return cache.size_bytes(INDEX) >= WORTH_IT_BYTES


def folder_of(repository: str, host: str) -> str:
    """Where the rendered files of a host lie."""
    return f"{repository}/rendered/{host}"


def _seen_or_none(repository: str, cache: Cache, render: Collection[str] | None) -> Seen | None:
    try:
        return _seen(repository, cache, render)
    except Unusual:
        return None


def _seen(repository: str, cache: Cache, render: Collection[str] | None) -> Seen:
    sources = read_sources(repository)
    settled: dict[str, Digest] = {}
    for host in sources.hosts:
        tree = load_tree(cache, host) if render is None or host in render else None
        if tree is None or tree.stamp is None:
            continue
        if stamp_of(folder_of(repository, host), tree.files) == tree.stamp:
            settled[host] = tree.digest
    return Seen(sources, settled)
