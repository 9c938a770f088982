"""The releases that a fleet declares, who uses them, and the files of them that are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import absolute, digest_of_file, is_directory
from pbxfleet.host.store import Store
from pbxfleet.host.workspace import ReadProblem, read_tree
from pbxfleet.model.desired import ArtefactPin, Desired, ReleaseFile
from pbxfleet.pbx.layout import EXECUTABLE, RESOURCES
from pbxfleet.pbx.versions import parse_version
from pbxfleet.schema import validate
from pbxfleet.source.load import SUFFIXES, load
from pbxfleet.source.nodes import MappingNode

HERE, MISSING, OTHER, STRANGE = "here", "missing", "damaged", "not declared"
NAMED = 4


class Releases(NamedTuple):
    """What a repository says of releases. `complete` tells whether every file of it was understood.

    `users` are the instances by the name of their release; `store` is where files lie by digest.
    """

    repository: str
    desired: Desired
    users: Mapping[str, tuple[str, ...]]
    store: Store
    complete: bool

    @property
    def declared(self) -> Mapping[str, ReleaseFile]:
        """Releases by name, versions in their order, other names behind them."""
        releases = self.desired.fleet.releases
        return {
            name: releases[name] for name in sorted(releases, key=lambda n: _order(releases[n]))
        }

    def named(self, names: Sequence[str]) -> tuple[ReleaseFile, ...]:
        """The releases of these names, all if there are none; Refused if one is not declared."""
        declared = self.declared
        for name in names:
            if name not in declared:
                raise Refused(f"no release is called {name}", hint=did_you_mean(name, declared))
        return tuple(declared[name] for name in names or declared)


class FileState(NamedTuple):
    """A file of a release: what it is called, where it comes from, and whether it is here."""

    release: str
    file: str
    source: str
    sha256: str
    state: str


def read_releases(repository: str, artefacts: str | None) -> Releases:
    """The releases of a repository; Refused if its fleet file is missing or has errors.

    Errors elsewhere do no harm: who fetches a release may just be about to mend them.
    """
    if not is_directory(f"{repository}/desired"):
        raise Refused(
            f"{repository} is not a fleet repository: it has no folder desired/",
            hint="go there or name it with -C DIR",
        )
    repository = absolute(repository)
    documents: dict[str, MappingNode] = {}
    contents = read_tree(repository, "desired", file_suffixes=SUFFIXES)
    for name, content in contents.items():
        if not isinstance(content, ReadProblem) and name.endswith(SUFFIXES):
            node = load(name, content).value
            if node is not None:
                documents[name] = node
    documents.pop("desired/ledger.toml", None)
    read = validate(documents, [n for n in contents if n.endswith(SUFFIXES)])
    desired = read.sound
    if desired.gaps.fleet:
        raise Refused(
            "the fleet file cannot be used as it is", hint="pbxfleet validate says what is wrong"
        )
    folder = absolute(artefacts or f"{repository}/desired/{desired.fleet.artefacts}")
    complete = read.outcome.value is not None
    return Releases(repository, desired, _users(desired), Store(folder), complete)


def _order(release: ReleaseFile) -> tuple[int, Any, str]:
    version = parse_version(release.version_text)
    return (1, (), release.name) if version is None else (0, version, release.name)


def _users(desired: Desired) -> dict[str, tuple[str, ...]]:
    """Instances by the release that the nearest layer gives them."""
    users: dict[str, list[str]] = {}
    fleet = desired.fleet.defaults.release
    for name, file in sorted(desired.instances.items()):
        host = desired.hosts.get(file.host.value)
        wish = file.layer.release or (host.defaults.release if host else None) or fleet
        if wish is not None:
            users.setdefault(wish.value, []).append(name)
    return {name: tuple(instances) for name, instances in users.items()}


def pins(release: ReleaseFile) -> tuple[tuple[str, ArtefactPin], ...]:
    """The two files of a release with their names."""
    return ((EXECUTABLE, release.pbxctrl), (RESOURCES, release.dat))


def local_source(releases: Releases, pin: ArtefactPin) -> str | None:
    """Path of a `file:` source, None if the file comes from elsewhere."""
    source = pin.source.value
    if not source.startswith("file:"):
        return None
    return absolute(f"{releases.repository}/desired/{source.removeprefix('file:')}")


def state_of(releases: Releases, pin: ArtefactPin) -> str:
    """`here` if a file with the pinned digest is; `damaged` if another lies in its place; `missing`."""
    digest = pin.sha256.value
    if releases.store.holds(digest):
        return HERE
    local = local_source(releases, pin)
    found = None if local is None else digest_of_file(local)
    if found == f"sha256:{digest}":
        return HERE
    return MISSING if found is None and not releases.store.size(digest) else OTHER


def file_states(releases: Releases, names: Sequence[str] = ()) -> tuple[FileState, ...]:
    """The files of releases, each read as a whole, however many releases share it."""
    known: dict[tuple[str, str], str] = {}
    found = []
    for release in releases.named(names):
        for file, pin in pins(release):
            key = (pin.source.value, pin.sha256.value)
            known[key] = known.get(key) or state_of(releases, pin)
            found.append(FileState(release.name, file, *key, known[key]))
    return tuple(found)


def unpinned(releases: Releases) -> tuple[str, ...]:
    """Files of the store that no declared release names."""
    pinned = {p.sha256.value for r in releases.declared.values() for _, p in pins(r)}
    return tuple(name for name in releases.store.names() if name not in pinned)


def list_text(releases: Releases, states: Sequence[FileState]) -> str:
    """One line for every release: its files, and who uses it."""
    rows = [("release", "version", "files", "used by")]
    for name, release in releases.declared.items():
        own = [s for s in states if s.release == name]
        missing = [f"{s.file} {s.state}" for s in own if s.state != HERE]
        known = parse_version(release.version_text) is not None
        version = release.version_text if known else "unknown"
        rows.append(
            (name, version, ", ".join(missing) or HERE, _named(releases.users.get(name, ())))
        )
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, [*widths, 0], strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _named(instances: Sequence[str]) -> str:
    if not instances:
        return "nobody"
    more = f" and {len(instances) - NAMED} more" if len(instances) > NAMED else ""
    return f"{len(instances)}: {', '.join(instances[:NAMED])}{more}"


def list_data(releases: Releases, states: Sequence[FileState]) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [
        {
            "name": name,
            "version": release.version_text if parse_version(release.version_text) else None,
            "files": [s._asdict() for s in states if s.release == name],
            "instances": list(releases.users.get(name, ())),
        }
        for name, release in releases.declared.items()
    ]


class Verified(NamedTuple):
    """What `verify` found: pinned files, and the files of the store that nobody pins.

    `damaged` are files of the store whose content is not what their name says; `others` are names in
    the folder that are no digests.
    """

    states: tuple[FileState, ...]
    damaged: tuple[str, ...]
    unpinned: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether every pinned file is here, and every file is what its name says."""
        return not self.damaged and all(state.state == HERE for state in self.states)


def verify(releases: Releases) -> Verified:
    """Read everything in the store, and every pinned file beside it."""
    store = releases.store
    damaged = tuple(name for name in store.names() if not store.holds(name))
    return Verified(file_states(releases), damaged, unpinned(releases), store.others())


def prune(releases: Releases, *, check: bool) -> tuple[str, ...]:
    """Remove files of the store that no release pins, with `check` only name them.

    Refused while a file of the repository is not understood: it may pin any of them.
    """
    if not releases.complete:
        raise Refused(
            "not everything in desired/ is understood, so nobody knows which files are needed",
            hint="pbxfleet validate says what is wrong",
        )
    names = unpinned(releases)
    if not check:
        releases.store.sweep()
        for name in names:
            releases.store.remove(name)
    return names
