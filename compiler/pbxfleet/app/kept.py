"""What validate and compile keep between runs: one entry a host, and one index of the files."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.digest import Digest
from pbxfleet.host.cache import Cache
from pbxfleet.host.stamps import Stamp
from pbxfleet.model.frozen import freeze, thaw
from pbxfleet.model.plans import Judging
from pbxfleet.model.resolved import Ledger
from pbxfleet.model.summary import HostSummary
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


class Index(NamedTuple):
    """The facts of all files by name, and what all of them together concluded.

    It holds for one `program` only. `stray` are the files that no rule of the layout covers, among
    those of which `names` is the digest: all but the ledger.
    `conclusion` holds under `conclusion_key` only.
    """

    program: str
    names: Digest
    stray: tuple[str, ...]
    facts: dict[str, FileFacts]
    conclusion_key: str
    conclusion: tuple[Diagnostic, ...]


class LedgerEntry(NamedTuple):
    """What one program read in a ledger of this digest, and whether compile would write it so."""

    program: str
    digest: str
    ledger: Ledger
    is_canonical: bool


class HostEntry(NamedTuple):
    """Everything that a host's files came to, under the digest of all that it was made of.

    `rendered` are the digests of its rendered files by name, None if it was only validated; `stamps`
    prove that they are on the disk, None if only reading them can tell. `ledger_same` says that its
    part of the ledger stayed as it was.
    """

    key: str
    findings: HostFindings
    summary: HostSummary
    found: tuple[Diagnostic, ...]
    instances: int
    ledger_same: bool
    rendered: dict[str, Digest] | None
    stamps: dict[str, Stamp] | None


def load_index(cache: Cache, program: str) -> Index | None:
    """The index of this program's last run, None if there is none."""
    found = thaw(content) if (content := cache.get(INDEX)) else None
    return found if isinstance(found, Index) and found.program == program else None


def load_ledger(cache: Cache, program: str, digest: str) -> LedgerEntry | None:
    """What was kept of the ledger of this digest."""
    found = thaw(content) if (content := cache.get(LEDGER)) else None
    if isinstance(found, LedgerEntry) and (found.program, found.digest) == (program, digest):
        return found
    return None


def load_entry(cache: Cache, host: str, key: str) -> HostEntry | None:
    """What was kept of a host under this key."""
    found = thaw(content) if (content := cache.get(_name(host))) else None
    return found if isinstance(found, HostEntry) and found.key == key else None


def save_index(cache: Cache, index: Index) -> None:
    """Keep the index."""
    cache.put(INDEX, freeze(index))


def save_ledger(cache: Cache, entry: LedgerEntry) -> None:
    """Keep the ledger."""
    cache.put(LEDGER, freeze(entry))


def save_entry(cache: Cache, host: str, entry: HostEntry) -> None:
    """Keep a host's entry in place of its last one."""
    cache.put(_name(host), freeze(entry))


def forget_others(cache: Cache, hosts: frozenset[str]) -> None:
    """Drop the entries of hosts that are no longer declared."""
    cache.keep_only(frozenset(map(_name, hosts)) | {INDEX, LEDGER})


def _name(host: str) -> str:
    return f"host-{host}"
