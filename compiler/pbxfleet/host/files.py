"""Changing files: every change is complete and durable, or did not happen.

New content is written into a temporary file of the same directory and renamed over the old one, so
that no half-written file is ever seen under its name. Directories are reached by
`Root.open_directory`, so no link that somebody planted leads a write elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from pbxfleet.core.digest import Digest, sha256
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join, parent
from pbxfleet.host.exchange import put_instead, put_where_nothing_is
from pbxfleet.host.refusals import refused
from pbxfleet.host.temporary import (
    Attributes,
    discarded,
    is_temporary,
    put,
    put_directory,
    put_kept,
    put_link,
    write_all,
)
from pbxfleet.host.views import CHUNK_BYTES, LOOK, NOT_THERE, FileView, not_regular

LOG_MODE = 0o640
READ_HANDLE = os.O_RDONLY | os.O_CLOEXEC
NEW_FILE_MODE = (
    0o600  # what holds secrets (pbx.xml) is made for its owner alone unless said otherwise
)


class Files(FileView):
    """The files below a root folder, for reading and writing.

    `durable` False leaves out fsync; for trees that can be made again, never for a host.
    """

    durable = True

    def write(self, path: HostPath, content: bytes, mode: int | None, owner: str) -> None:
        """Put `content` at `path` atomically and durably; a link there is replaced, not followed.

        `mode` None keeps mode, owner and extended attributes of the file that is there; a file
        that is not there yet is then made with 0600 and `owner`.
        """
        self._put(path, mode, owner, lambda file: write_all(file, content))

    def swap(
        self, path: HostPath, before: bytes | None, after: bytes, mode: int | None, owner: str
    ) -> bool:
        """As `write`, if the file holds `before` at that very moment (None: nothing is there).

        False, and nothing is changed, if it does not; a link is no file. An existing file keeps mode,
        owner and extended attributes, `mode` and `owner` are for a new one.
        """
        numbers = self.owners.numbers(path, owner)
        directory, name = self._open_parent(path)
        try:
            if before is None:
                attributes = Attributes(NEW_FILE_MODE if mode is None else mode, *numbers)
                return put_where_nothing_is(directory, name, attributes, after, self._sync)
            found = stat_in(directory, name)
            if found is None or not stat.S_ISREG(found.st_mode):
                return False
            attributes = self._attributes_of(directory, name, found)
            return put_instead(directory, name, attributes, (before, after), self._sync)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def copy_in(self, path: HostPath, source: str, digest: Digest, mode: int, owner: str) -> None:
        """Copy the machine's file `source` to `path` atomically.

        HST102 if it does not match `digest`; nothing is changed then.
        """
        given = open_source(source)
        try:
            self._put(path, mode, owner, lambda file: copy_from(given, file, source, digest))
        finally:
            os.close(given)

    def keep(self, path: HostPath, place: HostPath) -> None:
        """Copy the regular file at `path` to `place`, or give a large one that further name.

        A release file of many megabytes is kept so without being read. What is at `place` is replaced.
        """
        directory, name = self._open_parent(path)
        try:
            there, kept = self._open_parent(place)
            try:
                file = os.open(name, LOOK, dir_fd=directory)
                try:
                    if not stat.S_ISREG(os.fstat(file).st_mode):
                        raise not_regular(path)
                    source = (directory, name)
                    put_kept(
                        there, kept, source, file, lambda new: _stream_to(file, new), self._sync
                    )
                finally:
                    os.close(file)
            finally:
                os.close(there)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def append(self, path: HostPath, content: bytes) -> None:
        """Add to the end of a file durably; a missing one is made with 0600. All or nothing."""
        directory, name = self._open_parent(path)
        try:
            new = stat_in(directory, name) is None
            flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            file = os.open(
                name, flags | (os.O_CREAT if new else 0), NEW_FILE_MODE, dir_fd=directory
            )
            try:
                self._append(path, file, content)
            finally:
                os.close(file)
            if new:
                self._sync(directory)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def _append(self, path: HostPath, file: int, content: bytes) -> None:
        before = os.fstat(file)
        if not stat.S_ISREG(before.st_mode) or before.st_nlink != 1:
            raise not_regular(path)
        try:
            write_all(file, content)
            self._sync(file)
        except BaseException:
            os.ftruncate(file, before.st_size)
            raise

    def open_log(self, path: HostPath) -> int:
        """A descriptor that appends to a file, for another program; a missing one gets 0640."""
        directory, name = self._open_parent(path)
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags | os.O_NONBLOCK, LOG_MODE, dir_fd=directory)
            if not stat.S_ISREG(os.fstat(file).st_mode):
                os.close(file)
                raise not_regular(path)
            os.set_blocking(file, True)
            return file
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def open_lock(self, path: HostPath) -> int:
        """A descriptor of a file to hold a lock on; a missing one is made empty, with 0600."""
        if self.identity(path) is None:
            self.make_directory(parent(path), 0o700, "")
        directory, name = self._open_parent(path)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            return os.open(name, flags, NEW_FILE_MODE, dir_fd=directory)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def set_attributes(self, path: HostPath, mode: int, owner: str) -> None:
        """Set permission bits and, where owners matter, the owner of a regular file.

        A file with several names gets its own copy first: its other names are not ours.
        """
        attributes = Attributes(mode, *self.owners.numbers(path, owner))
        directory, name = self._open_parent(path)
        try:
            # Only the handle of a file can be had whatever its mode is; it leads to nothing else.
            file = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            try:
                found = os.fstat(file)
                if not stat.S_ISREG(found.st_mode):
                    raise not_regular(path)
                if found.st_nlink > 1:
                    put(
                        directory, name, attributes, lambda new: _stream_from(file, new), self._sync
                    )
                else:
                    self._give(file, attributes)
            finally:
                os.close(file)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def _give(self, handle: int, attributes: Attributes) -> None:
        place = f"/proc/self/fd/{handle}"
        if attributes.uid != -1 or attributes.gid != -1:
            os.chown(
                place, attributes.uid, attributes.gid
            )  # clears set-user-ID bits: mode comes last
        os.chmod(place, attributes.mode)
        try:
            file = os.open(place, READ_HANDLE)
        except (
            PermissionError
        ):  # the new mode keeps ourselves out: written back in the kernel's time
            return
        try:
            self._sync(file)
        finally:
            os.close(file)

    def make_directory(self, path: HostPath, mode: int, owner: str) -> None:
        """Make `path` and missing parents (0755); an existing one is left as it is."""
        real = self.root.followed(path)
        if real == "/" or os.path.isdir(self.root.prefix + real):
            return
        self.make_directory(parent(real), 0o755, "")
        attributes = Attributes(mode, *self.owners.numbers(path, owner))
        directory, name = self._open_parent(real)
        try:
            put_directory(directory, name, attributes, self._sync)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def make_link(self, path: HostPath, target: str) -> None:
        """Put a symbolic link to `target` at `path` atomically, in place of a file or link."""
        directory, name = self._open_parent(path)
        try:
            put_link(directory, name, target, self._sync)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def remove(self, path: HostPath) -> None:
        """Remove a file or link; nothing happens if it is not there; a directory is an error."""
        try:
            directory, name = self._open_parent(path)
        except HostError as error:
            if error.errno in NOT_THERE:
                return
            raise
        try:
            os.unlink(name, dir_fd=directory)
            self._sync(directory)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise refused(path, error) from error
        finally:
            os.close(directory)

    def sweep(self, directory: HostPath) -> tuple[HostPath, ...]:
        """Remove what a killed run left in `directory` under a temporary name; what went, in order.

        A directory goes only if it is empty, as ours are until they are renamed. Only for who holds
        the host's lock: another run's temporary files would go as well.
        """
        left = [join(directory, name) for name in self.names(directory) if is_temporary(name)]
        return tuple(path for path in left if self._swept(path))

    def _swept(self, path: HostPath) -> bool:
        directory, name = self._open_parent(path)
        try:
            return discarded(directory, name, self._sync)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def _put(
        self, path: HostPath, mode: int | None, owner: str, fill: Callable[[int], None]
    ) -> None:
        numbers = self.owners.numbers(path, owner)
        directory, name = self._open_parent(path)
        try:
            found = replaceable(path, directory, name)
            if mode is not None:
                attributes = Attributes(mode, *numbers)
            elif found is None or stat.S_ISLNK(found.st_mode):
                attributes = Attributes(NEW_FILE_MODE, *numbers)
            else:
                attributes = self._attributes_of(directory, name, found)
            put(directory, name, attributes, fill, self._sync)
        except OSError as error:
            raise refused(path, error) from error
        finally:
            os.close(directory)

    def _attributes_of(self, directory: int, name: str, found: os.stat_result) -> Attributes:
        uid, gid = (found.st_uid, found.st_gid) if self.owners.matter else (-1, -1)
        return Attributes(found.st_mode & 0o7777, uid, gid, _extended(directory, name))

    def _open_parent(self, path: HostPath) -> tuple[int, str]:
        if path == "/":
            raise HostError(path, "is the root folder", errno.EISDIR)
        return self.root.open_directory(parent(path)), path.rpartition("/")[2]

    def _sync(self, file: int) -> None:
        if self.durable:
            os.fsync(file)


def stat_in(directory: int, name: str) -> os.stat_result | None:
    """What `name` in an open directory is, links not followed; None if there is nothing."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def replaceable(path: HostPath, directory: int, name: str) -> os.stat_result | None:
    """What a new file replaces, None if there is nothing; HostError for what it must not replace."""
    found = stat_in(directory, name)
    if found is not None and not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise not_regular(path)
    return found


