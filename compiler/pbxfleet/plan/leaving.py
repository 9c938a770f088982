"""What becomes of the directory of an instance that is removed: kept, moved aside, or packed first."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pbxfleet.core.paths import HostPath, is_inside, parent
from pbxfleet.model.guards import Removed
from pbxfleet.model.observed import Leaving, TreeSize, What
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.target import Impact, Kind, Resource, Target

CANNOT_GO = "PLN166"
ASIDE, ARCHIVE, SIZE, ENTRIES = "aside", "archive", "bytes", "entries"
UNITS = ("bytes", "kB", "MB", "GB", "TB")
SPARE = 1.05  # an archive is a little larger than what is in it
PER_ENTRY = 1536  # bytes: a header of tar, and what fills the last block


class Directories:
    """The directories that removals leave behind; `target` has what needs a directory to stay."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._used: Collection[str] | None = None
        self._own = {instance.directory for instance in target.instances.values()}

    def change(
        self, name: str, path: HostPath, leaving: Leaving
    ) -> tuple[Change | None, list[Note]]:
        """What is done about one directory, and what forbids it; None where there is none."""
        if leaving.what is What.ABSENT:
            return None, []
        wanted = self.target.guards.removed_directory
        why = self._why_kept(path, leaving)
        if why or wanted == Removed.KEEP:
            reason = f"kept with the data in it{_size(leaving)}" + (f": {why}" if why else "")
            return _change(name, path, Verb.KEEP, reason, leaving.size, ()), []
        packed = wanted == Removed.ARCHIVE
        notes = _notes(name, path, leaving, packed=packed)
        places = [FieldDelta(ARCHIVE, None, leaving.archive, Status.PENDING, "")] if packed else []
        places.append(FieldDelta(ASIDE, path, leaving.aside, Status.PENDING, ""))
        first = f"packed into {leaving.archive}, then " if packed else ""
        reason = f"{first}moved to {leaving.aside}{_size(leaving)}"
        return _change(name, path, Verb.MOVE, reason, leaving.size, places), notes

    def _why_kept(self, path: HostPath, leaving: Leaving) -> str:
        if leaving.what is not What.DIRECTORY:
            return f"it is no directory but a {leaving.what}"
        if self._used is None:
            self._used = set(_with_parents(self.target.resources.values()))
        if path in self._used or any(is_inside(path, own) for own in self._own):
            return "something that is declared lies there"
        if is_inside(self.target.guards.archives, path):
            return "the archives lie in it"
        return ""


def _with_parents(resources: Iterable[Resource]) -> Iterable[str]:
    for resource in resources:
        path = HostPath(resource.path)
        yield path
        while path != "/":
            path = parent(path)
            yield path


def _notes(name: str, path: HostPath, leaving: Leaving, *, packed: bool) -> list[Note]:
    """PLN166: what would stop the move half-way is found before anything is stopped."""
    resource = f"{Kind.DIRECTORY}:{path}"
    hint = 'mend that, or say removed_directory = "keep" for this host'

    def note(text: str) -> Note:
        return Note(CANNOT_GO, "error", name, text, hint, resource)

    if leaving.size is None:
        return [note(f"{path} cannot be looked through: {leaving.problem}")]
    if leaving.size.is_mount:
        return [note(f"{path} is a mount point, which cannot be renamed")]
    needed = int(leaving.size.size_bytes * SPARE) + leaving.size.entries * PER_ENTRY
    if packed and needed > leaving.free_bytes:
        room = f"{readable(leaving.free_bytes)} are free"
        return [note(f"the archive of {path} needs {readable(needed)}, and {room}")]
    return []


def _change(
    name: str,
    path: HostPath,
    verb: Verb,
    reason: str,
    size: TreeSize | None,
    places: Iterable[FieldDelta],
) -> Change:
    sizes = () if size is None else ((ENTRIES, size.entries), (SIZE, size.size_bytes))
    counted = (FieldDelta(n, str(v), str(v), Status.PENDING, "") for n, v in sizes)
    return Change(
        f"{Kind.DIRECTORY}:{path}",
        Kind.DIRECTORY,
        name,
        path,
        Status.PENDING,
        verb,
        Impact.NONE,
        reason,
        (*counted, *places),
        (),
    )


def _size(leaving: Leaving) -> str:
    size = leaving.size
    if size is None:
        return ""
    names = "1 name" if size.entries == 1 else f"{size.entries} names"
    return f" ({readable(size.size_bytes)} under {names})"


def readable(size_bytes: int) -> str:
    """A size for people, in powers of a thousand: `12.3 MB`."""
    size, unit = float(size_bytes), 0
    while size >= 999.5 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size_bytes} bytes" if unit == 0 else f"{size:.1f} {UNITS[unit]}"
