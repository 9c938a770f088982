"""A cache that begins with what another one has, and leaves that as it is."""

from __future__ import annotations

from pbxfleet.host.cache import Cache


class LayeredCache(Cache):
    """Reads what it does not have from the cache below; what is put stays in memory."""

    def __init__(self, below: Cache) -> None:
        super().__init__(None)
        self._below = below
        self._entries: dict[str, bytes] = {}

    @property
    def is_usable(self) -> bool:
        """Always."""
        return True

    def get(self, name: str) -> bytes | None:
        """The entry that was put here, else that of the cache below."""
        return self._entries[name] if name in self._entries else self._below.get(name)

    def size_bytes(self, name: str) -> int:
        """How large an entry is, 0 if it is in neither."""
        known = self._entries.get(name)
        return self._below.size_bytes(name) if known is None else len(known)

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry as long as the program runs."""
        self._entries[name] = content

    def drop(self, name: str) -> None:
        """Forget an entry, that of the cache below as well."""
        self._entries[name] = b""

    def keep_only(self, names: frozenset[str]) -> None:
        """Nothing: what others need stays below."""
