"""What pbxfleet remembers on a host: records by name, and the journal of the run that is under way.

Beside them lie the contents that an undo needs, under their digests: they may be whole pbx.xml files.

The folder is for the superuser alone (0700). Nothing is written that is there already, so a run that
changes nothing leaves no trace. Everything goes through `Host`, and so through every host there is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join, parent
from pbxfleet.host.base import Host, HostView
from pbxfleet.model.observed import What

FOLDER = HostPath("/var/lib/pbxfleet")
RECORDS = join(FOLDER, "records")
JOURNAL = join(FOLDER, "journal")
KEPT = join(FOLDER, "kept")
SAVED = "saved"  # folder of records, named as the kept contents that they are about
FOLDER_MODE = 0o700
FILE_MODE = 0o600
OWNER = "root:root"


class StateView:
    """The remembered state of a host, for reading."""

    def __init__(self, view: HostView) -> None:
        self._view = view

    @property
    def view(self) -> HostView:
        """The host whose state this is."""
        return self._view

    def read_record(self, name: str) -> bytes | None:
        """The record of that name, None if there is none."""
        return self._view.read(_path(name))

    def records(self, folder: str = "") -> tuple[str, ...]:
        """Names of all records, or of those in one folder (`generations`), sorted."""
        place = _path(folder) if folder else RECORDS
        names = [name for name in self._view.names(place) if not name.startswith(".")]
        paths = [f"{folder}/{name}" if folder else name for name in names]
        return tuple(path for path in paths if self._view.identity(_path(path)) is not None)

    def journal(self) -> tuple[Mapping[str, object], ...]:
        """The entries of the journal in order; empty if no run is under way.

        A last line that was cut off by a crash is left out: what it announced was not begun.
        """
        content = self._view.read(JOURNAL) or b""
        entries = []
        for line in content.split(b"\n"):
            try:
                entry = json.loads(line) if line else None
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                entries.append(entry)
        return tuple(entries)

    def saved(self) -> tuple[tuple[HostPath, HostPath], ...]:
        """What others had written and we replaced: where it was, and where it is kept."""
        return tuple(
            (
                HostPath((self.read_record(name) or b"").decode().strip()),
                join(KEPT, name.removeprefix(f"{SAVED}/")),
            )
            for name in self.records(SAVED)
        )

    def kept(self, digest: Digest) -> bytes:
        """A kept content; HostError if it is not there, or is not what its digest says."""
        path = kept_path(digest)
        content = self._view.read(path)
        if content is None or digest_of(content) != digest:
            problem = "is damaged" if content is not None else "is not there"
            raise HostError(path, f"{problem}; what it was kept for cannot be undone")
        return content


class State(StateView):
    """The remembered state of a host, for reading and writing."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._journal_is_whole = False

    def write_record(self, name: str, content: bytes) -> bool:
        """Remember `content` under that name; False, and nothing done, if it is there already."""
        path = _path(name)
        if self._host.read(path) == content:
            return False
        self._make_folder(parent(path))
        self._host.write(path, content, FILE_MODE, OWNER)
        return True

    def remove_record(self, name: str) -> None:
        """Forget a record; nothing happens if there is none."""
        if self._host.identity(_path(name)) is not None:
            self._host.remove(_path(name))

    def keep(self, digest: Digest, path: HostPath) -> None:
        """Keep the content of the file at `path`, which has this digest, durably."""
        place = kept_path(digest)
        if self._host.look(place).digest != digest:
            self._make_folder(KEPT)
            self._host.keep(path, place)

    def save(self, digest: Digest, path: HostPath, of: HostPath) -> HostPath:
        """Keep the content of `path`, which somebody else wrote to `of`, until a person removes its record.

        The answer is where it is kept.
        """
        self.keep(digest, path)
        place = kept_path(digest)
        self.write_record(f"{SAVED}/{place.rpartition('/')[2]}", f"{of}\n".encode())
        return place

    def forget_kept(self, needed: Collection[Digest]) -> None:
        """Remove every kept content but those that are needed, and those that were saved."""
        names = {digest.removeprefix("sha256:") for digest in needed}
        names |= {name.removeprefix(f"{SAVED}/") for name in self.records(SAVED)}
        for name in self._view.names(KEPT):
            if name not in names and not name.startswith("."):
                self._host.remove(join(KEPT, name))

    def append_journal(self, entry: Mapping[str, object]) -> None:
        """Add one entry; it is on the disk when this returns."""
        line = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        if not self._journal_is_whole:
            self._make_folder(FOLDER)
            content = self._host.read(JOURNAL) or b""
            if content and not content.endswith(b"\n"):
                line = b"\n" + line  # a crash cut the last line off
            self._journal_is_whole = True
        self._host.append(JOURNAL, line)

    def close_journal(self) -> None:
        """The run is over: remove the journal; nothing happens if there is none."""
        if self._host.identity(JOURNAL) is not None:
            self._host.remove(JOURNAL)
        self._journal_is_whole = False

    def _make_folder(self, folder: HostPath) -> None:
        for path in (FOLDER, RECORDS, folder):
            if self._host.look(path).what is What.ABSENT:
                self._host.make_directory(path, FOLDER_MODE, OWNER)


def kept_path(digest: Digest) -> HostPath:
    """Where a kept content lies; ValueError for what is no digest."""
    name = digest.removeprefix("sha256:")
    if not name.isalnum():
        raise ValueError(f"not a digest: {digest!r}")
    return join(KEPT, name)


def _path(name: str) -> HostPath:
    """The file of a record; ValueError for a name that could mean another place."""
    parts = name.split("/")
    if not name.isprintable() or any(not part or part.startswith(".") for part in parts):
        raise ValueError(f"not a name of a record: {name!r}")
    return join(RECORDS, *parts)
