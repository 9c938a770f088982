"""What a change of the repository does to every host: both sides' targets, compared as plan compares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.app.diff_authors import authors
from pbxfleet.app.diff_checks import only
from pbxfleet.app.diff_lines import line_deltas
from pbxfleet.app.diff_moves import with_moves
from pbxfleet.app.diff_origins import with_origins
from pbxfleet.app.diff_policy import is_denied, under_policy
from pbxfleet.app.side import Sides
from pbxfleet.app.two_targets import HostTree, Pair, TwoTargets
from pbxfleet.core.diagnostics import Diagnostic, Severity
from pbxfleet.core.errors import Refused
from pbxfleet.host.clock import today
from pbxfleet.host.forked import WorkerFailed, beside
from pbxfleet.model.frozen import freeze, thaw
from pbxfleet.model.ignoring import active
from pbxfleet.model.plan import Change, FieldDelta, Note, Verb
from pbxfleet.model.revisions import Effect, FileLines, HostSides, RevisionDiff
from pbxfleet.model.target import IMPACT_ORDER, Impact, InstanceTarget, Kind, Target
from pbxfleet.plan.besides import Applied, host_facts, instance_facts
from pbxfleet.plan.between import between
from pbxfleet.plan.ignored import IGNORED
from pbxfleet.report.diff_blocks import blocks


def diff_sides(sides: Sides, *, checks: bool = True) -> RevisionDiff:
    """Everything that differs between two sides of a repository, with the commits that it is from.

    Nothing is written anywhere. Without `checks` nobody is asked what newly fails.
    """
    targets = TwoTargets(sides)
    if not (checks and targets.changed):
        return _compared(sides, targets, whole=checks)
    if targets.size < WORTH_IT:
        found = _compared(sides, targets)
        return _with_checks(found, targets, targets.diagnostics(sides.repository))
    sides.read()  # a child must not ask git by the parent's connection
    with beside(lambda: freeze(targets.diagnostics(sides.repository))) as result:
        found = _compared(sides, targets)
        try:
            told = thaw(result())
        except WorkerFailed:
            told = None
    both = told if isinstance(told, tuple) else targets.diagnostics(sides.repository)
    return _with_checks(found, targets, both)


WORTH_IT = 300  # files in desired/, from which a second process pays


def _compared(sides: Sides, targets: TwoTargets, *, whole: bool = True) -> RevisionDiff:
    """What changes on hosts; what the checks say of it is not asked.

    With `whole` a large fleet may be read in full for the sources of lines.
    """
    pairs = list(targets.pairs())
    effects: list[Effect] = []
    ignored: list[Effect] = []
    for number, pair in enumerate(pairs):
        try:
            own, left = _effects(pair)
        except Refused as refusal:
            if refusal.code != DAMAGED:
                raise
            pairs[number] = targets.anew(pair.sides.host)
            own, left = _effects(pairs[number])
        effects += own
        ignored += left
    if {Verb.REMOVE, Verb.CREATE} <= {e.action for e in effects}:
        effects = with_moves(effects, *targets.ledgers())
    effects.sort(key=lambda e: (e.host, e.instance))
    found, unsought = with_origins(blocks(effects), pairs, targets, whole=whole)
    effects = sorted((e for block in found for e in block.effects), key=lambda e: e[:2])
    named = sides.before.named, sides.after.named
    written, gone = authors(sides.revisions, *named, found) if effects else ({}, {})
    return RevisionDiff(
        *named,
        tuple(_with_names(pair) for pair in pairs),
        tuple(effects),
        (),
        (),
        (*sides.notes, *unsought),
        is_denied=is_denied(effects),
        written=written,
        gone=gone,
        ignored=tuple(ignored),
    )


LEFT = "left as it is by a rule"
DAMAGED = "PLN105"  # a rendered file is not what the manifest says


def _with_checks(
    found: RevisionDiff,
    targets: TwoTargets,
    both: tuple[Sequence[Diagnostic], Sequence[Diagnostic]],
) -> RevisionDiff:
    """With what only one side's checks find. Where there are errors, nobody looked for everything else."""
    before, after = both
    now = [*after, *targets.problems()]
    has_errors = any(d.severity is Severity.ERROR for d in now)
    fixed = only(before, now)
    if has_errors:
        fixed = tuple(d for d in fixed if d.severity is Severity.ERROR)
    new = only(now, before)
    kept = [d for d in now if d.severity is Severity.ERROR and d not in new]
    notes = (*found.notes, *map(_still_wrong, kept[:1]))
    return found._replace(new=new, fixed=fixed, has_errors=has_errors, notes=notes)


def _still_wrong(error: Diagnostic) -> str:
    """Why a side does not compile is neither new nor fixed where the other one does not either."""
    place = f"{error.span}: " if error.span is not None else ""
    return f"both sides have errors, such as {place}error[{error.code}]: {error.message}"


def _with_names(pair: Pair) -> HostSides:
    tree = pair.after or pair.before
    if tree is None:
        return pair.sides
    return pair.sides._replace(instances=tuple(sorted(tree.target().instances)))


class _Whole(NamedTuple):
    """A side of one host as plan takes it, with the tree for the contents of files."""

    applied: Applied
    tree: HostTree | None


def _effects(pair: Pair) -> tuple[Sequence[Effect], Sequence[Effect]]:
    """The effects on one host, with what its policy says of them; then what its rules ignore."""
    found = tuple(_host_effects(pair))
    ignored = tuple(e for e in found if any(note.code == IGNORED for note in e.notes))
    effects = tuple(e for e in found if e not in ignored) if ignored else found
    if not effects or pair.after is None:
        return effects, ignored
    return under_policy(pair.after.target(), effects, today()), ignored


