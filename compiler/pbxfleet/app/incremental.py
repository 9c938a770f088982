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
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.app.judging import judged, scope_files
from pbxfleet.app.kept import (
    INDEX,
    FileFacts,
    HostEntry,
    HostNote,
    Index,
    Tree,
    forget_others,
    load_entry,
    load_index,
    load_tree,
    save_entry,
    save_index,
    save_tree,
    tree_of,
)
from pbxfleet.app.kept_ledger import kept_ledger, remembered
from pbxfleet.app.look import Seen, folder_of, is_large, look
from pbxfleet.app.sources import LEDGER, Sources, Unusual
from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.digest import Canonical, Digest, digest_of, digest_of_data
from pbxfleet.host.cache import Cache, cache_of, program_digest
from pbxfleet.host.stamps import stamp_of
from pbxfleet.host.written_tree import holds_exactly
from pbxfleet.model.frozen import thaw
from pbxfleet.model.judged import Judged, Scope, Suppressed
from pbxfleet.model.ledger_parts import NOTHING, joined, of_lost_hosts
from pbxfleet.model.resolved import Ledger

if TYPE_CHECKING:
    from pbxfleet.app.workshop import Worked, Workshop


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
    """What is to be kept of one run: the index, and what is new of hosts: frozen entries, and trees.

    `after` are the keys of the hosts once the ledger is written. What it remembers is then what was
    just handed out, and handing that out again changes nothing.
    """

    cache: Cache
    index: Index
    after: Mapping[str, Digest]
    entries: Mapping[str, bytes]
    trees: dict[str, Tree]
    index_is_new: bool = True

    def save(
        self, repository: str, written: Mapping[str, Mapping[str, bytes]] | None = None
    ) -> None:
        """Keep it; the trees in `written`, and the ledger, are on the disk now."""
        hosts = self.index.hosts
        for host, key in self.after.items() if written is not None else ():
            if hosts[host].key != key:
                hosts[host] = hosts[host]._replace(key=key, ledger_same=True)
                self.index_is_new = True
        for host, files in (written or {}).items():
            stamp = stamp_of(folder_of(repository, host), files)
            self.trees[host] = self.trees[host]._replace(stamp=stamp)
        for host, frozen in sorted(self.entries.items()):
            save_entry(self.cache, host, frozen)
        for host, tree in sorted(self.trees.items()):
            save_tree(self.cache, host, tree)
        if self.index_is_new:
            save_index(self.cache, self.index)
            forget_others(self.cache, frozenset(hosts))


def survey(repository: str, render: Collection[str] | None = ()) -> Survey | None:
    """Validate, and render the hosts named in `render` (None: all) unless their folders are right.

    None where `read_fleet` is to be asked; for a sound fleet its result is the same.
    """
    cache = cache_of(repository)
    if not cache.is_usable:
        return None
    try:
        return _Run(repository, cache, look(repository, cache, render)).survey(render)
    except Unusual:
        return None


def survey_sources(sources: Sources, cache: Cache) -> Survey | None:
    """Validate files that need not lie on the disk; None as above."""
    try:
        return _Run("", cache, Seen(sources, {})).survey(())
    except Unusual:
        return None


