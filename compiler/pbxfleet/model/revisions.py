"""What a change of the repository does to every host: the result of `diff`, before anybody prints it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.plan import Change, FieldDelta, Note, Verb
from pbxfleet.model.target import Impact

# Why a setting that only the first side declares is left alone; its origin is a place of that side.
NO_LONGER = "no longer declared: stays on the host as it is"


class Named(NamedTuple):
    """A side of a diff: the word that named it, and its commit; all but the word is "" for the working tree.

    `object` is the whole name of the commit, `date` ISO 8601.
    """

    word: str
    object: str
    author: str
    date: str
    subject: str


class Source(StrEnum):
    """Where a host's target comes from on one side."""

    RENDERED = "rendered"  # rendered/ of that side, which is what desired/ says
    COMPILED = "compiled"  # rendered/ is stale or missing there: compiled anew
    ABSENT = "absent"  # the host is not declared
    BROKEN = "broken"  # desired/ has errors, and rendered/ is stale or missing


class HostSides(NamedTuple):
    """One host that was looked at, and where its two targets come from.

    `instances` are all that it has on the second side, or had on the first if it is gone.
    """

    host: str
    before: Source
    after: Source
    instances: tuple[str, ...] = ()

    @property
    def is_compared(self) -> bool:
        """Whether both targets could be had."""
        return Source.BROKEN not in (self.before, self.after)


class LineDelta(NamedTuple):
    """A line of a rendered file: `sign` is `-`, `+` or a space for one that stays.

    `number` counts from 1 in the file that has it: that of before for `-`, else that of after.
    `origin` are the places that the line comes from on that side, those that the change touched first;
    it is empty for lines that stay, and where nobody asked.
    """

    sign: str
    number: int
    text: str
    origin: tuple[str, ...] = ()


class FileLines(NamedTuple):
    """The lines of one file that differ, with a few around them; `left` more are not shown."""

    resource: str
    lines: tuple[LineDelta, ...]
    left: int


class Effect(NamedTuple):
    """What happens to one instance, or (instance "") to the host itself.

    `action` is create, update, remove, move or keep, the last where nothing on the host changes. `was`
    is the name that the instance had (`acme`), or where it was (`fra1/acme`), else "". `impact` is the
    dearest of the changes and `reason` says why. `facts` are declared beside files and settings.
    `place` is where the instance is declared, on the first side for one that is removed.
    `words` are what the instance has of its own, by the placeholder that stands for it in folds.
    """

    host: str
    instance: str
    action: Verb
    was: str
    impact: Impact
    reason: str
    changes: tuple[Change, ...] = ()
    facts: tuple[FieldDelta, ...] = ()
    lines: tuple[FileLines, ...] = ()
    notes: tuple[Note, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    place: str = ""


class Written(NamedTuple):
    """The commit that a line is from, or (`removed`) that took it out; `commit` is its short name.

    Everything is "" but `why` where no commit can be named, and `why` says why.
    """

    commit: str
    author: str
    date: str
    subject: str
    removed: bool = False
    why: str = ""


class RevisionDiff(NamedTuple):
    """Everything that `diff` found. `hosts` are those that were looked at, the others are the same.

    `new` are diagnostics that only the second side has, `fixed` those that only the first has; both are
    as the fleet wants them told. `notes` are about the comparison itself. `has_errors` says that the
    second side cannot be compiled. `written` has the commits of places on the second side, as far as they
    were asked for, and `gone` those of places on the first side. `is_denied` says that the policy of the
    second side forbids what it does. `ignored` are no effects: each has nothing but notes about what
    differs and is left as it is by rules of the second side.
    """

    before: Named
    after: Named
    hosts: tuple[HostSides, ...]
    effects: tuple[Effect, ...]
    new: tuple[Diagnostic, ...]
    fixed: tuple[Diagnostic, ...]
    notes: tuple[str, ...]
    has_errors: bool = False
    written: Mapping[str, Written] = MappingProxyType({})
    is_denied: bool = False
    gone: Mapping[str, Written] = MappingProxyType({})
    ignored: tuple[Effect, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether something could not be compared, or would not compile."""
        return self.has_errors or bool(self.not_compared)

    @property
    def not_compared(self) -> tuple[HostSides, ...]:
        """Hosts of which one target could not be had."""
        return tuple(host for host in self.hosts if not host.is_compared)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is different, and everything could be compared."""
        return not (self.effects or self.new or self.fixed or self.not_compared)
