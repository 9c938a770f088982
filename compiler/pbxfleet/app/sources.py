"""The files of a fleet repository by what they describe, for the quick way through validate."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.host.disk import is_directory
from pbxfleet.host.workspace import ReadProblem, read_tree

LEDGER = "desired/ledger.toml"
FOLDERS = ("desired", "desired/hosts", "desired/instances")
SUFFIXES = (".toml", ".yaml", ".yml")


class Unusual(Exception):
    """Something is wrong, or so unusual that only the full reading can tell what it means."""


@dataclass(frozen=True)
class Sources:
    """Content of every file below desired/ by name, and which of them are the fleet's format.

    `hosts` and `instances` have file names by the names of what they describe.
    """

    files: Mapping[str, bytes]
    digests: Mapping[str, Digest]
    fleet: str
    hosts: Mapping[str, str]
    instances: Mapping[str, str]

    @property
    def format_files(self) -> tuple[str, ...]:
        """The fleet's file, the hosts' and the instances', in order of their names."""
        return tuple(sorted((self.fleet, *self.hosts.values(), *self.instances.values())))

    @property
    def ledger_digest(self) -> Digest:
        """Digest of the ledger; a missing one counts as empty."""
        return self.digests.get(LEDGER, digest_of(b""))

    def others(self) -> list[list[str]]:
        """Names and digests of what the fleet may name: reference files, templates and the like."""
        own = {*self.format_files, LEDGER}
        return [[name, digest] for name, digest in self.digests.items() if name not in own]

    def digest(self, name: str) -> Digest:
        """Digest of one file."""
        return self.digests[name]


def read_sources(repository: str) -> Sources:
    """Read desired/; Unusual if a file cannot be read, or two files describe one thing."""
    if not is_directory(f"{repository}/desired"):
        raise Unusual
    return sources_of(read_tree(repository, "desired", file_suffixes=SUFFIXES))


def sources_of(contents: Mapping[str, bytes | ReadProblem]) -> Sources:
    """These files, wherever they were read from; Unusual as above."""
    files: dict[str, bytes] = {}
    for name, content in contents.items():
        if isinstance(content, ReadProblem) or name in FOLDERS:
            raise Unusual
        files[name] = content
    parts: dict[str, dict[str, str]] = {folder: {} for folder in FOLDERS}
    for name in files:
        folder, base = posixpath.split(name)
        stem, suffix = posixpath.splitext(base)
        described = (
            folder in parts and suffix in SUFFIXES and (folder != "desired" or stem == "fleet")
        )
        if described and parts[folder].setdefault(stem, name) != name:
            raise Unusual  # FMT112
    if not parts["desired"]:
        raise Unusual  # FMT101
    digests = {name: digest_of(content) for name, content in files.items()}
    return Sources(
        files,
        digests,
        parts["desired"]["fleet"],
        parts["desired/hosts"],
        parts["desired/instances"],
    )
