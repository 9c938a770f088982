"""Plain files of the machine that pbxfleet runs on: repository, plan files, the program's own data.

Not for a managed host: there every effect goes through `Host`. Paths may be relative to the current
directory. Errors of the system become HostError with the path as subject.
"""

from __future__ import annotations

import errno
import os
import stat

from pbxfleet.core.digest import Digest, sha256
from pbxfleet.core.errors import HostError
from pbxfleet.host.views import read_open

CHUNK_BYTES = 1 << 20


def absolute(path: str) -> str:
    """`path` made absolute and normalised; links stay as they are."""
    return os.path.abspath(path)


def is_directory(path: str) -> bool:
    """Whether there is a directory at `path`, links followed."""
    return os.path.isdir(path)


def is_file(path: str) -> bool:
    """Whether there is a regular file at `path`, links followed."""
    return os.path.isfile(path)


def exists(path: str) -> bool:
    """Whether anything at all is at `path`, a dangling link included."""
    return os.path.lexists(path)


def package_path(name: str) -> str:
    """A folder of data that is installed with the program (`pages`, `standin`, `skeleton`)."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), name)


def folder_names(folder: str) -> tuple[str, ...]:
    """Names in a folder, sorted; none if there is no such folder."""
    try:
        return tuple(sorted(os.listdir(folder)))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _said(folder, error) from error


def read_file(path: str) -> bytes | None:
    """Content of a regular file, None if nothing is there."""
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to must not wait for ever.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _said(path, error) from error
    try:
        state = os.fstat(file)
        if not (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)):
            raise HostError(path, "is a device, socket or FIFO")  # /dev/zero has no end
        return read_open(file, state.st_size)
    except OSError as error:
        raise _said(path, error) from error
    finally:
        os.close(file)


def mode_of_file(path: str) -> int | None:
    """Permission bits of a regular file, None if something else is there, such as a link."""
    try:
        state = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _said(path, error) from error
    return stat.S_IMODE(state.st_mode) if stat.S_ISREG(state.st_mode) else None


def digest_of_file(path: str) -> Digest | None:
    """Digest of a file's content, read in pieces; None if there is no such regular file."""
    if not is_file(path):
        return None
    state = sha256()
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(CHUNK_BYTES):
                state.update(piece)
    except OSError as error:
        raise _said(path, error) from error
    return Digest("sha256:" + state.hexdigest())


def write_file(path: str, content: bytes, mode: int) -> None:
    """Put `content` at `path` atomically, with this mode whatever the umask; missing folders are made.

    A file or a link that is there is replaced. Anything else stays, and is a HostError: the superuser
    who says /dev/null or /dev/stdout would else take it from the whole machine.
    """
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        _refuse_special(path, folder)
        os.makedirs(folder, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(temporary, flags, 0o600)
        try:
            with os.fdopen(file, "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise _said(path, error) from error


def _refuse_special(path: str, folder: str) -> None:
    try:
        is_link, state = stat.S_ISLNK(os.lstat(path).st_mode), os.stat(path)
    except FileNotFoundError:
        return  # nothing is there, or a link to nothing
    if stat.S_ISDIR(state.st_mode):
        raise HostError(path, os.strerror(errno.EISDIR), errno.EISDIR)
    if not stat.S_ISREG(state.st_mode) or (is_link and folder == "/dev"):
        raise HostError(path, "is no file that can be replaced: a device, socket, FIFO or stream")


def make_folder(path: str) -> None:
    """Make a folder and its missing parents; an empty folder that is there already will do."""
    try:
        os.makedirs(path, exist_ok=True)
        if os.listdir(path):
            raise HostError(path, "is not empty")
    except OSError as error:
        raise _said(path, error) from error


def scratch_folder(prefix: str) -> str:
    """A new folder for temporary use, for its owner only."""
    import tempfile

    return tempfile.mkdtemp(prefix=prefix)


def remove_file(path: str) -> None:
    """Remove a file; nothing happens if it is not there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _said(path, error) from error


def remove_tree(folder: str) -> None:
    """Remove a scratch folder with everything in it; links are not followed."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _said(path: str, error: OSError) -> HostError:
    return HostError(path, error.strerror or str(error), error.errno or 0)