def open_source(source: str) -> int:
    """A regular file of the machine, opened for reading."""
    try:
        given = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise refused(source, error) from error
    if not stat.S_ISREG(os.fstat(given).st_mode):
        os.close(given)
        raise not_regular(source)
    return given


def copy_from(source: int, file: int, subject: str, digest: Digest) -> None:
    """Copy an open file into another; HST102 if what was copied does not match `digest`."""
    found = _stream(source, file)
    if found != digest:
        raise HostError(subject, f"is {found}, expected {digest}", code="HST102")


def _stream(source: int, file: int) -> Digest:
    """Copy what is left of an open file, and give its digest."""
    state = sha256()
    while part := os.read(source, CHUNK_BYTES):
        state.update(part)
        write_all(file, part)
    return Digest("sha256:" + state.hexdigest())


def _stream_to(source: int, file: int) -> None:
    os.lseek(source, 0, os.SEEK_SET)
    _stream(source, file)


def _stream_from(handle: int, file: int) -> None:
    source = os.open(f"/proc/self/fd/{handle}", READ_HANDLE)
    try:
        _stream(source, file)
    finally:
        os.close(source)


def _extended(directory: int, name: str) -> tuple[tuple[str, bytes], ...]:
    """Extended attributes (access lists, security labels) of a file; empty where there are none."""
    try:
        file = os.open(name, LOOK, dir_fd=directory)
    except OSError:
        return ()
    try:
        return tuple((key, os.getxattr(file, key)) for key in os.listxattr(file))
    except OSError:
        return ()
    finally:
        os.close(file)
