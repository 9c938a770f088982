"""The journal of a run as data: what each step did, and how it is taken back by whoever comes later.

An inverse says all that is needed to take one step back, so that a run which ended in a crash, or that
nobody confirmed, can be undone from the state folder alone: without the repository, by another process.
Contents are not in it, but kept beside it under their digests (`host.state`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.applied import instance_target
from pbxfleet.model.plan import Do
from pbxfleet.model.target import InstanceTarget

FORMAT = 1


class Nothing(NamedTuple):
    """The step left nothing that had to be taken back."""


class PutBack(NamedTuple):
    """Put back what lay at `path`.

    `what` is `absent`, `file` or `symlink`; a file's content is kept under `digest`, a link leads to
    `link`. `written` is the digest of what our step put there, "" if it removed something or set
    attributes only: any other content is somebody else's, and is kept before it is replaced.
    """

    path: HostPath
    what: str
    mode: int
    owner: str
    digest: Digest
    link: str
    written: Digest


class PutValuesBack(NamedTuple):
    """Put elements of a pbx.xml back; what the PBX or a person has changed since stays.

    `before` (kept) and `written` are digests of the whole file before and after our step; `ours` are
    short digests of what we wrote into each element, in any spelling, None where we removed it. Values
    are in the kept file only.
    """

    path: HostPath
    instance: InstanceTarget
    before: Digest
    written: Digest
    ours: Mapping[str, str | None]


class ConfigureBack(NamedTuple):
    """Set settings of a running process back to `before`, as far as they are still `ours`.

    Both are by name, as text; only settings that are declared in clear change live.
    """

    instance: InstanceTarget
    before: Mapping[str, str]
    ours: Mapping[str, str]


class RemoveSettings(NamedTuple):
    """Remove a new pbx.xml, unless the instance has written into it: then it holds data by now."""

    path: HostPath
    instance: InstanceTarget
    written: Digest


class StopAgain(NamedTuple):
    """Stop an instance that was started; `timeout_s` in seconds."""

    instance: InstanceTarget
    timeout_s: int


class StartAgain(NamedTuple):
    """Start an instance that was stopped, and wait until it holds the listeners it had.

    Refused unless its two release files have the digests `release` that they had then.
    """

    instance: InstanceTarget
    release: tuple[str, ...]
    held: tuple[str, ...]
    timeout_s: int


class SetEnabled(NamedTuple):
    """Let an instance start with the machine again, or not; never with another pair of release files."""

    instance: InstanceTarget
    enabled: bool
    release: tuple[str, ...]


class ReloadAgain(NamedTuple):
    """Let the service manager read its files once more."""


class PutRecordBack(NamedTuple):
    """Put an applied record back as it was; `content` None: there was none."""

    name: str
    content: str | None


class MoveBack(NamedTuple):
    """Give the directory that was moved from `path` to `aside` its name again."""

    path: HostPath
    aside: HostPath


class RemoveArchive(NamedTuple):
    """Remove the archive of the directory `path`, with its digest, if the directory itself is there."""

    path: HostPath
    archive: HostPath


Inverse: TypeAlias = (
    Nothing
    | PutBack
    | PutValuesBack
    | ConfigureBack
    | RemoveSettings
    | StopAgain
    | StartAgain
    | SetEnabled
    | ReloadAgain
    | PutRecordBack
    | MoveBack
    | RemoveArchive
)

WORDS: Mapping[str, type[Inverse]] = {
    "nothing": Nothing,
    "put back": PutBack,
    "put values back": PutValuesBack,
    "configure back": ConfigureBack,
    "remove settings": RemoveSettings,
    "stop": StopAgain,
    "start": StartAgain,
    "set enabled": SetEnabled,
    "reload": ReloadAgain,
    "put record back": PutRecordBack,
    "move back": MoveBack,
    "remove archive": RemoveArchive,
}
_WORD_OF = {kind: word for word, kind in WORDS.items()}
_TUPLES = ("release", "held")


class Entry(NamedTuple):
    """One step that was begun. `number` is counted through the journal, from 1, over every attempt.

    `done` tells that it came to its end, `undone` that it was taken back since.
    """

    number: int
    wave: str
    do: Do
    resource: str
    path: HostPath
    inverse: Inverse
    done: bool
    undone: bool


class TakenBack(NamedTuple):
    """What became of undoing one step: `problem` why it could not be, `left` what had to stay."""

    entry: Entry
    problem: str
    left: str


class Run(NamedTuple):
    """A run as its journal tells it.

    `target` is the digest of what was being applied, `services`, `pin` and `program` say how the host
    starts instances, `planned` counts the steps of the last attempt and `finished` those of them that
    came to their end. `entries` are all steps that were begun, in order. `over` tells that the run came
    to its end and only the journal was left; `undoing`, that it was being taken back. `staged` are
    folders in which contents were laid beside their places. `failures` say what went wrong in the last
    attempt to apply, or to take back.
    """

    host: str
    target: Digest
    services: str
    pin: bool
    program: str
    planned: int
    finished: int
    entries: tuple[Entry, ...]
    over: bool
    undoing: bool
    staged: tuple[HostPath, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def standing(self) -> tuple[Entry, ...]:
        """What was begun and not taken back."""
        return tuple(entry for entry in self.entries if not entry.undone)

    @property
    def in_the_middle(self) -> tuple[str, ...]:
        """Instances ("" for the host) of steps that were begun after the last record was written."""
        names: dict[str, None] = {}
        for entry in self.standing:
            if entry.do is Do.REMEMBER and entry.done:
                names.pop(entry.wave, None)
            else:
                names[entry.wave] = None
        return tuple(names)


def encode_inverse(inverse: Inverse) -> dict[str, object]:
    """The inverse as it stands in the journal: JSON values only."""
    return {"undo": _WORD_OF[type(inverse)], **inverse._asdict()}


def decode_inverse(data: Mapping[str, object]) -> Inverse:
    """The inverse that a journal tells of; ValueError if it is none."""
    try:
        kind = WORDS[str(data["undo"])]
        values = {name: _value(name, data[name]) for name in kind._fields}
        return kind(**values)  # type: ignore[arg-type]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not an inverse: {error!r}") from error


def _value(name: str, value: object) -> object:
    if name == "instance" and isinstance(value, list):
        return instance_target(value)
    if name in _TUPLES and isinstance(value, list):
        return tuple(value)
    return value


def decode_run(lines: Iterable[Mapping[str, object]]) -> Run | None:
    """What a journal tells, None for one that tells of no run; ValueError for one of another format."""
    begun: Mapping[str, object] | None = None
    entries: dict[int, Entry] = {}
    attempts: dict[int, int] = {}  # by number of an entry, how many runs had begun before it
    told = tuple(lines)
    finished = attempt = 0
    over = undoing = False
    for line in told:
        event = line.get("event")
        number = _number(line)
        if event == "begin":
            begun, finished, over = line, 0, False
            attempt += 1
            if line.get("format") != FORMAT:
                raise ValueError(f"format {line.get('format')} of the journal is not known")
        elif event == "step":
            entries[number] = _entry(number, line)
            attempts[number] = attempt
        elif event == "done" and number in entries:
            entries[number] = entries[number]._replace(done=True)
            finished += entries[number].do is not Do.REMEMBER
        elif event == "undone" and number in entries:
            entries[number] = entries[number]._replace(undone=True)
        elif event == "undo":
            undoing = True
        elif event == "end":
            over = True
    if begun is None:
        return None
    return Run(
        str(begun.get("host", "")),
        Digest(str(begun.get("target", ""))),
        str(begun.get("services", "")),
        bool(begun.get("pin")),
        str(begun.get("program", "")),
        int(str(begun.get("steps", 0))),
        finished,
        _still_undone(entries, attempts),
        over,
        undoing,
        _staged(told),
        _failures(told),
    )


def _still_undone(entries: Mapping[int, Entry], attempts: Mapping[int, int]) -> tuple[Entry, ...]:
    """The entries, where those that were undone before a later one of their wave stand again.

    Taking the later one back does what came before it another time: an instance that was started
    again is stopped, one that was let start with the machine is not.
    """
    found = dict(entries)
    standing: set[tuple[int, str]] = set()
    for number in sorted(entries, reverse=True):
        key = (attempts[number], entries[number].wave)
        if not entries[number].undone:
            standing.add(key)
        elif key in standing:
            found[number] = entries[number]._replace(undone=False)
    return tuple(found.values())


def _staged(lines: Iterable[Mapping[str, object]]) -> tuple[HostPath, ...]:
    named = (line.get("folders") for line in lines if line.get("event") == "stage")
    found = (folders for folders in named if isinstance(folders, dict))
    return tuple(dict.fromkeys(HostPath(str(f)) for folders in found for f in folders))


def _failures(lines: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Why steps failed, or could not be taken back, since somebody last began to do either."""
    found: dict[str, None] = {}
    for line in lines:
        if line.get("event") in ("begin", "undo"):
            found.clear()
        elif line.get("event") == "failed":
            found[str(line.get("message", ""))] = None
    return tuple(found)


def _number(line: Mapping[str, object]) -> int:
    number = line.get("number", 0)
    return number if isinstance(number, int) else 0


def _entry(number: int, line: Mapping[str, object]) -> Entry:
    inverse = line.get("inverse")
    if not isinstance(inverse, dict):
        raise ValueError(f"step {number} of the journal has no inverse")
    return Entry(
        number,
        str(line.get("wave", "")),
        Do(str(line.get("do"))),
        str(line.get("resource", "")),
        HostPath(str(line.get("path", ""))),
        decode_inverse(inverse),
        done=False,
        undone=False,
    )
