"""The work of the quick way: read, resolve, check and render the hosts of which something changed.

Every step is that of the full reading (`app.fleet`), for a part of the files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from pbxfleet.app.fleet import Fleet
from pbxfleet.app.kept import FileFacts, HostEntry
from pbxfleet.app.reading import inputs_of, load_references, load_templates, read_document
from pbxfleet.app.sources import LEDGER, Sources, Unusual
from pbxfleet.core.diagnostics import Diagnostic, Severity, in_order
from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.host.forked import WORTH_IT, WorkerFailed, by_neighbours, forked
from pbxfleet.model.desired import Desired, HostFile, InstanceFile
from pbxfleet.model.frozen import freeze, thaw
from pbxfleet.model.ledger_parts import NOTHING
from pbxfleet.model.plans import Judging
from pbxfleet.model.resolved import Ledger, Resolved, ResolvedHost, ResolvedInstance
from pbxfleet.resolve.checks import check_fleet, check_host, summarise
from pbxfleet.resolve.context import FleetContext, fleet_context
from pbxfleet.resolve.host import HostDraft, draft_host, link_host
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.resolve.resolve import conclude
from pbxfleet.schema import read_ledger_file, validate
from pbxfleet.schema.layout import lay_out
from pbxfleet.schema.validate import paths_in
from pbxfleet.source.nodes import MappingNode


class Worked(NamedTuple):
    """What one host came to; `entry` is its frozen HostEntry, `said` as in a HostNote.

    `files` are its rendered files by name, None if it is not rendered.
    """

    host: str
    entry: bytes
    said: Digest
    ledger_same: bool
    files: Mapping[str, bytes] | None


class _Drafts(Mapping[str, tuple[str, ResolvedInstance]]):
    """Every instance that could be made, with its host; each host is drafted when it is asked for.

    So each child drafts the hosts that it works on, and those of their peers.
    """

    def __init__(
        self, draft: Callable[[str], HostDraft], instances: Mapping[str, Collection[str]]
    ) -> None:
        self._draft = draft
        self._hosts = {name: host for host, names in instances.items() for name in names}
        self._drafts: dict[str, HostDraft] = {}

    def of(self, host: str) -> HostDraft:
        """A host up to its peers."""
        if host not in self._drafts:
            self._drafts[host] = self._draft(host)
        return self._drafts[host]

    def __getitem__(self, name: str) -> tuple[str, ResolvedInstance]:
        host = self._hosts[name]
        return host, self.of(host).built[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, host in self._hosts.items() if name in self.of(host).built)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Workshop:
    """Reads each file of the format once, and only if it is needed."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._fleet = Fleet(files=sources.files)
        self._found: dict[str, list[Diagnostic]] = {}
        self._documents: dict[str, MappingNode] = {}
        self._hosts: dict[str, HostFile] = {}
        self._instances: dict[str, InstanceFile] = {}
        self._desired: Desired | None = None
        self._known: FleetContext | None = None
        self._shared: list[Diagnostic] = []

    def strays(self) -> tuple[str, ...]:
        """Files that no rule of the layout covers; Unusual if a name is wrong."""
        found = lay_out(self._sources.files).found
        if any(d.code != "FMT113" for d in found):
            raise Unusual
        return tuple(map(_file, found))

    def facts(self, names: Iterable[str], stray: frozenset[str]) -> dict[str, FileFacts]:
        """The facts of these files; Unusual if one has an error."""
        names = list(names)
        self._understand(names)
        return {name: self._facts_of(name, stray) for name in names}

    def ledger(self) -> tuple[Ledger, bool]:
        """The ledger, and whether it is written as compile writes it."""
        content = self._sources.files.get(LEDGER)
        if content is None:
            return NOTHING, True
        ledger = read_ledger_file(LEDGER, content)
        if ledger.diagnostics or ledger.value is None:
            raise Unusual
        return ledger.value, ledger_text(ledger.value) == content

    @contextmanager
    def work_out(
        self,
        todo: Collection[str],
        instances: Mapping[str, Collection[str]],
        parts: Mapping[str, Ledger],
        declared: Collection[str],
        wanted: Collection[str],
        *,
        beside: bool = False,
    ) -> Iterator[Iterator[Worked]]:
        """Resolve and check the hosts in `todo`, and render those of them that are `wanted`.

        `instances` has the names of their instances, and those of every host that a peer is on;
        `parts` the parts of the ledger, `declared` the names of all instances of the fleet. With
        `beside` a child begins even for a single host, while the caller has something else to do.
        Results come in any order. Asking for one is Unusual if there is an error, or a place in the
        ledger is pointed at: places in it move.
        """
        sources = self._sources
        files = [sources.hosts[host] for host in instances]
        files += [sources.instances[name] for names in instances.values() for name in names]
        desired = self._understand(files)
        context = self._context(desired, declared)

        def draft(host: str) -> HostDraft:
            own = [self._instances[name] for name in instances[host]]
            return draft_host(context, self._hosts[host], own, parts.get(host, NOTHING))

        drafts = _Drafts(draft, instances)

        def finished(host: str) -> bytes:
            resolved, findings = link_host(drafts.of(host), drafts)
            found = check_host(resolved)
            told = [*findings.single, *(shared.diagnostic for shared in findings.shared), *found]
            if any(_is_error(d) or _points_at_ledger(d) for d in told):
                raise Unusual
            files = self._render(resolved) if host in wanted else None
            same = findings.ledger == parts.get(host, NOTHING)
            entry = HostEntry(findings, summarise(resolved), found)
            said = entry._replace(findings=findings._replace(ledger=NOTHING))
            return freeze(Worked(host, freeze(entry), digest_of(freeze(said)), same, files))

        least = 1 if beside else WORTH_IT
        try:
            with forked(finished, by_neighbours(sorted(todo)), least) as results:
                yield map(_worked, results)
        except WorkerFailed:
            raise Unusual from None  # the full reading comes upon the cause again

    def _render(self, host: ResolvedHost) -> Mapping[str, bytes]:
        """The rendered files of a host by name; Unusual if it cannot be rendered."""
        from pbxfleet.render.compile import compile_host  # validate can do without jinja2

        fleet, desired = self._fleet, self._understand(())
        budget = desired.fleet.policy.deletion_budget
        fleet.desired = Desired(desired.fleet, self._hosts, self._instances)
        fleet.resolved = Resolved(desired.fleet.name.value, (host,), budget)
        rendered = compile_host(
            host,
            fleet.resolved.fleet_name,
            budget,
            fleet.references,
            fleet.templates,
            inputs_of(fleet, host.name),
        )
        if rendered.value is None or rendered.diagnostics:
            raise Unusual
        return dict(rendered.value.files)

    def conclude(
        self,
        facts: Iterable[FileFacts],
        entries: Collection[HostEntry],
        declared: Collection[str],
        stray: Collection[str],
    ) -> tuple[Diagnostic, ...]:
        """Everything that is to be said about the fleet, in order; Unusual if there is an error.

        `stray` are what `strays` gives: of each it is told by itself that no rule covers it.
        """
        desired = self._understand(())
        context = self._context(desired, declared)
        read = {name for fact in facts for name in fact.mentions}
        found = list(lay_out(name for name in stray if name not in read).found)
        found += [d for fact in facts for d in fact.found]
        found += self._shared
        found += [d for entry in entries for d in entry.found]
        found += conclude(context, [entry.findings for entry in entries])
        found += check_fleet([entry.summary for entry in entries])
        if any(map(_is_error, found)):
            raise Unusual
        return in_order(found)

    def _understand(self, names: Iterable[str]) -> Desired:
        """Read these files and the fleet's, as far as they were not read before."""
        wanted = dict.fromkeys((self._sources.fleet, *names))
        new = [name for name in wanted if name not in self._documents]
        for name in new:
            loaded = read_document(name, self._sources.files[name])
            if loaded.value is None:
                raise Unusual
            self._found[name] = list(loaded.diagnostics)
            self._documents[name] = loaded.value
        if new or self._desired is None:
            self._lower(new)
        assert self._desired is not None
        return self._desired

    def _lower(self, new: Collection[str]) -> None:
        fleet = self._sources.fleet
        validated = validate({name: self._documents[name] for name in {fleet, *new}})
        desired = validated.outcome.value
        if desired is None:
            raise Unusual
        for diagnostic in validated.outcome.diagnostics:
            if (name := _file(diagnostic)) in new:
                self._found[name].append(diagnostic)
        self._hosts |= desired.hosts
        self._instances |= desired.instances
        self._desired = desired
        load_templates(self._fleet, desired.hosts.values(), self._shared)
        if fleet in new:
            load_references(self._fleet, desired.fleet, self._shared)
        if any(map(_is_error, self._shared)):
            raise Unusual

    def _context(self, desired: Desired, declared: Collection[str]) -> FleetContext:
        if self._known is None:
            self._known = fleet_context(desired.fleet, self._fleet.references, declared)
        return self._known

    def _facts_of(self, name: str, stray: frozenset[str]) -> FileFacts:
        found = tuple(self._found[name])
        if any(map(_is_error, found)):
            raise Unusual
        folder, _, base = name.rpartition("/")
        stem = base.rpartition(".")[0]
        host, layers = "", []
        if folder.endswith("/instances"):
            host, layers = self._instances[stem].host.value, [self._instances[stem].layer]
        elif folder.endswith("/hosts"):
            layers = [self._hosts[stem].defaults]
        elif self._desired is not None:
            layers = [self._desired.fleet.defaults]
        peers = tuple(layer.failover.peer.value for layer in layers if layer.failover.peer)
        paths = paths_in(self._documents[name]) if stray else ()
        mentions = tuple(sorted(stray.intersection(paths)))
        is_fleet = name == self._sources.fleet and self._desired is not None
        judging = self._desired.fleet.judging if is_fleet and self._desired else Judging()
        return FileFacts(self._sources.digest(name), host, peers, mentions, found, judging)


def _worked(frozen: bytes) -> Worked:
    worked = thaw(frozen)
    if not isinstance(worked, Worked):
        raise Unusual
    return worked


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity is Severity.ERROR


def _points_at_ledger(diagnostic: Diagnostic) -> bool:
    places = [place for place, _ in diagnostic.related]
    return any(place.file == LEDGER for place in (diagnostic.span, *places) if place is not None)


def _file(diagnostic: Diagnostic) -> str:
    return diagnostic.span.file if diagnostic.span is not None else ""
