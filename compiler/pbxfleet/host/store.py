"""The artefact store: release files in one folder, each under the SHA-256 of its content.

What else lies in the folder is not ours, and is never read, changed or removed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from pbxfleet.core.digest import sha256
from pbxfleet.core.errors import HostError
from pbxfleet.host.disk import CHUNK_BYTES, digest_of_file, folder_names

HEX_DIGITS = 64
FILE_MODE = 0o644
UNFINISHED = ".part-"


class Stored(NamedTuple):
    """A file in the store: SHA-256 in hex, and its size."""

    sha256: str
    size_bytes: int


class Store:
    """A folder of release files; made when the first file comes in."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @property
    def _unfinished(self) -> str:
        return os.path.join(self.folder, f"{UNFINISHED}{os.getpid()}")

    def path(self, digest: str) -> str:
        """Where the file with this SHA-256 (hex) lies, or would."""
        return os.path.join(self.folder, digest)

    def names(self) -> tuple[str, ...]:
        """What the files are called, sorted: digests that are to be verified."""
        return tuple(n for n in folder_names(self.folder) if _is_digest(n))

    def others(self) -> tuple[str, ...]:
        """Names of everything else in the folder, without files that are being written."""
        return tuple(
            n
            for n in folder_names(self.folder)
            if not _is_digest(n) and not n.startswith(UNFINISHED)
        )

    def holds(self, digest: str) -> bool:
        """Whether the file is there and really has this content; it is read as a whole."""
        return digest_of_file(self.path(digest)) == f"sha256:{digest}"

    def size(self, digest: str) -> int:
        """Size of a file in bytes, 0 if it is not there."""
        try:
            return os.stat(self.path(digest)).st_size
        except OSError:
            return 0

    @contextlib.contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """A new file beside the others, gone again unless it was placed. HostError if it cannot be."""
        name = self._unfinished
        try:
            os.makedirs(self.folder, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # of a run with the same number that was killed
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            stream = os.fdopen(os.open(name, flags, FILE_MODE), "w+b")
        except OSError as error:
            raise _said(self.folder, error) from error
        try:
            with stream:
                yield stream
        except OSError as error:
            raise _said(self.folder, error) from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)

    def place(self, stream: BinaryIO, digest: str) -> None:
        """Let what was written be the file with this digest: at once, and durably."""
        try:
            stream.flush()
            os.fchmod(stream.fileno(), FILE_MODE)
            os.fsync(stream.fileno())
            os.rename(self._unfinished, self.path(digest))
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _said(self.path(digest), error) from error

    def add(self, path: str) -> Stored:
        """Copy a file of this machine into the store; HostError if it cannot be read."""
        with self.writing() as stream:
            state, size = sha256(), 0
            try:
                with open(path, "rb") as source:
                    while piece := source.read(CHUNK_BYTES):
                        state.update(piece)
                        size += len(piece)
                        stream.write(piece)
            except OSError as error:
                raise _said(path, error) from error
            self.place(stream, state.hexdigest())
            return Stored(state.hexdigest(), size)

    def remove(self, digest: str) -> None:
        """Remove a file; nothing happens if it is not there."""
        try:
            os.unlink(self.path(digest))
        except FileNotFoundError:
            return
        except OSError as error:
            raise _said(self.path(digest), error) from error

    def sweep(self) -> tuple[str, ...]:
        """Remove what killed runs have left behind; the names."""
        left = [n for n in folder_names(self.folder) if n.startswith(UNFINISHED)]
        for name in left:
            with contextlib.suppress(OSError):
                os.unlink(self.path(name))
        return tuple(left)


def _is_digest(name: str) -> bool:
    return len(name) == HEX_DIGITS and not set(name) - set("0123456789abcdef")


def _said(path: str, error: OSError) -> HostError:
    return HostError(path, error.strerror or str(error), error.errno or 0)
