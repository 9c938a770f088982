"""A diff of revisions in blocks: what several instances have in common is said once, with their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.model.folding import escaped, filled, fold, ranges
from pbxfleet.model.plan import Change, FieldDelta, Verb
from pbxfleet.model.revisions import NO_LONGER, Effect, FileLines, HostSides, RevisionDiff
from pbxfleet.model.target import IMPACT_ORDER, Impact, Kind

MOST_LEFT_OUT = 5  # "all but" so many names; more are listed the other way round


class Block(NamedTuple):
    """Effects that say the same. `pattern` is one of them with placeholders, if there are several."""

    pattern: Effect
    effects: tuple[Effect, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that it is about, in order."""
        return tuple(dict.fromkeys(effect.host for effect in self.effects))

    @property
    def is_of_host(self) -> bool:
        """Whether it is about hosts themselves, not about instances."""
        return not self.effects[0].instance


class Section(NamedTuple):
    """The blocks of the same hosts, those of the hosts themselves first."""

    hosts: tuple[str, ...]
    blocks: tuple[Block, ...]


def sections(found: RevisionDiff) -> tuple[Section, ...]:
    """All effects of a diff, folded, in order of their hosts."""
    return sections_of(found.effects)


def sections_of(effects: Iterable[Effect]) -> tuple[Section, ...]:
    """These effects, folded, in order of their hosts."""
    grouped: dict[tuple[str, ...], list[Block]] = {}
    for block in blocks(effects):
        grouped.setdefault(block.hosts, []).append(block)
    return tuple(
        Section(hosts, tuple(sorted(own, key=_weight))) for hosts, own in sorted(grouped.items())
    )


def _weight(block: Block) -> tuple[bool, int, int]:
    """What costs most comes first, after the hosts themselves."""
    pattern = block.pattern
    return not block.is_of_host, -IMPACT_ORDER.index(pattern.impact), -len(block.effects)


def blocks(effects: Iterable[Effect]) -> tuple[Block, ...]:
    """Effects in blocks; for each of them `restored` gives what it said before.

    What hosts and what instances have in common is not said together: only the latter have names in it.
    """
    effects = list(effects)
    parts = ([e for e in effects if not e.instance], [e for e in effects if e.instance])
    return tuple(
        Block(_shown(found.pattern, len(found.items)), found.items)
        for part in parts
        for found in fold(part, essence, lambda effect: dict(effect.words))
    )


def _shown(pattern: Effect, count: int) -> Effect:
    """A single effect is shown as it is, braces and all."""
    shown: Effect = filled(pattern, {}) if count == 1 else pattern
    return shown


def restored(block: Block, effect: Effect) -> Effect:
    """What the block says of one of its effects: its essence, name by name."""
    pattern = escaped(block.pattern) if len(block.effects) == 1 else block.pattern
    said: Effect = filled(pattern, dict(effect.words))
    return said


def essence(effect: Effect) -> Effect:
    """What is said of an instance, without its name and the places, which stand beside the blocks.

    Digests of contents are left out where lines say more, or where there is nothing to compare with.
    """
    with_lines = {lines.resource for lines in effect.lines}
    changes = tuple(_without_places(change, with_lines) for change in effect.changes)
    facts = tuple(fact._replace(origin="") for fact in effect.facts)
    notes = tuple(note._replace(instance="") for note in effect.notes)
    lines = tuple(map(_without_origins, effect.lines))
    told = effect._replace(changes=changes, facts=facts, lines=lines, notes=notes)
    return told._replace(host="", instance="", words=(), place="")


def _without_origins(file: FileLines) -> FileLines:
    if not any(line.origin for line in file.lines):
        return file
    return file._replace(lines=tuple(line._replace(origin=()) for line in file.lines))


def _without_places(change: Change, with_lines: Collection[str]) -> Change:
    fields = tuple(field._replace(origin="") for field in _telling(change, with_lines))
    return change._replace(instance="", origin=(), fields=fields)


def _telling(change: Change, with_lines: Collection[str]) -> Iterator[FieldDelta]:
    told = change.resource in with_lines or change.action in (Verb.CREATE, Verb.REMOVE)
    yield from (field for field in change.fields if not (told and field.name == "content"))


class Places(NamedTuple):
    """Where it is written: the most frequent place of a block's effects, and how many others there are.

    `place` has placeholders where the effects differ in their names only; `one` is that of the first.
    `is_gone` says that they are places of the first side.
    """

    place: str
    one: str
    others: int
    is_gone: bool = False


def shown_places(block: Block) -> Iterator[Places]:
    """Every place that is shown for a block, but those of lines."""
    yield instance_places(block)
    for number, change in enumerate(block.pattern.changes):
        yield places(block, number, None)
        for field in range(len(change.fields)):
            yield places(block, number, field)
    for number in range(len(block.pattern.facts)):
        yield fact_places(block, number)


