"""Getting ready while the telephone still works: new contents lie beside their places before anything stops.

What is staged is complete, durable, has its mode and owner, and was read back. To put it there is then
one rename. A run that is killed leaves temporary files as any other does, for `Files.sweep`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.files import Files, copy_from, open_source, replaceable, stat_in
from pbxfleet.host.owners import Owners
from pbxfleet.host.refusals import refused
from pbxfleet.host.rooted import Root
from pbxfleet.host.temporary import Attributes, discard, made, write_all
from pbxfleet.host.views import LOOK, NOT_THERE, digest_of_open

# A file that was changed so long before it was read, in the coarsest time stamps that file systems have,
# cannot change again without another stamp.
SETTLED_NS = 3_000_000_000
WORTH_REMEMBERING_BYTES = 1 << 16

Stamps = tuple[int, int, int, int, int]


class Staged(NamedTuple):
    """A content beside its place: its temporary name, and what it was when it was read back."""

    name: str
    digest: Digest
    attributes: Attributes
    stamps: Stamps


class StagingFiles(Files):
    """Files that can be made ready, and large ones that are not read twice while nothing touches them."""

    def __init__(self, root: Root, owners: Owners) -> None:
        super().__init__(root, owners)
        self._staged: dict[HostPath, Staged] = {}
        self._digests: dict[HostPath, tuple[Stamps, int, Digest]] = {}

    def stage(self, path: HostPath, content: bytes, mode: int, owner: str) -> None:
        """Get `write` of just this ready; nothing happens where the folder is not there yet."""
        self._stage(path, digest_of(content), mode, owner, lambda file: write_all(file, content))

    def stage_copy(
        self, path: HostPath, source: str, digest: Digest, mode: int, owner: str
    ) -> None:
        """Get `copy_in` of just this ready; HST102 if `source` does not match `digest`."""
        given = open_source(source)
        try:
            fill = partial(copy_from, given, subject=source, digest=digest)
            self._stage(path, digest, mode, owner, fill)
        finally:
            os.close(given)

    def unstage(self) -> None:
        """Remove what was made ready and not used."""
        for path in list(self._staged):
            self._drop(path)

    def write(self, path: HostPath, content: bytes, mode: int | None, owner: str) -> None:
        """As `Files.write`; what was staged for it is put there."""
        if path in self._staged and self._put_staged(path, digest_of(content), mode, owner):
            return
        super().write(path, content, mode, owner)

    def copy_in(self, path: HostPath, source: str, digest: Digest, mode: int, owner: str) -> None:
        """As `Files.copy_in`; what was staged for it is put there, and `source` is not read again."""
        if path in self._staged and self._put_staged(path, digest, mode, owner):
            return
        super().copy_in(path, source, digest, mode, owner)

    def keep(self, path: HostPath, place: HostPath) -> None:
        """As `Files.keep`; a further name changes nothing of what is known of the content."""
        before = self.identity(path)
        super().keep(path, place)
        known = self._digests.get(path)
        after = self.identity(path)
        same = before is not None and after is not None and after[:4] == before[:4]
        if known is not None and after is not None and same and known[0] == before:
            self._digests[path] = (after, known[1], known[2])

    def digest_at(self, path: HostPath, file: int, found: os.stat_result) -> tuple[int, Digest]:
        """Length and digest of an open file, which is not read if nothing has touched it since."""
        known = self._digests.get(path)
        if known is not None and known[0] == _stamps(found):
            return known[1], known[2]
        length, digest = super().digest_at(path, file, found)
        settled = max(found.st_mtime_ns, found.st_ctime_ns) < time.time_ns() - SETTLED_NS
        if (
            length >= WORTH_REMEMBERING_BYTES
            and settled
            and _stamps(os.fstat(file)) == _stamps(found)
        ):
            self._digests[path] = (_stamps(found), length, digest)
        return length, digest

    def _stage(
        self,
        path: HostPath,
        digest: Digest,
        mode: int,
        owner: str,
        fill: Callable[[int], None],
    ) -> None:
        self._drop(path)
        attributes = Attributes(mode, *self.owners.numbers(path, owner))
        try:
            directory, _ = self._open_parent(path)
        except HostError as error:
            if error.errno in NOT_THERE:
                return
            raise
        try:
            temporary, _ = made(directory, attributes, fill, self._sync)
            self._staged[path] = Staged(temporary, digest, attributes, (0, 0, 0, 0, 0))
            stamps = _read_back(path, directory, temporary, digest)
            self._staged[path] = Staged(temporary, digest, attributes, stamps)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def _put_staged(self, path: HostPath, digest: Digest, mode: int | None, owner: str) -> bool:
        """Rename what was staged to its place; False if it is something else, or was touched since."""
        staged = self._staged[path]
        wanted = Attributes(-1 if mode is None else mode, *self.owners.numbers(path, owner))
        directory, name = self._open_parent(path)
        try:
            there = stat_in(directory, staged.name)
            meant = (staged.digest, staged.attributes) == (digest, wanted)
            if there is None or not meant or _stamps(there) != staged.stamps:
                self._drop(path)
                return False
            replaceable(path, directory, name)
            os.rename(staged.name, name, src_dir_fd=directory, dst_dir_fd=directory)
            del self._staged[path]
            self._sync(directory)
            found = stat_in(directory, name)
            if found is not None and _stamps(found)[:4] == _stamps(there)[:4]:
                # The rename changed the last stamp, and nothing else.
                self._digests[path] = (_stamps(found), found.st_size, digest)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)
        return True

    def _drop(self, path: HostPath) -> None:
        staged = self._staged.pop(path, None)
        if staged is None:
            return
        try:
            directory, _ = self._open_parent(path)
        except HostError:
            return  # its folder has gone, or is not what it was: `sweep` finds what is left
        try:
            discard(directory, staged.name)
        finally:
            os.close(directory)


def _read_back(path: HostPath, directory: int, name: str, digest: Digest) -> Stamps:
    """The stamps of a file that holds what it should: HST102 if the disk gives something else back."""
    file = os.open(name, LOOK, dir_fd=directory)
    try:
        found = os.fstat(file)
        _, read = digest_of_open(file, found.st_size)
    finally:
        os.close(file)
    if read != digest:
        raise HostError(path, f"reads back as {read}, written was {digest}", code="HST102")
    return _stamps(found)


def _stamps(found: os.stat_result) -> Stamps:
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )
