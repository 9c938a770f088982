"""The ledger as it is kept between runs: read whole only if it changed, else the parts that are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pbxfleet.app.kept import LEDGER
from pbxfleet.app.sources import Unusual
from pbxfleet.core.digest import Digest, digest_of_data
from pbxfleet.host.cache import Cache
from pbxfleet.model.frozen import freeze, thaw
from pbxfleet.model.ledger_parts import NOTHING, parts_of
from pbxfleet.model.resolved import Ledger


class Part(NamedTuple):
    """A host's frozen part of the ledger, and the digest of what is remembered there."""

    remembered: Digest
    frozen: bytes


class KeptLedger(NamedTuple):
    """What one program read in a ledger of this digest, for instances that are where `at` says.

    `frozen` is all of it. `is_canonical` tells that compile would write it so; `homes` are the hosts
    that something is allocated on.
    """

    program: str
    digest: Digest
    at: Digest
    frozen: bytes
    is_canonical: bool
    homes: frozenset[str]
    parts: dict[str, Part]

    @property
    def whole(self) -> Ledger:
        """All that the ledger remembers."""
        return _thawed(self.frozen)

    def part(self, host: str) -> Ledger:
        """What the ledger remembers for a host."""
        return _thawed(self.parts[host].frozen) if host in self.parts else NOTHING

    def remembered(self) -> dict[str, Digest]:
        """By host: what its results depend on."""
        return {host: part.remembered for host, part in self.parts.items()}


def kept_ledger(
    cache: Cache,
    program: str,
    digest: Digest,
    at: Mapping[str, str],
    read: Callable[[], tuple[Ledger, bool]],
) -> KeptLedger:
    """The ledger of this digest; `read` reads it, and tells whether compile would write it so.

    `at` has the host of each instance. What is read anew is kept at once.
    """
    there = digest_of_data(dict(at))
    known = thaw(content) if (content := cache.get(LEDGER)) else None
    if not isinstance(known, KeptLedger) or (known.program, known.digest) != (program, digest):
        whole, is_canonical = read()
    elif known.at != there:
        whole, is_canonical = known.whole, known.is_canonical
    else:
        return known
    parts = {
        host: Part(_remembered(part, at), freeze(part))
        for host, part in parts_of(whole, at).items()
    }
    homes = frozenset(a.host for a in whole.allocations.values())
    found = KeptLedger(program, digest, there, freeze(whole), is_canonical, homes, parts)
    cache.put(LEDGER, freeze(found))
    return found


def remembered(ledger: Ledger, at: Mapping[str, str]) -> dict[str, Digest]:
    """By host: what its results depend on in this ledger."""
    return {host: _remembered(part, at) for host, part in parts_of(ledger, at).items()}


def _remembered(part: Ledger, at: Mapping[str, str]) -> Digest:
    gone = sorted({*part.allocations, *part.tombstones} - at.keys())
    return digest_of_data([repr(part.without_spans()), gone])


def _thawed(frozen: bytes) -> Ledger:
    ledger = thaw(frozen)
    if not isinstance(ledger, Ledger):
        raise Unusual
    return ledger
