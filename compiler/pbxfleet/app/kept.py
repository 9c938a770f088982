"""What validate and compile keep between runs: an index, the ledger, and of each host what it came to.

The index is what every run reads. Its notes name the rest by digest: an entry or a tree that is not
the one that a note was made with counts as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.digest import Digest, digest_of, digest_of_data
from pbxfleet.host.cache import Cache
from pbxfleet.model.frozen import freeze, thaw
from pbxfleet.model.plans import Judging
from pbxfleet.model.summary import HostSummary

if TYPE_CHECKING:
    from pbxfleet.resolve.host import HostFindings

INDEX, LEDGER = "index", "ledger"


class FileFacts(NamedTuple):
    """What one file of the format says that decides which hosts it concerns.

    `host` is that of an instance's file, else "". `peers` are the instances that it names as halves of
    pairs; `mentions` are files that nobody would read if it did not name them. `judging` is what the
    fleet file says about diagnostics.
    """

    digest: str
    host: str
    peers: tuple[str, ...]
    mentions: tuple[str, ...]
    found: tuple[Diagnostic, ...]
    judging: Judging = Judging()

    @property
    def is_telling(self) -> bool:
        """Whether it has something to say to the conclusions about the whole fleet."""
        return bool(self.mentions or self.found)


class HostNote(NamedTuple):
    """What a run needs to know of a host of which nothing changed.

    `key` is the digest of all that its results were made of, `entry` that of its frozen HostEntry,
    `said` that of the part of it that conclusions are drawn from. `tree` is the digest of its rendered
    files, None if it was only validated. `ledger_same` says that its part of the ledger stayed as it
    was.
    """

    key: Digest
    entry: Digest
    said: Digest
    tree: Digest | None
    instances: int
    ledger_same: bool


class Index(NamedTuple):
    """The facts of all files by name, a note of each host, and what all of them together concluded.

    It holds for one `program` only. `stray` are the files that no rule of the layout covers, among
    those of which `names` is the digest: all but the ledger.
    `conclusion` holds under `conclusion_key` only.
    """

    program: str
    names: Digest
    stray: tuple[str, ...]
    facts: dict[str, FileFacts]
    hosts: dict[str, HostNote]
    conclusion_key: str
    conclusion: tuple[Diagnostic, ...]


class HostEntry(NamedTuple):
    """Everything that a host's files came to but for what is rendered."""

    findings: HostFindings
    summary: HostSummary
    found: tuple[Diagnostic, ...]


class Tree(NamedTuple):
    """A host's rendered files: their digests by name, and the digest of these.

    `stamp` proves that they are on the disk, None if only reading them can tell.
    """

    digest: Digest
    files: dict[str, Digest]
    stamp: Digest | None


def tree_of(files: Mapping[str, bytes], stamp: Digest | None = None) -> Tree:
    """The tree of these rendered files."""
    digests = {name: digest_of(content) for name, content in files.items()}
    return Tree(digest_of_data(digests), digests, stamp)


def load_index(cache: Cache, program: str) -> Index | None:
    """The index of this program's last run, None if there is none."""
    found = thaw(content) if (content := cache.get(INDEX)) else None
    return found if isinstance(found, Index) and found.program == program else None


def save_index(cache: Cache, index: Index) -> None:
    """Keep the index."""
    cache.put(INDEX, freeze(index))


def load_entry(cache: Cache, host: str, digest: Digest) -> HostEntry | None:
    """The entry of this digest."""
    content = cache.get(_entry(host))
    found = thaw(content) if content is not None and digest_of(content) == digest else None
    return found if isinstance(found, HostEntry) else None


def save_entry(cache: Cache, host: str, frozen: bytes) -> None:
    """Keep a host's frozen entry in place of its last one."""
    cache.put(_entry(host), frozen)


def load_tree(cache: Cache, host: str) -> Tree | None:
    """What was kept of a host's rendered files."""
    found = thaw(content) if (content := cache.get(_tree(host))) else None
    return found if isinstance(found, Tree) else None


def save_tree(cache: Cache, host: str, tree: Tree) -> None:
    """Keep what a host's rendered files are."""
    cache.put(_tree(host), freeze(tree))


def forget_others(cache: Cache, hosts: frozenset[str]) -> None:
    """Drop what is kept of hosts that are no longer declared."""
    cache.keep_only(frozenset(map(_entry, hosts)) | frozenset(map(_tree, hosts)) | {INDEX, LEDGER})


def _entry(host: str) -> str:
    return f"host-{host}"


def _tree(host: str) -> str:
    return f"tree-{host}"