def shown_line_places(block: Block) -> Iterator[Places]:
    """Every place that is shown for a line of a file."""
    for file in block.pattern.lines:
        yield from line_places(block, file)


NO_PLACES = Places("", "", 0)


def line_places(block: Block, file: FileLines) -> tuple[Places, ...]:
    """Of each line of a file of the pattern: the first place of it, in the first of the effects."""
    first = block.effects[0].lines[block.pattern.lines.index(file)]
    return tuple(
        Places(line.origin[0], line.origin[0], len(line.origin) - 1, line.sign == "-")
        if line.origin
        else NO_PLACES
        for line in first.lines
    )


def places(block: Block, change: int, field: int | None) -> Places:
    """Of a field of a change of the pattern; of the change as such where `field` is None."""
    found = _places(block, [_origin(effect, change, field) for effect in block.effects])
    is_gone = field is not None and block.pattern.changes[change].reason == NO_LONGER
    return found._replace(is_gone=is_gone)


def instance_places(block: Block) -> Places:
    """Where the instances are declared, or were."""
    found = _places(block, [effect.place for effect in block.effects])
    return found._replace(is_gone=block.pattern.action is Verb.REMOVE)


def fact_places(block: Block, fact: int) -> Places:
    """Of a fact of the pattern."""
    return _places(block, [effect.facts[fact].origin for effect in block.effects])


def _origin(effect: Effect, number: int, field: int | None) -> str:
    change = effect.changes[number]
    if field is None:
        return change.origin[0] if change.origin else ""
    with_lines = {lines.resource for lines in effect.lines}
    return list(_telling(change, with_lines))[field].origin


def _places(block: Block, origins: Sequence[str]) -> Places:
    if not any(origins):
        return NO_PLACES
    pairs = zip(block.effects, origins, strict=True)
    found = fold(pairs, lambda pair: pair[1], lambda pair: dict(pair[0].words))
    most = max(found, key=lambda one: len(one.items))
    one = most.items[0][1]
    place = str(most.pattern) if most.is_general else one
    return Places(place, one, len(found) - 1)


def members(block: Block, hosts: Iterable[HostSides]) -> str:
    """The instances of a block: `acme, inst-01..inst-96`, or `all 98 instances but elm`."""
    if block.is_of_host:
        return ""
    known = {host.host: frozenset(host.instances) for host in hosts}
    texts: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for effect in block.effects:
        names.setdefault(effect.host, []).append(effect.instance)
    for host, own in names.items():
        texts.setdefault(_named(own, known.get(host, frozenset())), []).append(host)
    if len(names) == 1:
        return next(iter(texts))
    return "; ".join(f"{ranges(own)}: {text}" for text, own in texts.items())


def _named(names: Sequence[str], everybody: frozenset[str]) -> str:
    left = everybody.difference(names)
    some = len(names) > MOST_LEFT_OUT and everybody.issuperset(names)
    if some and not left:
        return f"all {len(names)} instances"
    if some and len(left) <= min(MOST_LEFT_OUT, len(names) // 2):
        return f"all {len(everybody)} instances but {ranges(left)}"
    return ranges(names)


class Counts(NamedTuple):
    """What a diff amounts to. Instances are `host/instance`, but in `hosts`, which are host names."""

    hosts: tuple[str, ...]
    instances: tuple[str, ...]
    created: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[str, ...]
    restarts: tuple[str, ...]
    live: tuple[str, ...]
    files: int
    settings: int


def counts(effects: Iterable[Effect]) -> Counts:
    """The counts that headlines are made of."""
    effects = list(effects)
    of_instances = [e for e in effects if e.instance]
    named: Mapping[Verb, tuple[str, ...]] = {
        verb: tuple(f"{e.host}/{e.instance}" for e in of_instances if e.action is verb)
        for verb in (Verb.CREATE, Verb.REMOVE, Verb.MOVE)
    }
    kept = [e for e in of_instances if e.action is Verb.UPDATE]
    done = [c for e in effects for c in e.changes if c.action is not Verb.KEEP]
    return Counts(
        hosts=tuple(dict.fromkeys(e.host for e in effects)),
        instances=tuple(f"{e.host}/{e.instance}" for e in of_instances),
        created=named[Verb.CREATE],
        removed=named[Verb.REMOVE],
        moved=named[Verb.MOVE],
        restarts=_with(Impact.RESTART, kept),
        live=_with(Impact.LIVE, kept),
        files=sum(1 for c in done if c.kind in (Kind.FILE, Kind.ARTEFACT)),
        settings=sum(len(c.fields) for c in done if c.kind is Kind.SETTINGS),
    )


def _with(impact: Impact, effects: Iterable[Effect]) -> tuple[str, ...]:
    return tuple(f"{e.host}/{e.instance}" for e in effects if e.impact is impact)
