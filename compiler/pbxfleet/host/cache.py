"""What can be worked out again, kept in the user's cache folder: it may vanish, it cannot mislead.

Every entry begins with the digest of its content, so that a torn or damaged one counts as missing.
The folder is used only if it belongs to the user and nobody else can write to it. No error ever
comes out of here: without a usable folder nothing is kept.
"""

from __future__ import annotations

import os
import stat

from pbxfleet.core.digest import sha256
from pbxfleet.host.temporary import PREFIX

DIGEST_BYTES = 32
LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
MOST_BYTES = 256 << 20
SWITCH = "PBXFLEET_CACHE"  # "off" keeps nothing and reads nothing


class Cache:
    """Entries by name (letters, digits, `-`) in one folder; `folder` None keeps nothing."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder

    @property
    def is_usable(self) -> bool:
        """Whether anything can be kept."""
        return self._folder is not None

    def get(self, name: str) -> bytes | None:
        """The entry, None if it is not there or not whole."""
        if self._folder is None:
            return None
        try:
            file = os.open(f"{self._folder}/{name}", LOOK)
        except OSError:
            return None
        try:
            found = os.fstat(file)
            if not _is_ours(found) or not stat.S_ISREG(found.st_mode):
                return None
            content = os.read(file, min(found.st_size, MOST_BYTES))
        except OSError:
            return None
        finally:
            os.close(file)
        body = content[DIGEST_BYTES:]
        return body if sha256(body).digest() == content[:DIGEST_BYTES] else None

    def size_bytes(self, name: str) -> int:
        """How large an entry is, 0 if it is not there."""
        if self._folder is None:
            return 0
        try:
            return os.lstat(f"{self._folder}/{name}").st_size
        except OSError:
            return 0

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry, in place of the one of that name."""
        if self._folder is None:
            return
        temporary = f"{self._folder}/{PREFIX}{os.getpid()}-{name}"
        try:
            with open(temporary, "wb", opener=_private) as stream:
                stream.write(sha256(content).digest() + content)
            os.replace(temporary, f"{self._folder}/{name}")
        except OSError:
            _forget(temporary)

    def drop(self, name: str) -> None:
        """Forget an entry."""
        if self._folder is not None:
            _forget(f"{self._folder}/{name}")

    def keep_only(self, names: frozenset[str]) -> None:
        """Drop the entries of other names."""
        if self._folder is None:
            return
        try:
            there = os.listdir(self._folder)
        except OSError:
            return
        for name in there:
            if name not in names:
                _forget(f"{self._folder}/{name}")


def cache_of(repository: str) -> Cache:
    """The cache for one repository, below XDG_CACHE_HOME or ~/.cache."""
    home, named = os.environ.get("HOME", ""), os.environ.get("XDG_CACHE_HOME", "")
    base = named or f"{home}/.cache"
    # A home that is not there is not made: that of service accounts is missing on purpose.
    there = named or os.path.isdir(base) or os.path.isdir(home)
    if os.environ.get(SWITCH) == "off" or not os.path.isabs(base) or not there:
        return Cache(None)
    place = sha256(os.fsencode(os.path.realpath(repository))).hexdigest()[:32]
    folder = f"{base}/pbxfleet/{place}"
    try:
        for path in (base, os.path.dirname(folder), folder):  # whatever the umask is
            if not os.path.isdir(path):
                os.makedirs(path, 0o700, exist_ok=True)
        usable = all(_is_ours(os.lstat(path)) for path in (os.path.dirname(folder), folder))
    except OSError:
        return Cache(None)
    return Cache(folder if usable else None)


def program_digest() -> str:
    """Changes whenever the program may compile something else: another file, library or Python.

    Files of the program are told by what the kernel says of them, libraries by their versions.
    """
    import sys

    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    told = [sys.version]
    for folder, names, files in os.walk(package):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for name in sorted(files):
            found = os.lstat(f"{folder}/{name}")
            stamps = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            told.append(f"{folder}/{name} {stamps}")
    for folder in sys.path:  # the folders of installed packages bear their versions
        if os.path.basename(folder) == "site-packages" and os.path.isdir(folder):
            told += sorted(os.listdir(folder))
    return sha256("\0".join(told).encode()).hexdigest()


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # somebody else's turn: it is only a cache
