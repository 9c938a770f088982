"""Read a fleet repository up to the resolved, checked fleet, collecting every problem on the way."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from pbxfleet.app.fleet import Fleet
from pbxfleet.app.judging import judged, scope_files
from pbxfleet.app.masking import lines_of_secrets
from pbxfleet.core.diagnostics import Diagnostic, Outcome, Severity, in_order
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import Refused
from pbxfleet.core.span import Span
from pbxfleet.host.disk import absolute, is_directory
from pbxfleet.host.workspace import ReadProblem, read_tree
from pbxfleet.model.desired import NO_GAPS, Desired, FleetFile, HostFile, ReleaseFile, Sourced
from pbxfleet.model.judged import Scope
from pbxfleet.model.resolved import Ledger, Reference, Resolved
from pbxfleet.pbx.key_table import with_key_table
from pbxfleet.pbx.reference import read_reference
from pbxfleet.resolve.resolve import resolve_and_check
from pbxfleet.schema import read_ledger_file, validate
from pbxfleet.source.load import SUFFIXES, load, unreadable
from pbxfleet.source.nodes import MappingNode
from pbxfleet.source.text import display_text

LEDGER = "desired/ledger.toml"
UNREADABLE = "SRC101"
QUOTING = "SRC120"
FOLDERS = ("desired", "desired/hosts", "desired/instances")


def read_fleet(repository: str) -> Fleet:
    """Everything that `desired/` says, resolved and checked; Refused if there is no such folder."""
    if not is_directory(f"{repository}/desired"):
        raise Refused(
            f"{repository} is not a fleet repository: it has no folder desired/",
            hint="go there or name it with -C DIR; pbxfleet init DIR makes a new one",
        )
    return understood(read_tree(absolute(repository), "desired", file_suffixes=SUFFIXES))


def understood(contents: Mapping[str, bytes | ReadProblem]) -> Fleet:
    """The fleet of these files by name, resolved and checked, wherever they were read from."""
    fleet = Fleet()
    found: list[Diagnostic] = []
    sound = _understand(contents, fleet, found)
    desired = None if sound is None else sound.desired
    if desired is None:
        fleet.diagnostics = in_order(found)
        return fleet
    fleet.diagnostics, fleet.suppressed = judged(found, desired.fleet.judging, _scope(desired))
    if sound is not None and not any(d.severity is Severity.ERROR for d in fleet.diagnostics):
        fleet.resolved = sound.resolved
    return fleet


class Sound(NamedTuple):
    """What of the fleet has no error of its own, as it is declared and as it was resolved."""

    desired: Desired
    resolved: Resolved


def _scope(desired: Desired) -> Scope:
    hosts = {name: file.host.value for name, file in desired.instances.items()}
    instance_files = {name: file.span.file for name, file in desired.instances.items()}
    host_files = {name: file.span.file for name, file in desired.hosts.items()}
    files = scope_files(hosts, instance_files, host_files)
    return Scope(hosts, files, is_whole=desired.gaps == NO_GAPS)


def _understand(
    contents: Mapping[str, bytes | ReadProblem], fleet: Fleet, found: list[Diagnostic]
) -> Sound | None:
    documents = _documents(contents, fleet, found)
    no_ledger = LEDGER in contents and LEDGER not in fleet.files
    ledger = read_ledger_file(LEDGER, fleet.files.get(LEDGER, b""))
    found += ledger.diagnostics
    fleet.ledger_before = ledger.value
    validated = validate(documents, _names(contents, found))
    found += validated.outcome.diagnostics
    fleet.desired = validated.outcome.value
    # Without a folder that is there, its hosts or instances would be taken for unknown.
    if any(folder in contents for folder in FOLDERS):
        return None
    desired = validated.sound
    # Without the ledger that is there, every `auto` would be handed out anew.
    if ledger.value is None or no_ledger:
        desired = replace(desired, gaps=desired.gaps._replace(ledger=True))
    load_references(fleet, desired.fleet, found)
    load_templates(fleet, desired.hosts.values(), found)
    resolution = resolve_and_check(desired, fleet.references, ledger.value or Ledger({}))
    found += _without_echo(fleet, desired, resolution.outcome.diagnostics, found)
    fleet.ledger = resolution.ledger
    return Sound(desired, resolution.sound)


def _documents(
    contents: Mapping[str, bytes | ReadProblem], fleet: Fleet, found: list[Diagnostic]
) -> dict[str, MappingNode]:
    """The files of the format as nodes; what cannot be read or parsed is reported and left out."""
    files: dict[str, bytes] = {}
    documents: dict[str, MappingNode] = {}
    for name, content in sorted(contents.items()):
        wanted = posixpath.dirname(name) in FOLDERS and name.endswith(SUFFIXES)
        if isinstance(content, ReadProblem):
            if wanted or posixpath.dirname(name) in FOLDERS[1:] or name in FOLDERS:
                found.append(unreadable(name, content.reason))
            continue
        if name in FOLDERS:
            found.append(unreadable(name, "is a file, not a folder"))
            continue
        files[name] = content
        if wanted and name != LEDGER:
            outcome = read_document(name, content)
            found += outcome.diagnostics
            if outcome.value is not None:
                documents[name] = outcome.value
    fleet.files = files
    fleet.unread = {n: c.reason for n, c in contents.items() if isinstance(c, ReadProblem)}
    return documents


def read_document(name: str, content: bytes) -> Outcome[MappingNode]:
    """One file of the format as nodes."""
    loaded = load(name, content)
    return Outcome(loaded.value, tuple(discreet(loaded.diagnostics, content)))


def discreet(found: Iterable[Diagnostic], content: bytes) -> Iterator[Diagnostic]:
    """Without hints that repeat what is written where a reference to a secret belongs."""
    lines = frozenset(lines_of_secrets(display_text(content))) if found else frozenset()
    for diagnostic in found:
        line = diagnostic.span.line if diagnostic.span is not None else 0
        said = diagnostic.code == QUOTING and line in lines
        yield replace(diagnostic, hint="text stands in quotes") if said else diagnostic


def _names(contents: Iterable[str], found: Iterable[Diagnostic]) -> list[str]:
    """Names of the files, without those of which nothing more is to be said: they cannot be read."""
    said = {d.span.file for d in found if d.span is not None and d.code == UNREADABLE}
    return sorted(n for n in contents if n.endswith(SUFFIXES) or n not in said)


def load_references(fleet: Fleet, file: FleetFile, found: list[Diagnostic]) -> None:
    """Read the reference files of all releases; what is wrong with them is added to `found`."""
    for name, release in file.releases.items():
        path = in_repository(release.reference.value)
        content = fleet.files.get(path)
        if content is None:
            if path in fleet.unread:
                found.append(unreadable(path, fleet.unread[path]))
            continue  # REL103 where an instance uses it
        outcome = read_reference(path, content)
        found += outcome.diagnostics
        if outcome.value is not None:
            fleet.references[name] = _with_key_table(fleet, release, outcome.value, found)


def _with_key_table(
    fleet: Fleet, release: ReleaseFile, reference: Reference, found: list[Diagnostic]
) -> Reference:
    if release.settings is None:
        return reference
    path = in_repository(release.settings.value)
    if path in fleet.unread:
        found.append(unreadable(path, fleet.unread[path]))
        return reference
    with_table, said = with_key_table(reference, release, path, fleet.files.get(path))
    found += said
    return with_table


def _without_echo(
    fleet: Fleet, desired: Desired, later: Iterable[Diagnostic], found: Iterable[Diagnostic]
) -> list[Diagnostic]:
    """Without REL103, "no reference file", for files that are there and were reported as broken."""
    reported = {d.span.file for d in found if d.span is not None and d.severity is Severity.ERROR}
    broken = {
        release.reference.origin
        for name, release in desired.fleet.releases.items()
        if name not in fleet.references and in_repository(release.reference.value) in reported
    }
    return [d for d in later if d.code != "REL103" or d.span not in broken]


def load_templates(fleet: Fleet, hosts: Iterable[HostFile], found: list[Diagnostic]) -> None:
    """Fetch the templates that the hosts name; REF111 for one that is not there."""
    for template in _named_templates(hosts):
        path = in_repository(template.value)
        content = fleet.files.get(path)
        if content is None:
            found.append(_no_template(path, template.origin, fleet.unread.get(path, "")))
        else:
            fleet.templates[path] = content


def _named_templates(hosts: Iterable[HostFile]) -> list[Sourced[str]]:
    return [h.failover_template for h in hosts if h.failover_template is not None]


def _no_template(path: str, span: Span, reason: str) -> Diagnostic:
    return Diagnostic(
        "REF111",
        f"the failover template {path} " + (reason or "is not there"),
        span,
        hint="paths in desired/ files are relative to desired/",
    )


def in_repository(path: str) -> str:
    """A path as written in a desired file (relative to desired/), relative to the repository."""
    return posixpath.normpath(posixpath.join("desired", path))


def inputs_of(fleet: Fleet, host: str) -> dict[str, Digest]:
    """Digests of the desired files that a host's target is compiled from, by name in the repository.

    Files of failover peers count too: their addresses stand in this host's failover files.
    """
    desired, resolved = fleet.desired, fleet.resolved
    assert desired is not None and resolved is not None
    names = {desired.fleet.span.file, desired.hosts[host].span.file}
    own = next(h for h in resolved.hosts if h.name == host)
    template = own.file.failover_template
    for instance in own.instances:
        names.add(instance.span.file)
        names |= _files_of(instance.release)
        if instance.failover is not None:
            peer = desired.instances[instance.failover.peer]
            names |= {peer.span.file, desired.hosts[peer.host.value].span.file}
            if template is not None:
                names.add(in_repository(template.value))
    return {name: fleet.digest(name) for name in sorted(names)}


def _files_of(release: ReleaseFile) -> set[str]:
    written = (release.reference, release.settings)
    return {in_repository(path.value) for path in written if path is not None}
