"""Host paths below a root folder: how they are found, and why no write is led out of it.

Reads follow directory links, but only inside the root folder. Writes walk from the root folder
down, one name at a time, and never follow a link on the way (`O_NOFOLLOW`). The links that every
system has are replaced by what they stand for before the walk:

* under any root: the links in `SYSTEM_LINKS`, if they lead exactly where they lead on every system;
* under `/` also links that only the superuser can have made: owned by root, in a directory that is
  owned by root and writable by nobody else. Whoever can plant such a link needs no trick.

Under any other folder no further link is followed: who owns what in an unpacked image says nothing
about who put it there.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.refusals import refused

MOST_LINKS = 40  # the kernel's own limit for one path, path_resolution(7)
STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LAST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# Link, and where it leads on systems that have it.
SYSTEM_LINKS = {
    "/bin": "/usr/bin",  # merged /usr: Debian since 12, Fedora since 17
    "/sbin": "/usr/sbin",
    "/lib": "/usr/lib",
    "/lib64": "/usr/lib64",
    "/var/run": "/run",  # FHS 3.0, 5.13
    "/var/lock": "/run/lock",  # FHS 3.0, 5.9, as Debian and Fedora do it
    "/etc/init.d": "/etc/rc.d/init.d",  # Red Hat family, package chkconfig or initscripts
    **{f"/etc/rc{level}.d": f"/etc/rc.d/rc{level}.d" for level in range(7)},
}


class Root:
    """A folder that is a host's `/`. `is_machine` tells that it is the machine's own."""

    def __init__(self, folder: str | None, *, is_machine: bool | None = None) -> None:
        real = os.path.realpath(folder or "/")
        self.prefix = "" if real == "/" else real
        self.is_machine = real == "/" if is_machine is None else is_machine
        self._known: dict[str, str] = {"/": ""}

    def machine_path(self, path: str) -> str:
        """Where the machine has `path`; directory links on the way are followed inside the root.

        A link at `path` itself is not followed.
        """
        if not self.prefix:
            return path
        head, _, name = path.rpartition("/")
        return f"{self.prefix}{self._directory(head or '/')}/{name}"

    def machine_directory(self, path: str) -> str:
        """Like `machine_path`, but a link at `path` itself is followed too."""
        if not self.prefix:
            return path
        return self.prefix + (self._directory(path) or "/")

    def kernel_path(self, path: str) -> str:
        """The path by which the kernel knows the file `path`: no directory on it is a link."""
        head, _, name = path.rpartition("/")
        return f"{self.prefix}{self._directory(head or '/')}/{name}"

    def _directory(self, path: str) -> str:
        known = self._known.get(path)
        if known is None:
            known = self._resolve(path, MOST_LINKS, trusting=True).rstrip("/")
        return known

    def _resolve(self, path: str, hops: int, *, trusting: bool) -> str:
        """`path` with every link replaced, as a host path; what was seen is only kept for reading.

        HostError for a link that a write must not follow, unless `trusting`.
        """
        if path == "/":
            return path
        head, _, name = path.rpartition("/")
        base = self._known.get(head or "/") if trusting else None
        if base is None:
            base = self._resolve(head or "/", hops, trusting=trusting).rstrip("/")
        here = f"{base}/{name}"
        try:
            leads_to = os.readlink(self.prefix + here)
        except OSError as error:  # not a link, or nothing there: the walk will tell
            if trusting and error.errno == errno.EINVAL:
                self._known[path] = here
            return here
        if hops == 0:
            raise HostError(path, "too many links on the way", errno.ELOOP, code="HST101")
        target = posixpath.normpath(posixpath.join(base or "/", leads_to))
        target = "/" + target.lstrip("/")
        if not trusting and not self._may_follow(here, target):
            raise HostError(path, f"{here} is a link to {leads_to}", errno.ELOOP, code="HST101")
        return self._resolve(target, hops - 1, trusting=trusting)

    def _may_follow(self, link: str, target: str) -> bool:
        if SYSTEM_LINKS.get(link) == target:
            return True
        if not self.is_machine:
            return False
        try:
            holder = os.lstat(posixpath.dirname(self.prefix + link) or "/")
            return only_root_made_it(os.lstat(self.prefix + link), holder)
        except OSError:
            return False

    def followed(self, path: HostPath) -> HostPath:
        """`path` with the links replaced that a write may follow; HST101 if there is another one."""
        return HostPath(self._resolve(path, MOST_LINKS, trusting=False))

    def open_directory(self, path: HostPath) -> int:
        """A descriptor of the directory `path`, to write in it; no link is followed on the way."""
        real = self.followed(path)
        names = [name for name in real.split("/") if name]
        try:
            here = os.open(self.prefix or "/", STEP if names else LAST)
        except OSError as error:
            raise refused(path, error) from error
        for depth, name in enumerate(names, 1):
            try:
                below = os.open(name, LAST if depth == len(names) else STEP, dir_fd=here)
            except OSError as error:
                raise _not_walked(path, name, here, error) from error
            finally:
                os.close(here)
            here = below
        return here


def only_root_made_it(link: os.stat_result, holder: os.stat_result) -> bool:
    """Whether nobody but the superuser can have put `link` into the directory `holder`."""
    return link.st_uid == 0 and holder.st_uid == 0 and not holder.st_mode & 0o022


def _not_walked(path: str, name: str, holder: int, error: OSError) -> HostError:
    """The refusal of one step of a walk, which says so if a link was put there meanwhile."""
    try:
        found = os.stat(name, dir_fd=holder, follow_symlinks=False)
    except OSError:
        return refused(path, error)
    if stat.S_ISLNK(found.st_mode):
        return HostError(path, f'"{name}" on the way is a link', errno.ELOOP, code="HST101")
    return refused(path, error)
