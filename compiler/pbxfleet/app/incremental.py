"""The fleet as `read_fleet` sees it, with work left out for hosts of which nothing changed.

A host's results are kept under the digest of everything they were made of: the program, the fleet
file and what it names, the host's file, its instances' files, its part of the ledger, and the same of
every host that a peer of its instances is on. Whatever has any other digest is worked out anew, by
the very functions that `read_fleet` uses.

Only sound fleets are kept. As soon as there is an error, or anything unusual in the folders, the
answer is None: then only the full reading can tell all problems.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.app.judging import judged, scope_files
from pbxfleet.app.kept import (
    FileFacts,
    HostEntry,
    Index,
    LedgerEntry,
    forget_others,
    load_entry,
    load_index,
    load_ledger,
    save_entry,
    save_index,
    save_ledger,
)
from pbxfleet.app.sources import LEDGER, Sources, Unusual, read_sources
from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.digest import Canonical, Digest, digest_of, digest_of_data
from pbxfleet.host.cache import Cache, cache_of, program_digest
from pbxfleet.host.stamps import are_as_stamped, stamps_of
from pbxfleet.host.written_tree import holds_exactly
from pbxfleet.model.resolved import Ledger
from pbxfleet.resolve.judge import Judged, Scope, Suppressed
from pbxfleet.resolve.ledger_parts import NOTHING, joined, of_lost_hosts, parts_of

if TYPE_CHECKING:
    from pbxfleet.app.workshop import Workshop


class Survey(NamedTuple):
    """What a sound fleet came to. `trees` are the rendered files of hosts whose folder may differ.

    `hosts` are the numbers of instances by host. `ledger` is None if its file is as it should be.
    """

    files: Mapping[str, bytes]
    diagnostics: tuple[Diagnostic, ...]
    hosts: Mapping[str, int]
    ledger: Ledger | None
    trees: Mapping[str, Mapping[str, bytes]]
    notes: Notes
    suppressed: tuple[Suppressed, ...]


@dataclass
class Notes:
    """What is to be kept of one run; `fresh` are the hosts whose entries are new.

    `after` are the keys of the hosts once the ledger is written. What it remembers is then what was
    just handed out, and handing that out again changes nothing.
    """

    cache: Cache
    index: Index
    entries: dict[str, HostEntry]
    after: Mapping[str, Digest]
    fresh: set[str] = field(default_factory=set)
    index_is_new: bool = True

    def save(
        self, repository: str, written: Mapping[str, Mapping[str, bytes]] | None = None
    ) -> None:
        """Keep it; the trees in `written`, and the ledger, are on the disk now."""
        for host, key in self.after.items() if written is not None else ():
            if self.entries[host].key != key:
                self.entries[host] = self.entries[host]._replace(key=key, ledger_same=True)
                self.fresh.add(host)
        for host, files in (written or {}).items():
            stamps = stamps_of(_folder(repository, host), files)
            self.entries[host] = self.entries[host]._replace(stamps=stamps)
            self.fresh.add(host)
        for host in sorted(self.fresh):
            save_entry(self.cache, host, self.entries[host])
        if self.index_is_new:
            save_index(self.cache, self.index)
        forget_others(self.cache, frozenset(self.entries))


def survey(repository: str, render: Collection[str] | None = ()) -> Survey | None:
    """Validate, and render the hosts named in `render` (None: all) unless their folders are right.

    None where `read_fleet` is to be asked; for a sound fleet its result is the same.
    """
    cache = cache_of(repository)
    if not cache.is_usable:
        return None
    try:
        return _Run(repository, cache, read_sources(repository)).survey(render)
    except Unusual:
        return None


class _Run:
    """One survey: what is known of each file, what is to be done, and what came of it."""

    def __init__(self, repository: str, cache: Cache, sources: Sources) -> None:
        self._repository = repository
        self._cache = cache
        self._sources = sources
        self._program = program_digest()
        self._index = load_index(cache, self._program)
        self._made: Workshop | None = None
        self._facts = self._read_facts()
        self._ledger = self._read_ledger()
        self._of_host = self._instances_by_host()
        self._at = {name: host for host, names in self._of_host.items() for name in names}
        self._parts = parts_of(self._ledger.ledger, self._at)

    def survey(self, render: Collection[str] | None) -> Survey:
        """Everything, from what is kept and what is worked out."""
        sources, keys = self._sources, self._keys(self._ledger.ledger)
        wanted = frozenset(sources.hosts) if render is None else frozenset(render)
        entries: dict[str, HostEntry] = {}
        trees: dict[str, Mapping[str, bytes]] = {}
        fresh: set[str] = set()
        for host, key in keys.items():
            entry = load_entry(self._cache, host, key)
            if entry is not None and host in wanted:
                settled = self._settled(host, entry)
                fresh |= {host} if settled is not entry else set()
                entry = settled
            if entry is not None:
                entries[host] = entry
        todo = [host for host in keys if host not in entries]
        for host, entry, files in self._work_out(todo, keys, wanted):
            entries[host] = entry
            fresh.add(host)
            if files is not None:
                trees[host] = files
        entries = {host: entries[host] for host in keys}
        index, ledger = self._concluded(entries)
        counts = {host: entry.instances for host, entry in entries.items()}
        after = keys if ledger is None else self._keys(ledger)
        changed = index != self._index
        notes = Notes(self._cache, index, entries, after, fresh, index_is_new=changed)
        judged = self._judged(index.conclusion)
        if any(d.severity is Severity.ERROR for d in judged.diagnostics):
            raise Unusual
        return Survey(
            sources.files, judged.diagnostics, counts, ledger, trees, notes, judged.suppressed
        )

    def _judged(self, found: tuple[Diagnostic, ...]) -> Judged:
        """What was concluded, as the fleet wants it told today."""
        sources = self._sources
        hosts = {name: host for host, names in self._of_host.items() for name in names}
        files = scope_files(hosts, sources.instances, sources.hosts)
        return judged(found, self._facts[sources.fleet].judging, Scope(hosts, files))

    @property
    def _workshop(self) -> Workshop:
        """What does the work; its libraries take their time to load, so only if there is any."""
        if self._made is None:
            from pbxfleet.app.workshop import Workshop

            self._made = Workshop(self._sources)
        return self._made

    def _read_facts(self) -> dict[str, FileFacts]:
        """The facts of every file of the format; those of changed files are read again."""
        sources, index = self._sources, self._index
        known = index.facts if index is not None else {}
        stray = index.stray if index is not None else ()
        self._names = digest_of_data(sorted(sources.files.keys() - {LEDGER}))
        if index is None or index.names != self._names:
            stray = self._workshop.strays()
            known = known if index is not None and stray == index.stray else {}
        self._stray = stray
        changed = [
            name
            for name in sources.format_files
            if name not in known or known[name].digest != sources.digest(name)
        ]
        new = self._workshop.facts(changed, frozenset(stray)) if changed else {}
        return {name: new[name] if name in new else known[name] for name in sources.format_files}

    def _read_ledger(self) -> LedgerEntry:
        """The ledger; what is read anew is kept at once."""
        digest = self._sources.ledger_digest
        known = load_ledger(self._cache, self._program, digest)
        if known is None:
            known = LedgerEntry(self._program, digest, *self._workshop.ledger())
            save_ledger(self._cache, known)
        return known

    def _instances_by_host(self) -> dict[str, list[str]]:
        """Names of the instances by host, both in order."""
        found: dict[str, list[str]] = {host: [] for host in sorted(self._sources.hosts)}
        for name, file in sorted(self._sources.instances.items()):
            host = self._facts[file].host
            if host not in found:
                raise Unusual  # REF101
            found[host].append(name)
        return found

    def _keys(self, ledger: Ledger) -> dict[str, Digest]:
        """By host: the digest of everything that its results depend on, with this ledger."""
        sources = self._sources
        common = self._common()
        at, parts = self._at, self._parts
        if ledger is not self._ledger.ledger:
            parts = parts_of(ledger, at)
        own: dict[str, Digest] = {}
        for host, names in self._of_host.items():
            files = [sources.hosts[host], *(sources.instances[name] for name in names)]
            part = parts.get(host, NOTHING)
            gone = sorted({*part.allocations, *part.tombstones} - at.keys())
            digests: list[list[str]] = [[file, sources.digest(file)] for file in files]
            remembered = repr(part.without_spans())
            own[host] = digest_of_data([*common, host, digests, remembered, gone])
        return {host: self._with_peers(host, own, at) for host in own}

    def _common(self) -> list[Canonical]:
        """What the results of every host, and of a fleet without hosts, depend on."""
        sources = self._sources
        fleet = sources.digest(sources.fleet)
        return [self._program, sources.fleet, fleet, list(self._stray), sources.others()]

    def _with_peers(self, host: str, own: Mapping[str, Digest], at: Mapping[str, str]) -> Digest:
        peers = self._peers(host)
        if not at.keys() >= peers:
            raise Unusual  # FLO102
        others = sorted({at[peer] for peer in peers} - {host})
        return digest_of_data([own[host], [[other, own[other]] for other in others]])

    def _peers(self, host: str) -> set[str]:
        """The instances that instances of a host name as their peers, in any layer."""
        sources = self._sources
        files = [sources.fleet, sources.hosts[host]]
        files += [sources.instances[name] for name in self._of_host[host]]
        return {peer for file in files for peer in self._facts[file].peers}

    def _settled(self, host: str, entry: HostEntry) -> HostEntry | None:
        """The entry if the host's folder is as rendered, with stamps if there can be some."""
        if entry.rendered is None:
            return None
        folder = _folder(self._repository, host)
        if entry.stamps is not None and are_as_stamped(folder, entry.stamps):
            return entry
        stamps = stamps_of(folder, entry.rendered)  # before it is read: what changes later shows
        if not holds_exactly(folder, entry.rendered):
            return None
        return entry if stamps == entry.stamps else entry._replace(stamps=stamps)

    def _work_out(
        self, todo: Collection[str], keys: Mapping[str, Digest], wanted: Collection[str]
    ) -> Iterator[tuple[str, HostEntry, Mapping[str, bytes] | None]]:
        """Entries of the hosts in `todo`, with the files of those that are wanted."""
        if not todo:
            return
        at, parts = self._at, self._parts
        near = {at[peer] for host in todo for peer in self._peers(host)} - {*todo}
        instances = {host: self._of_host[host] for host in (*todo, *sorted(near))}
        for worked in self._workshop.work_out(todo, instances, parts, at.keys(), wanted):
            host, files = worked.host, worked.files
            entry = HostEntry(
                key=keys[host],
                findings=worked.findings,
                summary=worked.summary,
                found=worked.found,
                instances=len(self._of_host[host]),
                ledger_same=worked.findings.ledger == parts.get(host, NOTHING),
                rendered=None if files is None else {n: digest_of(c) for n, c in files.items()},
                stamps=None,
            )
            yield host, entry, files

    def _concluded(self, entries: Mapping[str, HostEntry]) -> tuple[Index, Ledger | None]:
        """The index with what all hosts together came to, and the ledger if it is to be written."""
        before = self._ledger.ledger
        key = digest_of_data([*self._common(), *(entry.key for entry in entries.values())])
        if self._index is not None and self._index.conclusion_key == key:
            conclusion = self._index.conclusion
        else:
            conclusion = self._workshop.conclude(
                self._facts.values(), entries.values(), self._sources.instances.keys()
            )
        same = self._ledger.is_canonical and all(entry.ledger_same for entry in entries.values())
        same = same and {a.host for a in before.allocations.values()} <= entries.keys()
        ledger = None if same else self._new_ledger(before, entries)
        index = Index(self._program, self._names, self._stray, self._facts, key, conclusion)
        return index, ledger

    def _new_ledger(self, before: Ledger, entries: Mapping[str, HostEntry]) -> Ledger | None:
        """The ledger of all hosts; None if it would only repeat what the files say themselves."""
        lost = of_lost_hosts(before, entries.keys(), self._sources.instances.keys())
        ledger = joined([lost, *(entry.findings.ledger for entry in entries.values())])
        return ledger if ledger.remembers or before != NOTHING else None


def _folder(repository: str, host: str) -> str:
    return f"{repository}/rendered/{host}"
