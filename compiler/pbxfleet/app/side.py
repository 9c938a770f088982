"""The two sides of a diff: a commit, or the working tree as it is, read file by file in the same way."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from pbxfleet.host.disk import folder_names, is_directory, read_file
from pbxfleet.host.forked import WorkerFailed, beside
from pbxfleet.host.workspace import LARGEST_BYTES, ReadProblem, read_tree
from pbxfleet.model.frozen import freeze, thaw
from pbxfleet.model.revisions import Named
from pbxfleet.vcs.revisions import LINK, SUBMODULE, Commit, Entry, Revisions, object_of

DESIRED, RENDERED = "desired", "rendered"
SUFFIXES = (".toml", ".yaml", ".yml")
MOST_LINKS = 10


class Side(Protocol):
    """The fleet at one moment. Names are relative to it, with forward slashes."""

    named: Named

    def desired(self) -> Mapping[str, str]:
        """Every file below desired/ by name, with what tells two contents apart."""
        ...

    def contents(self) -> Mapping[str, bytes | ReadProblem]:
        """The same files as compile reads them."""
        ...

    def rendered(self) -> Mapping[str, str]:
        """The folders below rendered/, with what tells two manifests apart, "" where there is none."""
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, none where there is no such folder."""
        ...

    def read(self, name: str) -> bytes | None:
        """One file, None if it is not there."""
        ...


class CommitSide:
    """The fleet at a commit. `objects` are contents that were read before, on whichever side."""

    def __init__(
        self, revisions: Revisions, word: str, commit: Commit, objects: dict[str, bytes | None]
    ) -> None:
        self.named = Named(word, *commit)
        self._revisions = revisions
        self._objects = objects
        self._folders: dict[str, Mapping[str, Entry]] = {}
        self._top = revisions.fleet(commit.object)

    def desired(self) -> Mapping[str, str]:
        """By the names of git's objects; a link counts as what it says."""
        return {name: entry.object for name, entry in self._files(DESIRED)}

    def contents(self) -> Mapping[str, bytes | ReadProblem]:
        """As `read_tree` would give them, had the commit been checked out."""
        found: dict[str, bytes | ReadProblem] = {}
        for name, entry in self._files(DESIRED):
            if not name.isprintable():
                found[ascii(name)[1:-1]] = ReadProblem(
                    "has a name with characters that cannot be printed"
                )
            else:
                found[name] = self._content(name, entry)
        return dict(sorted(found.items()))

    def rendered(self) -> Mapping[str, str]:
        """By the names of the manifests' objects."""
        found = {}
        for name, entry in self._folder(RENDERED).items():
            if entry.is_folder:
                manifest = self._folder(f"{RENDERED}/{name}").get("manifest.json")
                found[name] = "" if manifest is None else manifest.object
        return found

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, none where there is no such folder."""
        return tuple(sorted(self._folder(folder)))

    def read(self, name: str) -> bytes | None:
        """The content of a file, through links inside the fleet."""
        entry = self._entry(name)
        content = None if entry is None else self._content(name, entry)
        return content if isinstance(content, bytes) else None

    def _content(self, name: str, entry: Entry) -> bytes | ReadProblem:
        if entry.is_folder:
            return ReadProblem("is a folder, not a file")
        seen = 0
        while entry.mode == LINK:
            seen += 1
            target = (self._object(entry.object) or b"").decode("utf-8", "surrogateescape")
            name = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if target.startswith("/") or name.startswith(".."):
                return ReadProblem("is a link that leads out of the repository")
            linked = self._entry(name)
            if linked is None or seen > MOST_LINKS:
                return ReadProblem("is a link that leads nowhere")
            if linked.is_folder:
                return ReadProblem(
                    "is a link to a folder, which is followed in the working tree only"
                )
            entry = linked
        content = self._object(entry.object)
        if content is None:
            return ReadProblem("is missing from this clone: git fetch --refetch brings all objects")
        if len(content) > LARGEST_BYTES:
            return ReadProblem(f"is larger than {LARGEST_BYTES:,} bytes")
        return content

    def _files(self, folder: str) -> Iterator[tuple[str, Entry]]:
        for name, entry in sorted(self._folder(folder).items()):
            if name.startswith(".") or entry.mode == SUBMODULE:
                continue
            path = f"{folder}/{name}"
            if not entry.is_folder:
                yield path, entry
            elif name.endswith(SUFFIXES) or not name.isprintable():
                yield path, entry  # said to be a folder where a file belongs
            else:
                yield from self._files(path)

    def _entry(self, name: str) -> Entry | None:
        folder, _, base = name.rpartition("/")
        return self._folder(folder).get(base)

    def _folder(self, folder: str) -> Mapping[str, Entry]:
        if folder not in self._folders:
            above, _, name = folder.rpartition("/")
            own = self._top if not folder else ""
            if folder:
                entry = self._folder(above).get(name)
                own = entry.object if entry is not None and entry.is_folder else ""
            self._folders[folder] = self._revisions.entries(own) if own else {}
        return self._folders[folder]

    def _object(self, key: str) -> bytes | None:
        if key not in self._objects:
            self._objects[key] = self._revisions.content(key)
        return self._objects[key]


class TreeSide:
    """The working tree as it lies there, committed or not; `like` is the name of any object of git."""

    def __init__(self, repository: str, word: str, like: str) -> None:
        self.named = Named(word, "", "", "", "")
        self._repository = repository
        self._like = like
        self._contents: Mapping[str, bytes | ReadProblem] | None = None

    def desired(self) -> Mapping[str, str]:
        """By the names that git's objects with these contents would have."""
        return {
            name: object_of(content, self._like) if isinstance(content, bytes) else content.reason
            for name, content in self.contents().items()
        }

    def contents(self) -> Mapping[str, bytes | ReadProblem]:
        """What compile would read now."""
        if self._contents is None:
            self._contents = read_tree(self._repository, DESIRED, file_suffixes=SUFFIXES)
        return self._contents

    def rendered(self) -> Mapping[str, str]:
        """By the names that git's objects with these manifests would have."""
        folder = f"{self._repository}/{RENDERED}"
        found = {}
        for name in folder_names(folder):
            if is_directory(f"{folder}/{name}"):
                content = read_file(f"{folder}/{name}/manifest.json")
                found[name] = "" if content is None else object_of(content, self._like)
        return found

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, none where there is no such folder."""
        return folder_names(f"{self._repository}/{folder}")

    def read(self, name: str) -> bytes | None:
        """The content of a file."""
        if self._contents is not None and name in self._contents:
            content = self._contents[name]
            return content if isinstance(content, bytes) else None
        return read_file(f"{self._repository}/{name}")


class Sides(NamedTuple):
    """What is compared; `notes` are said about it, such as the choice of a common ancestor."""

    before: Side
    after: Side
    notes: tuple[str, ...]
    revisions: Revisions
    repository: str
    objects: dict[str, bytes | None]

    def read(self) -> None:
        """Read all of desired/ of both sides, commits in a child while what checks them is loaded.

        Nothing of it has to be read again, and none of git's objects has to be asked for.
        """
        with beside(lambda: freeze(self._read_commits())) as result:
            import pbxfleet.app.workshop  # noqa: F401

            try:
                known = thaw(result())
            except WorkerFailed:
                known = None
        if isinstance(known, dict):
            self.objects.update(known)
        for side in (self.before, self.after):
            side.contents()

    def _read_commits(self) -> dict[str, bytes | None]:
        """What both commits have, by the names of git's objects."""
        self.revisions.ask_anew()
        for side in (self.before, self.after):
            if isinstance(side, CommitSide):
                side.contents()
        return self.objects