def _host_effects(pair: Pair) -> Iterator[Effect]:
    """Of the host and of its instances; what is ignored of each of them is an effect of its own."""
    host = pair.sides.host
    if not pair.sides.is_compared or (pair.before is None and pair.after is None):
        return
    after_target = None if pair.after is None else pair.after.target()
    before_target = None if pair.before is None else pair.before.target()
    if after_target is None:
        assert before_target is not None
        yield from _host_gone(before_target)
        return
    before = _whole(pair.before, before_target or _nothing(after_target))
    after = _whole(pair.after, after_target)
    found = between(before.applied, after.applied, active(after_target.rules.ignored, today()))
    changes: dict[str, list[Change]] = {"": []}
    for change in found.changes:
        changes.setdefault(change.instance, []).append(change)
    notes: dict[str, list[Note]] = {}
    for note in found.notes:
        notes.setdefault(note.instance, []).append(note)
    old, new = before.applied.target.instances, after.applied.target.instances
    yield from _ignored(host, found.ignored, old, new)
    for name in sorted({*changes, *old, *new, *notes}):
        own = changes.get(name, [])
        facts: tuple[FieldDelta, ...] = ()
        if not name and before_target is not None:
            facts = host_facts(before_target, after_target)
        elif name in old and name in new:
            facts = instance_facts(old[name], new[name], own)
        if own or facts or name in notes:
            action = _action(own, is_new=name not in old if name else before_target is None)
            yield Effect(
                host,
                name,
                action,
                "",
                *_cost(action, own),
                tuple(own),
                facts,
                tuple(_lines(own, before, after)),
                tuple(notes.get(name, ())),
                _words(host, old.get(name), new.get(name)),
                one.origin if (one := new.get(name) or old.get(name)) else "",
            )


def _ignored(
    host: str,
    notes: Iterable[Note],
    old: Mapping[str, InstanceTarget],
    new: Mapping[str, InstanceTarget],
) -> Iterator[Effect]:
    grouped: dict[str, list[Note]] = {}
    for note in notes:
        grouped.setdefault(note.instance, []).append(note)
    for name, own in sorted(grouped.items()):
        left = Effect(host, name, Verb.KEEP, "", Impact.NONE, LEFT, notes=tuple(own))
        yield left._replace(words=_words(host, old.get(name), new.get(name)))


def _words(
    host: str, old: InstanceTarget | None, new: InstanceTarget | None
) -> tuple[tuple[str, str], ...]:
    """What an instance has of its own, by the placeholder that stands for it in folds."""
    instance = new or old
    words = {"host": host}
    if instance is not None:
        name = instance.name
        number = name[len(name.rstrip("0123456789")) :]
        words = {"instance": name, "host": host, "number": number}
        for when, one in (("", new), ("_before", old)):
            for at, address in enumerate(one.addresses if one is not None else (), 1):
                words[f"address{'' if at == 1 else at}{when}"] = address
            if one is not None:
                words[f"directory{when}"] = one.directory
            if one is not None and one.cpu is not None:
                words[f"core{when}"] = str(one.cpu)
    return tuple((word, text) for word, text in words.items() if text)


def _whole(tree: HostTree | None, target: Target) -> _Whole:
    fields = tree.fields if tree is not None else lambda _: ()
    return _Whole(Applied(target, fields), tree)


def _nothing(target: Target) -> Target:
    """The host as it was before anybody declared it."""
    return target._replace(instances={}, resources={})


def _host_gone(target: Target) -> Iterator[Effect]:
    """No plan is ever made of a host that is not declared: what runs there goes on."""
    reason = "no longer declared: pbxfleet leaves what is on the host as it is, running"
    yield Effect(target.host, "", Verb.REMOVE, "", Impact.NONE, reason)
    for name in sorted(target.instances):
        gone = Effect(target.host, name, Verb.REMOVE, "", Impact.NONE, reason)
        own = target.instances[name]
        yield gone._replace(words=_words(target.host, own, None), place=own.origin)


def _action(changes: Iterable[Change], *, is_new: bool) -> Verb:
    verbs = {change.action for change in changes}
    if is_new:
        return Verb.CREATE
    gone = any(c.kind is Kind.SERVICE and c.action is Verb.REMOVE for c in changes)
    if gone:
        return Verb.REMOVE
    return Verb.KEEP if verbs <= {Verb.KEEP} else Verb.UPDATE


def _cost(action: Verb, changes: Iterable[Change]) -> tuple[Impact, str]:
    """The dearest impact, and why."""
    dearest = max(
        changes, key=lambda c: (IMPACT_ORDER.index(c.impact), c.kind is Kind.SERVICE), default=None
    )
    if dearest is None or action is Verb.KEEP:
        return Impact.NONE, "nothing on the host changes"
    match dearest.impact:
        case Impact.RESTART:
            return Impact.RESTART, dearest.reason
        case Impact.LIVE:
            return Impact.LIVE, "settings change in the running process"
        case Impact.NONE if action is Verb.CREATE:
            return Impact.NONE, "it is started; no call is on it yet"
        case Impact.NONE:
            return Impact.NONE, "nothing that runs is interrupted"


def _lines(changes: Iterable[Change], before: _Whole, after: _Whole) -> Iterator[FileLines]:
    """The lines of files that are there on both sides."""
    for change in changes:
        if change.kind is not Kind.FILE or change.action is not Verb.UPDATE:
            continue
        old = _content(before, change.resource)
        new = _content(after, change.resource)
        if old is not None and new is not None and old != new:
            yield line_deltas(change.resource, old, new)


def _content(side: _Whole, resource_id: str) -> bytes | None:
    resource = side.applied.target.resources.get(resource_id)
    if resource is None or side.tree is None:
        return None
    return side.tree.rendered(resource.source, resource.digest)
