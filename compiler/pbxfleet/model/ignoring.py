"""Differences that a fleet accepts for a while: neither shown as drift nor overwritten by apply."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pbxfleet.model.plan import Note
    from pbxfleet.model.target import Field

LEFT_ALONE = "left alone"  # ownership: owned, but what is there stays for a while

SETTING, PATH, LISTENER = "setting", "path", "listener"
UNTIL = "ignored until "  # in notes, before the day and the reason
SUBJECTS = (SETTING, PATH, LISTENER)


class IgnoredClass(StrEnum):
    """Classes of drift that a rule about paths may be restricted to."""

    MISSING = "missing"
    CHANGED = "changed"
    EXTRA = "extra"
    MODE = "mode"


class Ignored(NamedTuple):
    """One rule of a host. `what` is one of `SUBJECTS`, `pattern` a glob (`*`, `?`, `[...]`) over names of
    elements or host paths, or (`*`, `?`) over sockets (`tcp 203.0.113.10:8443`). `kind` is a class of
    drift that paths are restricted to, "" for all. `instance` is "" for the host and all its instances.

    It holds until the end of the day `expires`, YYYY-MM-DD in UTC.
    """

    what: str
    pattern: str
    kind: str
    instance: str
    reason: str
    expires: str

    def covers(self, instance: str) -> bool:
        """Whether it is about an instance."""
        return self.instance in ("", instance)


class Ignoring(NamedTuple):
    """The rules of a host that have not expired."""

    rules: tuple[Ignored, ...] = ()

    def setting(self, instance: str, name: str) -> Ignored | None:
        """The rule that leaves an element of pbx.xml alone."""
        return self._first(SETTING, instance, name, ())

    def path(self, instance: str, path: str, kinds: Collection[str]) -> Ignored | None:
        """The rule that leaves a file alone which differs in these ways."""
        return self._first(PATH, instance, path, kinds)

    def listener(self, instance: str, socket: str) -> Ignored | None:
        """The rule that accepts a socket of another program on an address of an instance."""
        return self._first(LISTENER, instance, socket, ())

    def fields(self, instance: str, fields: Sequence[Field]) -> tuple[Field, ...]:
        """Declared elements, of which those that are left alone are written only where pbx.xml is made."""
        if not any(rule.what == SETTING for rule in self.rules):
            return tuple(fields)
        return tuple(
            field._replace(ownership=LEFT_ALONE) if self.setting(instance, field.name) else field
            for field in fields
        )

    def _first(
        self, what: str, instance: str, subject: str, kinds: Collection[str]
    ) -> Ignored | None:
        for rule in self.rules:
            pattern = literally(rule.pattern) if what == LISTENER else rule.pattern
            if (
                rule.what == what
                and rule.covers(instance)
                and all(rule.kind in ("", kind) for kind in kinds)
                and matches(pattern, subject)
            ):
                return rule
        return None


NOTHING_IGNORED = Ignoring()


def why_ignored(note: Note) -> str:
    """The rule's own words in a note about an ignored difference: until when, and the reason."""
    said = f"declared {note.declared or 'absent'}; "  # values may have the same words
    start = note.message.find(said + UNTIL)
    start = start + len(said) if start >= 0 else note.message.find(UNTIL)
    return note.message[start:]


def active(rules: Sequence[Ignored], today: str) -> Ignoring:
    """The rules that hold on the day `today`, YYYY-MM-DD."""
    return Ignoring(tuple(rule for rule in rules if rule.expires >= today))


def literally(pattern: str) -> str:
    """A glob whose brackets stand for themselves: in sockets they are those of IPv6 addresses."""
    return pattern.replace("[", "[[]")


def matches(pattern: str, subject: str) -> bool:
    """Whether a glob covers the whole subject; capital letters differ from small ones."""
    from fnmatch import fnmatchcase

    return fnmatchcase(subject, pattern)
