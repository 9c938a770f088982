"""Revisions of a repository, read from its objects: nothing is checked out, and nothing is written.

Every word that comes from outside is resolved to a commit first, and never stands where git looks for
an option.
"""

from __future__ import annotations

import os
from functools import cached_property
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, NamedTuple

from pbxfleet.core.diagnostics import nearest
from pbxfleet.core.errors import Refused

if TYPE_CHECKING:
    from git.cmd import Git

NO_GIT, UNKNOWN, SHALLOW, NO_TREE = "GIT101", "GIT102", "GIT103", "GIT104"
LINK, SUBMODULE = "120000", "160000"  # modes of entries
# What git may be told by who calls us must not make it ask, write or wait.
ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class Entry(NamedTuple):
    """A name in a folder of a revision: its mode as git writes it, and the name of the object it holds.

    Equal objects have equal contents, files as well as folders.
    """

    mode: str
    object: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of the revision; one of a submodule is not."""
        return self.mode == "40000"


class Commit(NamedTuple):
    """A commit: its whole name, and what a reader wants to know of it. The date is ISO 8601."""

    object: str
    author: str
    date: str
    subject: str


class Revisions:
    """The commits of the repository that holds `folder`; the fleet is that folder in each of them.

    Refused where there is no repository (GIT101).
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._git = _git(folder)
        words = ("--is-bare-repository", "--show-prefix", "--is-shallow-repository")
        status, told, said = self.ask("rev-parse", *words)
        if status != 0:
            raise _no_repository(folder, said)
        bare, *more = os.fsdecode(told).split("\n")
        self.is_bare = bare == "true"
        self.prefix = more[0] if not self.is_bare else ""
        self.is_shallow = more[-2] == "true"

    def ask_anew(self) -> None:
        """Ask by a connection of our own from now on: a child must not take the answers of its parent."""
        self._git = _git(self._folder)

    def commit(self, revision: str) -> Commit:
        """The commit that a revision names; Refused (GIT102, GIT103) if there is none."""
        if not revision or revision.startswith("-") or not revision.isprintable():
            raise Refused(f"{revision!r} is no revision", hint=HOW_TO_NAME, code=UNKNOWN)
        status, told, _ = self.ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        if status != 0:
            raise self._unknown(revision)
        return self.described(told.decode().strip())

    @cached_property
    def head(self) -> str:
        """The whole name of the commit that is checked out; "" on a branch that has none yet."""
        status, told, _ = self.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return told.decode().strip() if status == 0 else ""

    def left_out(self, folder: str) -> bool:
        """Whether a sparse checkout leaves out files of a folder of the fleet."""
        status, told, _ = self.ask("config", "--bool", "core.sparseCheckout")
        if status != 0 or told.strip() != b"true":
            return False
        _, told, _ = self.ask("ls-files", "-t", "-z", "--", folder)
        return any(entry.startswith(b"S ") for entry in told.split(b"\0"))

    def merge_bases(self, one: str, other: str) -> tuple[str, ...]:
        """The best common ancestors of two commits, git's choice first; Refused if there is none."""
        status, told, _ = self.ask("merge-base", "--all", one, other)
        if status != 0:
            if self.is_shallow:
                raise self._cut_off(f"the commit that {one[:10]} and {other[:10]} have in common")
            raise Refused(
                f"{one[:10]} and {other[:10]} have no commit in common",
                hint="name two revisions of one history",
                code=UNKNOWN,
            )
        return tuple(told.decode().split())

    def fleet(self, commit: str) -> str:
        """The object of the fleet's folder at a commit; "" where it did not exist yet."""
        place = f"{commit}:{self.prefix.rstrip('/')}"
        status, told, _ = self.ask("rev-parse", "--verify", "--quiet", place)
        return told.decode().strip() if status == 0 else ""

    def entries(self, folder: str) -> dict[str, Entry]:
        """What the folder with this object has, by name."""
        content = self.content(folder) or b""
        size = len(folder) // 2  # of an object's name: 20 bytes, or 32 with SHA-256
        found = {}
        at = 0
        while at < len(content):
            end = content.index(b"\0", at)
            mode, _, name = content[at:end].partition(b" ")
            at = end + 1 + size
            found[os.fsdecode(name)] = Entry(mode.decode(), content[end + 1 : at].hex())
        return found

    def content(self, key: str) -> bytes | None:
        """The content of an object; None if it is not here, as in a clone without all objects."""
        try:
            return self._git.get_object_data(key)[3]
        except ValueError:
            return self._by_itself(key) if self._is_sha256 else None

    @cached_property
    def _is_sha256(self) -> bool:
        status, told, _ = self.ask("rev-parse", "--show-object-format")
        return status == 0 and told.strip() == b"sha256"

    def _by_itself(self, key: str) -> bytes | None:
        """GitPython understands the longer names of SHA-256 nowhere, so git is asked for each object."""
        status, kind, _ = self.ask("cat-file", "-t", key)
        if status != 0:
            return None
        status, told, _ = self.ask("cat-file", kind.decode().strip(), key)
        return told if status == 0 else None

    def file(self, commit: str, name: str) -> bytes | None:
        """A file of the fleet at a commit or at its first parent (`COMMIT^`); None if it is not there."""
        place = f"{commit}:{self.prefix}{name}"
        return self.content(place) if place.isprintable() else None

    def described(self, commit: str) -> Commit:
        """What is to be known of a commit, by its whole name."""
        form = "--format=%an%x00%cs%x00%s"
        _, told, _ = self.ask("show", "--no-patch", "--no-show-signature", form, commit, "--")
        author, date, subject = told.decode(errors="replace").rstrip("\n").split("\0")
        return Commit(commit, author, date, subject)

    def _unknown(self, revision: str) -> Refused:
        if self.is_shallow:
            return self._cut_off(revision)
        if revision == "HEAD" and not self.head:
            return Refused(
                "HEAD is a branch without a commit", hint="git commit makes the first", code=UNKNOWN
            )
        _, told, _ = self.ask("for-each-ref", "--format=%(refname:short)")
        names = told.decode(errors="replace").split()
        close = next((name for name in names if name.endswith(f"/{revision}")), None)
        close = close or nearest(revision, names)
        hint = HOW_TO_NAME if close is None else f'did you mean "{close}"?'
        return Refused(f"there is no revision {revision}", hint=hint, code=UNKNOWN)

    def _cut_off(self, what: str) -> Refused:
        return Refused(
            f"{what} is not in this shallow clone",
            hint="git fetch --unshallow brings the whole history, git fetch --deepen=100 some more of "
            "it; in CI ask for all of it: fetch-depth: 0 (actions/checkout), GIT_DEPTH: 0 (GitLab)",
            code=SHALLOW,
        )

    def ask(self, *words: str) -> tuple[int, bytes, str]:
        """Exit code, output and complaints of a git command in the fleet's folder.

        Words from outside are resolved before they come here, or stand behind `--`.
        """
        status, told, said = self._git.execute(
            ["git", *words],
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
        )
        return int(status), bytes(told), str(said)


def object_of(content: bytes, like: str) -> str:
    """The name of the object that a file with this content is, in a repository with names like this."""
    data = b"blob %d\0%s" % (len(content), content)
    if len(like) == 64:
        return sha256(data).hexdigest()
    return sha1(data, usedforsecurity=False).hexdigest()


HOW_TO_NAME = (
    "a branch, a tag or a commit such as main, v1.2, HEAD~1; git branch --all lists branches"
)


def _git(folder: str) -> Git:
    try:
        from git.cmd import Git
    except ImportError as error:  # GitPython looks for the program when it is loaded
        raise Refused("git is not installed", hint="install git", code=NO_GIT) from error
    git = Git(folder)
    git.update_environment(**ENVIRONMENT)
    return git


def _no_repository(folder: str, said: str) -> Refused:
    if "dubious ownership" in said:
        return Refused(
            f"git does not trust {folder}: it belongs to somebody else",
            hint=f"git config --global --add safe.directory {folder}",
            code=NO_GIT,
        )
    return Refused(
        f"{folder} is in no git repository",
        hint="git init, add and commit make one; diff compares revisions of it",
        code=NO_GIT,
    )
