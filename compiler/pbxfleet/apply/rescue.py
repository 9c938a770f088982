"""What somebody wrote into a pbx.xml at the very moment it was replaced, found after a kill.

`host/exchange.py` swaps two names in one step and looks at what it displaced. A run that is killed
between the two leaves that file beside the other, under a name that says so. Whoever comes next looks
in its place: what is known goes, what is not goes back, or is saved where it can be found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pbxfleet.apply.inverse import must_be_stopped
from pbxfleet.apply.io import Memory
from pbxfleet.core.digest import digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.base import Host
from pbxfleet.host.temporary import ours_beside
from pbxfleet.model.journal import Entry, PutValuesBack
from pbxfleet.pbx.layout import PBX_XML


class _Found(NamedTuple):
    """A displaced file `beside` the pbx.xml at `path`, both as they are now."""

    path: HostPath
    beside: HostPath
    content: bytes
    now: bytes | None


def rescue(
    host: Host, memory: Memory, folders: Iterable[HostPath], entries: Iterable[Entry]
) -> tuple[str, ...]:
    """Look into the directories of instances for what a killed run displaced; the caller holds the lock.

    The answer says what became of it. `entries` are those of its journal. HostError if something cannot
    be saved: then it stays there.
    """
    said: list[str] = []
    written = {e.inverse.path: e.inverse for e in entries if isinstance(e.inverse, PutValuesBack)}
    for folder in sorted(set(folders)):
        for name in host.names(folder):
            ours = ours_beside(name)
            if ours is None:
                continue
            beside, path = join(folder, name), join(folder, PBX_XML)
            identity, content = host.identity(beside), host.read(beside)
            if identity is None or content is None:
                continue
            if identity[1] != ours and not _is_kept(memory, content):
                found = _Found(path, beside, content, host.read(path))
                said.append(_rescue(host, memory, found, written.get(path)))
            host.remove(beside)
    return tuple(said)


def _is_kept(memory: Memory, content: bytes) -> bool:
    """Whether it is the file that the run had read, and kept before it changed anything."""
    try:
        return memory.kept(digest_of(content)) == content
    except HostError:
        return False


def _rescue(host: Host, memory: Memory, found: _Found, inverse: PutValuesBack | None) -> str:
    if _can_go_back(host, found, inverse):
        seen = host.look(found.beside)
        if host.swap(found.path, found.now, found.content, None, ""):
            host.set_attributes(found.path, seen.mode, seen.owner)
            return f"{found.path}: what was written while it was replaced is put back"
    place = memory.save(digest_of(found.content), found.beside, found.path)
    return f"{found.path}: another version, written while it was replaced, is saved as {place}"


def _can_go_back(host: Host, found: _Found, inverse: PutValuesBack | None) -> bool:
    """Only onto what the run wrote there itself, and while nothing runs."""
    if inverse is None or found.now is None or digest_of(found.now) != inverse.written:
        return False
    try:
        must_be_stopped(host, inverse.instance)
    except HostError:
        return False
    return True
