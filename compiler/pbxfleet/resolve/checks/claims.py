"""Claims: everything on a host that only one can have, with the source lines that ask for it.

Each kind of claim has its own rule of what excludes what: `sockets` for listeners, `rtp` for ranges of
media ports, `paths` for directories and files; of every other kind two claims with one key exclude each
other. A conflict is always between two claims, and names the lines that cannot be true together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.span import Span, whole_file
from pbxfleet.model.desired import Sourced
from pbxfleet.model.net import Address
from pbxfleet.model.resolved import ResolvedInstance, Resource, Thing


class Kind(StrEnum):
    """What is claimed."""

    SOCKET = "socket"
    MEDIA = "media"
    CORE = "core"
    PATH = "path"
    SERVICE = "service"
    SYSLOG_PREFIX = "syslog prefix"
    TENANT = "tenant"
    SYSTEM_NAME = "system name"
    MANAGEMENT_DNS = "management DNS name"
    LICENCE = "licence key"


class Line(NamedTuple):
    """A place that makes a claim, and what it says in a few words, without whose it is.

    `given` marks what an instance must have anyway (an address of its own): between two claims of one
    instance, or beside a claim of every address, any other value would do the same. `moves` is a
    command that takes back what the ledger says here.
    """

    span: Span
    words: str
    given: bool = False
    moves: str = ""


def remembered_lines(
    instance: ResolvedInstance, thing: Thing, wish: Span, *, given: bool = False
) -> Iterator[Line]:
    """The ledger's line, if the instance has the thing for this wish from there."""
    for one in instance.remembered:
        if one.thing == thing and one.wish == wish:
            yield Line(one.line, f"{thing.words} in the ledger", given, release_of(instance, thing))


def address_lines(
    instance: ResolvedInstance, address: Sourced[Address], *, given: bool
) -> Iterator[Line]:
    """The line with an address of the instance, and that of the ledger if it is from there."""
    thing = Thing(Resource.ADDRESS, str(address.value))
    yield Line(address.origin, f"address {address.value}", given)
    yield from remembered_lines(instance, thing, address.origin, given=given)


def release_of(instance: ResolvedInstance, thing: Thing) -> str:
    """The command after which another one is handed out."""
    return f"pbxfleet move --reallocate {instance.name} --only {thing.resource.value}"


class Claim(NamedTuple):
    """What one owner needs for itself alone.

    `home` is the first key of the owner's file, None for an owner without a file of its own (the host,
    a foreign program). `lines` come in the order in which a person would change them. `loose` is a
    bind of unknown transport as it is in the reference file, which ran with its other binds.
    `is_wide` is a claim of every address, for which the other's own address does not matter.
    """

    kind: Kind
    key: Hashable
    what: str
    owner: str
    home: Span | None
    lines: tuple[Line, ...]
    loose: bool = False
    is_wide: bool = False

    @property
    def place(self) -> Span | None:
        """Where to change it: in the owner's own file if it is said there, else at the first line."""
        own = self.own_line
        if own is not None:
            return own.span
        return self.lines[0].span if self.lines else self.home

    @property
    def own_line(self) -> Line | None:
        """The first line that stands in the owner's own file."""
        if self.home is None:
            return None
        return next((line for line in self.lines if line.span.file == self.home.file), None)


class Conflict(NamedTuple):
    """Two claims that exclude each other, the earlier first; `about` is what the kind's rule adds."""

    earlier: Claim
    later: Claim
    about: str = ""


def minimal_lines(conflict: Conflict) -> tuple[Line, ...]:
    """The lines that cannot be true together: another value in any one of them ends this conflict.

    Those of the later claim come first. An instance that says nothing of it itself, and has everything
    from its host or the fleet, counts with its first key. What no file says (a default) is no line.
    """
    both = (conflict.later, conflict.earlier)
    lines = [(c, line) for c in both for line in c.lines if _is_written(line.span)]
    one_owner = conflict.later.owner == conflict.earlier.owner
    if one_owner or any(claim.is_wide for claim in both):
        needed = {line.span for _, line in lines if not line.given}
        lines = [(c, line) for c, line in lines if line.span in needed]
    said: dict[Span, dict[str, list[str]]] = {}
    moves: dict[Span, str] = {}
    for claim, line in lines:
        moves.setdefault(line.span, line.moves)
        whose = said.setdefault(line.span, {}).setdefault(line.words, [])
        if claim.owner not in whose and claim.owner != claim.what:
            whose.append(claim.owner)
    for claim in () if one_owner else both:
        if claim.home is not None and all(span.file != claim.home.file for span in said):
            said.setdefault(claim.home, {}).setdefault(f"instance {claim.owner}", [])
    return tuple(
        Line(span, _words(whose), moves=moves.get(span, "")) for span, whose in said.items()
    )


def _words(said: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{w} of {' and '.join(whose)}" if whose else w for w, whose in said.items())


def _is_written(span: Span) -> bool:
    return span != whole_file(span.file)


def _place(conflict: Conflict, lines: Iterable[Line]) -> Span | None:
    """Which of the lines is marked: in a file of one of the two, that of the later if possible."""
    earlier, later = conflict.earlier, conflict.later
    if earlier.kind is Kind.SOCKET and earlier.home is None:
        return earlier.place  # of a foreign program, which may be in the way of many instances
    spans = [line.span for line in lines]
    for claim in (later, earlier):
        home = claim.home
        own = [s for s in spans if home is not None and s.file == home.file and s != home]
        if own:
            return own[0]
    return spans[0] if spans else later.place or earlier.place


def accuse(
    code: str, message: str, conflict: Conflict, hint: str, severity: Severity = Severity.ERROR
) -> Diagnostic:
    """The conflict as a diagnostic, with every other line of its minimal set as a related place."""
    lines = minimal_lines(conflict)
    place = _place(conflict, lines)
    others = tuple((line.span, line.words) for line in lines if line.span != place)
    commands = [line.moves for line in lines if line.moves]
    if commands:
        hint = f"{hint}; or have another one handed out: {commands[0]}"
    return Diagnostic(code, message, place, severity, others, hint)


def repeated(claims: Iterable[Claim]) -> Iterator[tuple[Claim, list[Claim]]]:
    """The first claim of each key with all later ones, where there are any; in order of first claims."""
    by_key: dict[Hashable, list[Claim]] = {}
    for claim in claims:
        by_key.setdefault(claim.key, []).append(claim)
    for first, *later in by_key.values():
        if later:
            yield first, later


def by_cause(
    conflicts: Iterable[Conflict], cause: Callable[[Conflict], Hashable]
) -> list[list[Conflict]]:
    """Conflicts with one cause together, so that one mistake gives one report."""
    groups: dict[Hashable, list[Conflict]] = {}
    for conflict in conflicts:
        groups.setdefault(cause(conflict), []).append(conflict)
    return list(groups.values())


def same_lines(conflict: Conflict) -> Hashable:
    """One line for all is one cause, and so are two lines for each owner by itself; otherwise each
    pair of owners at its two places.
    """
    earlier, later = conflict.earlier, conflict.later
    if earlier.place == later.place:
        return (later.place, later.what, later.key)
    if earlier.owner == later.owner:
        return (later.place, earlier.place)
    return (later.place, earlier.place, later.owner, earlier.owner)


def owners(group: Iterable[Conflict]) -> list[str]:
    """Names of everybody in these conflicts, each once, the earlier first."""
    return list(dict.fromkeys(c.owner for pair in group for c in (pair.earlier, pair.later)))
