"""The two targets of each host: from rendered/ where that is what desired/ says, else compiled anew.

Only hosts that can be different are looked at: what git says is the same is not even read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.app.contents import RenderedTree
from pbxfleet.app.fleet import Fleet
from pbxfleet.app.freshness import INSTANCES
from pbxfleet.app.incremental import survey_sources
from pbxfleet.app.layered_cache import LayeredCache
from pbxfleet.app.side import SUFFIXES, Side, Sides
from pbxfleet.app.sources import LEDGER, Unusual, sources_of
from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import Refused
from pbxfleet.host.cache import Cache, cache_of
from pbxfleet.model.manifest import MANIFEST
from pbxfleet.model.resolved import Allocation, Ledger
from pbxfleet.model.revisions import HostSides, Source
from pbxfleet.model.target import InstanceTarget, Target

if TYPE_CHECKING:
    from pbxfleet.app.source_map import SourceMap

HOSTS = "desired/hosts"
WORTH_IT = 100  # files in desired/, from which a part of them is read sooner than all


class HostTree(RenderedTree):
    """A rendered tree that does not lie on the disk: that of a commit, or one just compiled."""

    def __init__(self, host: str, files: Mapping[str, bytes] | Side) -> None:
        super().__init__("", host)
        self._files = files
        self._target: Target | None = None

    def target(self) -> Target:
        """The compiled target, decoded once."""
        if self._target is None:
            self._target = super().target()
        return self._target

    def content(self, source: str) -> bytes | None:
        """A file below `rendered/<host>/`."""
        if isinstance(self._files, Mapping):
            return self._files.get(source)
        return self._files.read(f"rendered/{self.host}/{source}")


class Pair(NamedTuple):
    """One host on both sides; a tree is None where the host is not declared, or broken."""

    sides: HostSides
    before: HostTree | None
    after: HostTree | None


class TwoTargets:
    """Looks for the hosts that differ. `changed` are the names of files in desired/ that do."""

    def __init__(self, sides: Sides) -> None:
        self._before, self._after = _OneSide(sides.before), _OneSide(sides.after)
        old, new = self._before.desired, self._after.desired
        self.changed = frozenset(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))

    @property
    def size(self) -> int:
        """How many files there are in desired/, of both sides."""
        return len(self._before.desired.keys() | self._after.desired.keys())

    def pairs(self) -> Iterator[Pair]:
        """The hosts that may be different, in order of their names."""
        moved = self._ledger_moved() if LEDGER in self.changed else frozenset()
        old, new = self._before, self._after
        added = any(name.startswith(f"{INSTANCES}/") for name in self.changed)
        homeless = old.never_compiled | new.never_compiled if added else frozenset()
        for host in sorted(old.hosts | new.hosts):
            same = old.rendered.get(host) == new.rendered.get(host)
            touched = host in moved or host in homeless or self._touched(host)
            if same and not touched:
                continue
            before, after = old.tree(host, host in moved), new.tree(host, host in moved)
            yield _pair(host, before, after)

    def anew(self, host: str) -> Pair:
        """A host whose rendered files are not what its manifests say: compiled on both sides."""
        return _pair(host, self._before.tree(host, anew=True), self._after.tree(host, anew=True))

    def diagnostics(self, repository: str) -> tuple[Sequence[Diagnostic], Sequence[Diagnostic]]:
        """What the checks find on both sides. What is kept of `repository` helps, and is left as it is.

        The second side is the one that was most likely validated before; the first differs from it in
        a few hosts.
        """
        cache = LayeredCache(cache_of(repository))
        after = self._after.diagnostics(cache)
        return self._before.diagnostics(cache), after

    def source_map(self, pair: Pair, *, before: bool, whole: bool) -> SourceMap | None:
        """The sources of the lines of one host on one side; None where they cannot be told.

        Of a large fleet a part is read. Where that is not enough, everything is, if `whole` allows it.
        """
        side, tree = (self._before, pair.before) if before else (self._after, pair.after)
        return None if tree is None else side.source_map(tree, whole=whole)

    def read_file(self, name: str, *, before: bool) -> bytes | None:
        """A file on one side."""
        return (self._before if before else self._after).side.read(name)

    def ledgers(self) -> tuple[Ledger, Ledger]:
        """What both sides remember; one that cannot be read says nothing."""
        return self._before.ledger or Ledger({}), self._after.ledger or Ledger({})

    def problems(self) -> tuple[Diagnostic, ...]:
        """What made it impossible to compile a host of the second side."""
        return tuple(self._after.found)

    def _touched(self, host: str) -> bool:
        """Whether a file that the host is compiled from differs, on either side."""
        if not self.changed:
            return False
        sides = self._before, self._after
        return any(not self.changed.isdisjoint(_own(host, side.inputs(host))) for side in sides)

    def _ledger_moved(self) -> frozenset[str]:
        """Hosts of which the two ledgers say different things; all where one cannot be read."""
        old, new = self._before.ledger, self._after.ledger
        if old is None or new is None:
            return self._before.hosts | self._after.hosts
        kept, now = old.allocations, new.allocations
        differing = [n for n in kept.keys() | now.keys() if kept.get(n) != now.get(n)]
        return frozenset(a.host for n in differing for a in (kept.get(n), now.get(n)) if a)


def _pair(
    host: str, before: tuple[Source, HostTree | None], after: tuple[Source, HostTree | None]
) -> Pair:
    return Pair(HostSides(host, before[0], after[0]), before[1], after[1])


def _own(host: str, inputs: Iterable[str]) -> Iterator[str]:
    yield from inputs
    yield from (f"{HOSTS}/{host}{suffix}" for suffix in SUFFIXES)


class _OneSide:
    """What one side says, each thing found out at most once and only if it is asked for."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.desired = side.desired()
        self.rendered = side.rendered()
        self.found: list[Diagnostic] = []
        declared = {_stem(name) for name in _in_folder(self.desired, HOSTS)}
        self.declared = frozenset(declared)
        self.hosts = frozenset(n for n, key in self.rendered.items() if key) | self.declared
        self._inputs: dict[str, Mapping[str, str]] = {}
        self._digests: dict[str, str | None] = {}

    @cached_property
    def fleet(self) -> Fleet:
        """Everything that desired/ says, resolved and checked."""
        from pbxfleet.app.reading import understood

        return understood(self.side.contents())

    @cached_property
    def ledger(self) -> Ledger | None:
        """The ledger, empty where there is none; None if it cannot be read."""
        from pbxfleet.schema import read_ledger_file

        content = self.side.read(LEDGER) if LEDGER in self.desired else b""
        return None if content is None else read_ledger_file(LEDGER, content).value

    def inputs(self, host: str) -> Mapping[str, str]:
        """The digests that the host's manifest was compiled from; none where there is no manifest."""
        if host not in self._inputs:
            content = self.side.read(f"rendered/{host}/{MANIFEST}")
            self._inputs[host] = {} if content is None else _inputs(content)
        return self._inputs[host]

    def diagnostics(self, cache: Cache) -> Sequence[Diagnostic]:
        """What the checks find; results by host are kept in the cache."""
        if "fleet" not in self.__dict__:  # read in full already
            try:
                quick = survey_sources(sources_of(self.side.contents()), cache)
            except Unusual:
                quick = None
            if quick is not None:
                quick.notes.save("")
                return quick.diagnostics
        return self.fleet.diagnostics

    @cached_property
    def never_compiled(self) -> frozenset[str]:
        """Hosts of instance files that no rendered tree knows."""
        known = {
            settings.removesuffix(".json")
            for host in self.rendered
            for settings in self.side.names(f"rendered/{host}/settings")
        }
        missing = {_stem(name) for name in _in_folder(self.desired, INSTANCES)} - known
        desired = self.fleet.desired if missing else None
        if desired is None:
            return frozenset()
        return frozenset(
            desired.instances[name].host.value for name in missing & desired.instances.keys()
        )

    def tree(
        self, host: str, ledger_moved: bool = False, *, anew: bool = False
    ) -> tuple[Source, HostTree | None]:
        """The host's target, and where it comes from; with `anew` not from rendered/."""
        tree = HostTree(host, self.side)
        if not anew and host in self.declared and self._is_fresh(host, tree, ledger_moved):
            return Source.RENDERED, tree
        if not self.desired and self.rendered.get(host):
            return Source.RENDERED, tree  # the rendered tree alone is kept here
        if host not in self.declared:
            return Source.ABSENT, None
        files = self._compiled(host)
        return (Source.BROKEN, None) if files is None else (Source.COMPILED, HostTree(host, files))

    def _is_fresh(self, host: str, tree: HostTree, ledger_moved: bool) -> bool:
        """Whether the rendered tree is what desired/ says; a damaged one is not."""
        inputs = self.inputs(host)
        if not inputs or any(self._digest(name) != digest for name, digest in inputs.items()):
            return False
        try:
            target = tree.target()
        except Refused:
            return False
        if host in self.never_compiled:
            return False
        ledger = self.ledger if ledger_moved else None
        return not ledger_moved or (ledger is not None and _agree(target, ledger))

    def _digest(self, name: str) -> str | None:
        if name not in self._digests:
            content = self.side.read(name)
            self._digests[name] = None if content is None else digest_of(content)
        return self._digests[name]

    def source_map(self, tree: HostTree, *, whole: bool) -> SourceMap | None:
        """The sources of this tree, None where it is not what desired/ compiles to here."""
        from pbxfleet.app.part_of_fleet import part_of
        from pbxfleet.app.source_map import source_map_in

        manifest = tree.content(MANIFEST)
        if manifest is None or not self.desired:
            return None
        known = None
        if "fleet" not in self.__dict__:
            known = source_map_in(part_of(self.side.contents(), tree.host), tree.host, manifest)
        if known is None and (whole or "fleet" in self.__dict__ or self.is_small):
            known = source_map_in(self.fleet, tree.host, manifest)
        return known

    @property
    def is_small(self) -> bool:
        """Whether all of desired/ is read in no time."""
        return len(self.desired) < WORTH_IT

    def _compiled(self, host: str) -> Mapping[str, bytes] | None:
        from pbxfleet.app.reading import inputs_of
        from pbxfleet.render.compile import compile_host

        fleet = self.fleet
        resolved = fleet.resolved
        own = [h for h in resolved.hosts if h.name == host] if resolved is not None else []
        if resolved is None or not own:
            return None
        rendered = compile_host(
            own[0],
            resolved.fleet_name,
            resolved.deletion_budget,
            fleet.references,
            fleet.templates,
            inputs_of(fleet, host),
        )
        self.found += rendered.diagnostics
        return None if rendered.value is None else rendered.value.files


def _inputs(manifest: bytes) -> Mapping[str, str]:
    """`inputs` of a manifest, which stand in a block of their own; the rest is long and not parsed."""
    start = manifest.find(b'\n"inputs": {')
    end = manifest.find(b"\n}", start)
    try:
        found = json.loads(manifest[manifest.index(b"{", start) : end + 2])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _agree(target: Target, ledger: Ledger) -> bool:
    """Whether the instances of a target hold what the ledger says that they hold."""
    return all(
        _holds(instance, ledger.allocations.get(name))
        for name, instance in target.instances.items()
    )


def _holds(instance: InstanceTarget, held: Allocation | None) -> bool:
    """False also where a manifest cannot tell: of numbers, and of blocks of ports."""
    if held is None or held.number is not None or held.ports is not None:
        return False
    media = "" if instance.rtp is None else f"{instance.rtp[0]}-{instance.rtp[1]}"
    same = set(held.addresses) == set(instance.addresses) and held.cpu == instance.cpu
    return same and held.rtp in (None, media)


def _in_folder(names: Iterable[str], folder: str) -> list[str]:
    return [name for name in names if name.rpartition("/")[0] == folder and name.endswith(SUFFIXES)]


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