class _Run:
    """One survey: what is known of each file, what is to be done, and what came of it."""

    def __init__(self, repository: str, cache: Cache, seen: Seen) -> None:
        self._repository = repository
        self._cache = cache
        self._sources, self._on_disk = seen
        self._program = program_digest()
        self._index = load_index(cache, self._program)
        self._made: Workshop | None = None
        self._facts = self._read_facts()
        self._of_host = self._instances_by_host()
        self._at = {name: host for host, names in self._of_host.items() for name in names}
        digest = self._sources.ledger_digest
        read = self._read_ledger
        self._ledger = kept_ledger(cache, self._program, digest, self._at, read)
        self._entries: dict[str, HostEntry] = {}  # those loaded beforehand
        self._made_entries: dict[str, bytes] = {}  # those made in this run
        self._trees: dict[str, Tree] = {}  # likewise, and those with a new stamp

    def survey(self, render: Collection[str] | None) -> Survey:
        """Everything, from what is kept and what is worked out."""
        sources, keys = self._sources, self._keys(self._ledger.remembered())
        wanted = frozenset(sources.hosts) if render is None else frozenset(render)
        known = self._index.hosts if self._index is not None else {}
        hosts: dict[str, HostNote] = {}
        for host, key in keys.items():
            note = known.get(host)
            if note is None or note.key != key:
                continue
            if host not in wanted or self._is_settled(host, note.tree):
                hosts[host] = note
        trees: dict[str, Mapping[str, bytes]] = {}
        for host, note, files in self._work_out(hosts.copy(), keys, wanted):
            hosts[host] = note
            if files is not None:
                trees[host] = files
        hosts = {host: hosts[host] for host in keys}
        trees = {host: trees[host] for host in keys if host in trees}
        index = self._concluded(hosts)
        judged = self._judged((*index.conclusion, *self._of_lost_hosts()))
        if any(d.severity is Severity.ERROR for d in judged.diagnostics):
            raise Unusual
        ledger = self._new_ledger(hosts)
        after = keys if ledger is None else self._keys(remembered(ledger, self._at))
        changed = index != self._index
        notes = Notes(self._cache, index, after, self._made_entries, self._trees, changed)
        counts = {host: note.instances for host, note in hosts.items()}
        return Survey(
            sources.files, judged.diagnostics, counts, ledger, trees, notes, judged.suppressed
        )

    def _of_lost_hosts(self) -> Iterator[Diagnostic]:
        """What is said of hosts that only the ledger knows: found anew, as places in it move."""
        if not self._ledger.parts.keys() <= self._of_host.keys():
            from pbxfleet.resolve.lost_hosts import lost_hosts  # few fleets have any

            yield from lost_hosts(self._ledger.whole, self._of_host)

    def _judged(self, found: tuple[Diagnostic, ...]) -> Judged:
        """What was concluded, as the fleet wants it told today."""
        sources = self._sources
        files = scope_files(self._at, sources.instances, sources.hosts)
        return judged(found, self._facts[sources.fleet].judging, Scope(self._at, files))

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

    def _read_ledger(self) -> tuple[Ledger, bool]:
        return self._workshop.ledger()

    def _instances_by_host(self) -> dict[str, list[str]]:
        """Names of the instances by host, both in order."""
        found: dict[str, list[str]] = {host: [] for host in sorted(self._sources.hosts)}
        for name, file in sorted(self._sources.instances.items()):
            host = self._facts[file].host
            if host not in found:
                raise Unusual  # REF101
            found[host].append(name)
        return found

    def _keys(self, remembered: Mapping[str, Digest]) -> dict[str, Digest]:
        """By host: the digest of everything that its results depend on, with this of the ledger."""
        sources = self._sources
        common = self._common()
        own: dict[str, Digest] = {}
        for host, names in self._of_host.items():
            files = [sources.hosts[host], *(sources.instances[name] for name in names)]
            digests: list[list[str]] = [[file, sources.digest(file)] for file in files]
            own[host] = digest_of_data([*common, host, digests, remembered.get(host)])
        return {host: self._with_peers(host, own) for host in own}

    def _common(self) -> list[Canonical]:
        """What the results of every host depend on, but for the program: an index has one only."""
        sources = self._sources
        fleet = sources.digest(sources.fleet)
        return [sources.fleet, fleet, sources.others()]

    def _with_peers(self, host: str, own: Mapping[str, Digest]) -> Digest:
        peers = self._peers(host)
        if not self._at.keys() >= peers:
            raise Unusual  # FLO102
        others = sorted({self._at[peer] for peer in peers} - {host})
        return digest_of_data([own[host], [[other, own[other]] for other in others]])

    def _peers(self, host: str) -> set[str]:
        """The instances that instances of a host name as their peers, in any layer."""
        sources = self._sources
        files = [sources.fleet, sources.hosts[host]]
        files += [sources.instances[name] for name in self._of_host[host]]
        return {peer for file in files for peer in self._facts[file].peers}

    def _is_settled(self, host: str, digest: Digest | None) -> bool:
        """Whether the host's folder holds the tree of this digest."""
        if digest is None:
            return False
        if self._on_disk.get(host) == digest:
            return True
        tree = load_tree(self._cache, host)
        if tree is None or tree.digest != digest:
            return False
        folder = folder_of(self._repository, host)
        stamp = stamp_of(folder, tree.files)  # before it is read: what changes later shows
        if not holds_exactly(folder, tree.files):
            return False
        if stamp != tree.stamp:
            self._trees[host] = tree._replace(stamp=stamp)
        return True

    def _work_out(
        self,
        known: Mapping[str, HostNote],
        keys: Mapping[str, Digest],
        wanted: Collection[str],
    ) -> Iterator[tuple[str, HostNote, Mapping[str, bytes] | None]]:
        """Notes of the hosts that are not `known`, with the files of those that are wanted."""
        todo = sorted(keys.keys() - known.keys())
        if not todo:
            return
        near = {self._at[peer] for host in todo for peer in self._peers(host)}
        instances = {host: self._of_host[host] for host in sorted({*todo, *near})}
        parts = {host: self._ledger.part(host) for host in instances}
        at, beside = self._at.keys(), is_large(self._cache)
        with self._workshop.work_out(todo, instances, parts, at, wanted, beside=beside) as results:
            if beside:
                self._load_entries(known)  # most changes need them in the end
            for worked in results:
                yield worked.host, self._noted(worked, keys[worked.host]), worked.files

    def _noted(self, worked: Worked, key: Digest) -> HostNote:
        """The note of a host; what it came to is remembered until it is kept."""
        host, tree = worked.host, None if worked.files is None else tree_of(worked.files)
        self._made_entries[host] = worked.entry
        self._trees.pop(host, None)
        if tree is not None:
            self._trees[host] = tree
        return HostNote(
            key=key,
            entry=digest_of(worked.entry),
            said=worked.said,
            tree=None if tree is None else tree.digest,
            instances=len(self._of_host[host]),
            ledger_same=worked.ledger_same,
        )

    def _load_entries(self, notes: Mapping[str, HostNote]) -> None:
        for host, note in notes.items():
            entry = load_entry(self._cache, host, note.entry)
            if entry is not None:
                self._entries[host] = entry

    def _concluded(self, hosts: dict[str, HostNote]) -> Index:
        """The index with what all hosts together came to."""
        telling = [[n, fact.digest] for n, fact in self._facts.items() if fact.is_telling]
        said = [[host, note.said] for host, note in hosts.items()]
        key = digest_of_data([*self._common(), self._names, telling, said])
        if self._index is not None and self._index.conclusion_key == key:
            conclusion = self._index.conclusion
        else:
            entries = [self._entry(host, note) for host, note in hosts.items()]
            declared = self._sources.instances.keys()
            facts = self._facts.values()
            conclusion = self._workshop.conclude(facts, entries, declared, self._stray)
        return Index(self._program, self._names, self._stray, self._facts, hosts, key, conclusion)

    def _entry(self, host: str, note: HostNote) -> HostEntry:
        """What a host came to; Unusual, and another time it is made anew, if that has got lost."""
        if host in self._made_entries:
            entry = thaw(self._made_entries[host])
        else:
            entry = self._entries.get(host) or load_entry(self._cache, host, note.entry)
        if not isinstance(entry, HostEntry):
            self._cache.drop(INDEX)
            raise Unusual
        return entry

    def _new_ledger(self, hosts: Mapping[str, HostNote]) -> Ledger | None:
        """The ledger of all hosts; None if it is as it should be, or would only repeat the files."""
        kept = self._ledger
        same = kept.is_canonical and all(note.ledger_same for note in hosts.values())
        if same and kept.homes <= hosts.keys():
            return None
        before = kept.whole
        lost = of_lost_hosts(before, hosts.keys(), self._sources.instances.keys())
        findings = (self._entry(host, note).findings for host, note in hosts.items())
        ledger = joined([lost, *(found.ledger for found in findings)])
        return ledger if ledger.remembers or before != NOTHING else None
