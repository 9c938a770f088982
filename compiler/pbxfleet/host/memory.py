"""Files in memory, alone or laid over a host that is only read."""

from __future__ import annotations

import errno
from itertools import count
from typing import NamedTuple

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import DIGEST_ENDING, HostPath, join, parent
from pbxfleet.host.base import HostView
from pbxfleet.host.views import not_regular
from pbxfleet.model.observed import ABSENT, Seen, TreeSize, What

NEW_FILE_MODE = 0o600  # as `files`


class Entry(NamedTuple):
    """What lies at a path. `content` is a file's bytes or a link's text.

    Of a large file that was copied only the `source` is known, and `content` is None. `identity`
    changes whenever something is written or attributes are set.
    """

    seen: Seen
    content: bytes | None
    identity: tuple[int, int, int, int, int]
    source: str


class Memory:
    """The file half of a host, with the same refusals as the real one.

    Over a `view` everything that was not written here is read from there; the view is never changed.
    No link of our own is followed, neither at the end of a path nor on the way. One that the view
    has on the way is taken for a directory: whether a write may follow it, only a write can tell.
    """

    def __init__(self, view: HostView | None = None) -> None:
        self._view = view
        self._entries: dict[str, Entry | None] = {}  # None: removed here, whatever the view has
        self._clock = count(1)
        if view is None:
            self._entries["/"] = self._entry(What.DIRECTORY, 0o755, "root:root", b"")

    @property
    def owners_matter(self) -> bool:
        """Whether owners are compared: as on the view, and always without one."""
        return self._view is None or self._view.owners_matter

    def look(self, path: HostPath) -> Seen:
        """What lies at `path`; `ABSENT` if nothing."""
        if path in self._entries:
            entry = self._entries[path]
            return entry.seen if entry is not None else ABSENT
        return self._view.look(path) if self._view is not None else ABSENT

    def read(self, path: HostPath) -> bytes | None:
        """Content of a regular file, None if nothing is there; HostError for anything else."""
        if path not in self._entries:
            return self._view.read(path) if self._view is not None else None
        entry = self._entries[path]
        if entry is None:
            return None
        if entry.seen.what is not What.FILE:
            raise not_regular(path)
        return self._load(entry.source) if entry.content is None else entry.content

    def identity(self, path: HostPath) -> tuple[int, int, int, int, int] | None:
        """As of a real file: two equal identities mean that nothing was written between them."""
        if path not in self._entries:
            return self._view.identity(path) if self._view is not None else None
        entry = self._entries[path]
        is_file = entry is not None and entry.seen.what is What.FILE
        return entry.identity if entry is not None and is_file else None

    def link_target(self, path: HostPath) -> str | None:
        """What the symbolic link at `path` says, None if there is no link."""
        if path not in self._entries:
            return self._view.link_target(path) if self._view is not None else None
        entry = self._entries[path]
        is_link = entry is not None and entry.seen.what is What.SYMLINK
        return (entry.content or b"").decode() if entry is not None and is_link else None

    def names(self, directory: HostPath) -> tuple[str, ...]:
        """Names in a directory, sorted; empty if there is no such directory."""
        is_directory = self.look(directory).what is What.DIRECTORY
        if not is_directory and not self._is_link_of_the_view(directory):
            return ()
        below = set(self._view.names(directory)) if self._view is not None else set()
        start = directory.rstrip("/") + "/"
        for path, entry in self._entries.items():
            if path.startswith(start) and path != "/" and "/" not in path[len(start) :]:
                (below.discard if entry is None else below.add)(path[len(start) :])
        return tuple(sorted(below))

    def make_directory(self, path: HostPath, mode: int, owner: str) -> None:
        """Make `path` and missing parents (0755); an existing directory is left as it is."""
        seen = self.look(path)
        if seen.what is What.DIRECTORY or self._is_link_of_the_view(path):
            return
        if seen.what is not What.ABSENT:
            raise _not_a_directory(path)
        self._refuse_links(path)
        self.make_directory(parent(path), 0o755, "root:root")
        self._entries[path] = self._entry(What.DIRECTORY, mode, owner or "root:root", b"")

    def write(self, path: HostPath, content: bytes, mode: int | None, owner: str) -> None:
        """Put `content` at `path`; `mode` None keeps mode and owner of the file that is there."""
        seen = Seen(What.FILE, 0, owner, len(content), digest_of(content))
        self._put(path, seen, content, "", mode)

    def stage(self, path: HostPath, content: bytes, mode: int, owner: str) -> None:
        """Nothing is seen of it, here as on a disk."""

    def stage_copy(
        self, path: HostPath, source: str, digest: Digest, mode: int, owner: str
    ) -> None:
        """Nothing is seen of it; HST102 if `source` does not match `digest`."""
        _, found, _ = self._source(source)
        if found != digest:
            raise HostError(source, f"is {found}, expected {digest}", code="HST102")

    def unstage(self) -> None:
        """There is nothing to remove."""

    def swap(
        self, path: HostPath, before: bytes | None, after: bytes, mode: int | None, owner: str
    ) -> bool:
        """As `write`, if the file holds `before` (None: nothing is there); else False."""
        self._need_parent(path)
        what = self.look(path).what
        expected = What.ABSENT if before is None else What.FILE
        if what is not expected or (before is not None and self.read(path) != before):
            return False
        self.write(path, after, None if before is not None else mode, owner)
        return True

    def copy_in(self, path: HostPath, source: str, digest: Digest, mode: int, owner: str) -> None:
        """Put the content of the file `source` at `path`; HST102 if it does not match `digest`."""
        content, found, size_bytes = self._source(source)
        if found != digest:
            raise HostError(source, f"is {found}, expected {digest}", code="HST102")
        self._put(path, Seen(What.FILE, 0, owner, size_bytes, found), content, source, mode)

    def keep(self, path: HostPath, place: HostPath) -> None:
        """Put what is at `path` at `place` too; it must be a regular file."""
        content = self.read(path)
        if content is None:
            raise HostError(path, "no such file or directory", errno.ENOENT)
        seen = self.look(path)
        self._put(place, seen, content, "", seen.mode)

    def append(self, path: HostPath, content: bytes) -> None:
        """Add to the end of a file; a missing one is made with 0600."""
        before = self.read(path)
        seen = self.look(path)
        self._need_parent(path)
        mode, owner = (
            (seen.mode, seen.owner) if before is not None else (NEW_FILE_MODE, "root:root")
        )
        self._entries[path] = self._entry(What.FILE, mode, owner, (before or b"") + content)

    def set_attributes(self, path: HostPath, mode: int, owner: str) -> None:
        """Set permission bits and owner of a regular file."""
        seen = self.look(path)
        if seen.what is What.ABSENT:
            raise HostError(path, "no such file or directory", errno.ENOENT)
        if seen.what is not What.FILE:
            raise not_regular(path)
        entry = self._entries.get(path)
        content = self.read(path) if entry is None else entry.content
        source = "" if entry is None else entry.source
        self._put(path, seen._replace(owner=owner), content, source, mode)

    def remove(self, path: HostPath) -> None:
        """Remove a file or link; nothing happens if it is not there; a directory is an error."""
        self._refuse_links(path)
        what = self.look(path).what
        if what is What.DIRECTORY:
            raise HostError(path, "is a directory", errno.EISDIR)
        if what is not What.ABSENT:
            self._entries[path] = None

    def make_link(self, path: HostPath, target: str) -> None:
        """Put a symbolic link at `path`, in place of a file or link."""
        self._need_parent(path)
        if self.look(path).what is What.DIRECTORY:
            raise HostError(path, "is a directory", errno.EISDIR)
        self._entries[path] = self._entry(What.SYMLINK, 0o777, "root:root", target.encode())

    def tree_size(self, path: HostPath) -> TreeSize:
        """How much lies in a directory, without the directory itself."""
        sizes = [
            seen.size_bytes if (seen := self.look(below)).what is What.FILE else 0
            for below in self._below(path)
        ]
        return TreeSize(len(sizes), sum(sizes), is_mount=False)

    def free_bytes(self, folder: HostPath) -> int:
        """As on the view; memory alone has room for everything."""
        return 1 << 60 if self._view is None else self._view.free_bytes(folder)

    def move_directory(self, path: HostPath, to: HostPath) -> None:
        """Give a directory another name; what the view has in it is only known to be gone from here."""
        self._need_parent(to)
        if self.look(path).what is not What.DIRECTORY:
            raise _not_a_directory(path)
        if self.look(to).what is not What.ABSENT and (
            self.look(to).what is not What.DIRECTORY or self.names(to)
        ):
            raise HostError(to, "file exists", errno.EEXIST)
        for old in [path, *self._below(path)]:
            entry = self._entries.get(old)
            if entry is not None:
                self._entries[to + old[len(path) :]] = entry
            self._entries[old] = None
        self._entries.setdefault(to, self._entry(What.DIRECTORY, 0o755, "root:root", b""))

    def archive(self, path: HostPath, to: HostPath) -> None:
        """A list of everything in the directory stands for the tar file."""
        if self.look(to).what is not What.ABSENT:
            raise HostError(to, "is there already", errno.EEXIST)
        self.make_directory(parent(to), 0o700, "root:root")
        lines = [f"{below} {self.look(below).digest or ''}\n" for below in self._below(path)]
        content = "".join(lines).encode()
        digest = digest_of(content).removeprefix("sha256:")
        name = to.rpartition("/")[2]
        self.write(
            HostPath(f"{to}{DIGEST_ENDING}"), f"{digest}  {name}\n".encode(), 0o600, "root:root"
        )
        self.write(to, content, 0o600, "root:root")

    def _below(self, path: HostPath) -> list[HostPath]:
        found = []
        for name in self.names(path):
            below = join(path, name)
            found.append(below)
            if self.look(below).what is What.DIRECTORY:
                found += self._below(below)
        return found

    def _source(self, source: str) -> tuple[bytes | None, Digest, int]:
        """Content (None if only its digest is known), digest and length of a file to copy."""
        raise HostError(source, "no such file or directory", errno.ENOENT)

    def _load(self, source: str) -> bytes:
        """Content of a source of which only the digest was kept."""
        raise HostError(source, "no such file or directory", errno.ENOENT)

    def _put(
        self, path: HostPath, seen: Seen, content: bytes | None, source: str, mode: int | None
    ) -> None:
        self._need_parent(path)
        before = self.look(path)
        if before.what not in (What.ABSENT, What.FILE, What.SYMLINK):
            raise not_regular(path)
        keeps = mode is None and before.what is What.FILE
        owner = before.owner if keeps else seen.owner or "root:root"
        mode = before.mode if keeps else NEW_FILE_MODE if mode is None else mode
        seen = seen._replace(mode=mode, owner=owner)
        self._entries[path] = Entry(seen, content, self._new_identity(seen.size_bytes), source)

    def _entry(self, what: What, mode: int, owner: str, content: bytes) -> Entry:
        digest = digest_of(content) if what is What.FILE else None
        seen = Seen(what, mode, owner, len(content), digest)
        return Entry(seen, content, self._new_identity(len(content)), "")

    def _new_identity(self, size_bytes: int) -> tuple[int, int, int, int, int]:
        now = next(self._clock)
        return 0, now, size_bytes, now, now

    def _need_parent(self, path: HostPath) -> None:
        self._refuse_links(path)
        above = self.look(parent(path)).what
        if above is What.ABSENT:
            raise HostError(parent(path), "no such file or directory", errno.ENOENT)
        is_directory = above is What.DIRECTORY or self._is_link_of_the_view(parent(path))
        if not is_directory or path == "/":
            raise _not_a_directory(parent(path))

    def _is_link_of_the_view(self, path: HostPath) -> bool:
        return path not in self._entries and self.look(path).what is What.SYMLINK

    def _refuse_links(self, path: HostPath) -> None:
        """HST101 if a link that was made here is on the way to `path`."""
        above = path
        while above != "/":
            above = parent(above)
            entry = self._entries.get(above)
            if entry is not None and entry.seen.what is What.SYMLINK:
                raise HostError(above, "is a link", errno.ELOOP, code="HST101")


def _not_a_directory(path: str) -> HostError:
    return HostError(path, "not a directory", errno.ENOTDIR)
