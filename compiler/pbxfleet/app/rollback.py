"""Back to an earlier generation: a plan like any other, whose target is the one from then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from pbxfleet.app.former import former_files
from pbxfleet.app.generation_tree import NO_GENERATION, GenerationTree, target_of
from pbxfleet.app.generations import (
    generations,
    journal_of,
    retention,
    size_bytes,
    unpacked,
    unpacked_file,
)
from pbxfleet.app.identity import check_machine
from pbxfleet.app.live import Live, read_records
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import HostView
from pbxfleet.host.disk import absolute, is_directory
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import State
from pbxfleet.model.applied import AppliedRecord, element_digest
from pbxfleet.model.elements import SECRET, WRITTEN_ONCE
from pbxfleet.model.generation import APPLY, REVERTED, Generation
from pbxfleet.model.ignoring import Ignored
from pbxfleet.model.journal import PutValuesBack
from pbxfleet.model.manifest import MANIFEST, decode, fields_digest
from pbxfleet.model.plan import Note
from pbxfleet.model.policy import NO_RULES
from pbxfleet.model.runtime import spelling_key
from pbxfleet.model.sinks import NO_SINKS, Sinks
from pbxfleet.model.target import ONCE, Field, Impact, Kind, Resource, Target
from pbxfleet.pbx.pbx_xml import PbxXml, PbxXmlError, read

LEFT = "PLN171"

Values = Mapping[str, str | None]


class _Now(NamedTuple):
    """A live pbx.xml beside what is remembered of it: digests by element, and its own spellings."""

    document: PbxXml
    applied: Mapping[str, str | None]
    spelled: Collection[str]


class Rollback(NamedTuple):
    """Where a rollback goes: from the `current` generation to `to`, on this live host.

    `sinks` are those that were declared last, not those from then.
    """

    live: Live
    current: Generation
    to: Generation
    sinks: Sinks = NO_SINKS


class History(NamedTuple):
    """The generations of a host, the oldest first, and the one that stands.

    `keep` of them are kept at most; `size_bytes` is what they take with the contents that they need.
    """

    state: State
    generations: tuple[Generation, ...]
    current: Generation | None
    keep: int
    size_bytes: int


def history(host: str, root: str) -> History:
    """What was applied to the host; Refused if this machine, or root folder, is another one's."""
    state = State(LocalHost(_folder(root), "direct"))
    known = generations(state)
    other = {generation.host for generation in known} - {host}
    if other:
        raise Refused(
            f"the generations on this machine are of {', '.join(sorted(other))}, not of {host}",
            code=NO_GENERATION,
        )
    return History(state, known, current_generation(known), retention(state), size_bytes(state))


def _folder(root: str) -> str:
    if not root or not is_directory(absolute(root)):
        raise Refused(
            f"{root!r} is not a folder", hint="--root names the folder that is the host's /"
        )
    return absolute(root)


def open_rollback(host: str, root: str, number: int | None, *, this_host: bool = False) -> Rollback:
    """The host with the target of generation `number`, by default the one before the current.

    The repository is not asked. Refused without such a generation, or if the host is at it already.
    """
    state, known, current, *_ = history(host, root)
    if current is None:
        raise Refused(
            f"there is no generation of {host} on this machine",
            hint="the first apply makes one",
            code=NO_GENERATION,
        )
    to = _chosen(known, current, number)
    first = decode(unpacked(state, to.number)[MANIFEST])
    machine = LocalHost(
        _folder(root), first.services, pin=first.affinity == "unit", program=first.program
    )
    state = State(machine)
    tree = GenerationTree(state, machine, to)
    ignored, unknown = _ignored(state, current, tree.target)
    tree.leave_alone(ignored)
    # Going back to an older release is what was asked for, so no policy on changes stands in the way.
    rules = NO_RULES._replace(ignored=ignored)
    target = tree.target._replace(downgrades="allow", rules=rules)
    check_machine(target, machine, state, this_host=this_host)
    records = read_records(state)
    before = _before(state, known, to)
    former = former_files(machine, known, to, target.resources, records)
    target = target._replace(
        resources={
            **target.resources,
            **_settings_of_removed(target, records, before),
            **{resource.id: resource for resource in former},
        }
    )
    restored, notes = _restored(tree, target, machine, records, before)
    notes = (*unknown, *notes)
    live = Live(tree, restored, machine, state, records, _folder(root), notes=notes)
    live = live._replace(outside_window="rollback")
    return Rollback(live, current, to, _sinks(state, known))


def _sinks(state: State, known: Iterable[Generation]) -> Sinks:
    """The sinks of the newest target that somebody declared; none where that is not kept."""
    newest = max((g.number for g in known if g.kind == APPLY), default=0)
    try:
        return decode(unpacked(state, newest)[MANIFEST]).sinks
    except (Refused, KeyError):
        return NO_SINKS


def _ignored(
    state: State, current: Generation, target: Target
) -> tuple[tuple[Ignored, ...], tuple[Note, ...]]:
    """Rules of [[ignore]] of either generation: what one of them leaves alone is not ours to put back.

    A note says so where those of the current one are not known.
    """
    then = target.rules.ignored
    try:
        manifest = unpacked_file(state, current.number, MANIFEST) or b""
        now = target_of(current, manifest).rules.ignored
    except Refused as refusal:
        hint = "read the plan before you approve it: it may write over what was to be left alone"
        text = f"{refusal}: which differences it ignores is not known"
        return then, (Note(NO_GENERATION, "warning", "", text, hint),)
    return tuple(sorted({*now, *then})), ()


def current_generation(known: Iterable[Generation]) -> Generation | None:
    """The newest generation of which anything stands."""
    return max((g for g in known if g.outcome != REVERTED), key=lambda g: g.number, default=None)


def _chosen(known: tuple[Generation, ...], current: Generation, number: int | None) -> Generation:
    standing = {g.number: g for g in known if g.outcome != REVERTED}
    if number is None:
        before = [
            g
            for g in standing.values()
            if g.number < current.stands_for and g.target != current.target
        ]
        if not before:
            raise Refused(
                f"there is no generation before {current.number} to go back to", code=NO_GENERATION
            )
        return before[-1]
    if number not in standing:
        raise Refused(
            f"there is no generation {number} to go back to",
            hint=f"pbxfleet history {current.host} lists them",
            code=NO_GENERATION,
        )
    return standing[number]


def _before(
    state: State, known: Iterable[Generation], to: Generation
) -> dict[str, dict[str, str | None]]:
    """By instance, what elements were before generations after `to` first wrote them."""
    values: dict[str, dict[str, str | None]] = {}
    for generation in sorted(known, key=lambda g: g.number, reverse=True):
        if generation.number <= to.number:
            break
        run = journal_of(state, generation.number)
        for entry in reversed(run.standing if run is not None else ()):
            inverse = entry.inverse
            if isinstance(inverse, PutValuesBack) and inverse.ours:
                document = _document(state.kept(inverse.before))
                if document is not None:
                    was = {name: _value(document, name) for name in inverse.ours}
                    values.setdefault(entry.wave, {}).update(was)
    return values


def _settings_of_removed(
    target: Target, records: Mapping[str, AppliedRecord], before: Mapping[str, Values]
) -> dict[str, Resource]:
    """pbx.xml of instances that are removed and had one before us: its elements go back as well."""
    found = {}
    for name in before.keys() & records.keys() - target.instances.keys():
        for key, applied in records[name].resources.items():
            if applied.kind == Kind.SETTINGS:
                path, digest = HostPath(applied.path), applied.digest
                found[key] = Resource(
                    key, Kind.SETTINGS, path, name, None, "", digest, Impact.RESTART, "", None, ()
                )
    return found


def _restored(
    tree: GenerationTree,
    target: Target,
    view: HostView,
    records: Mapping[str, AppliedRecord],
    before: Mapping[str, Values],
) -> tuple[Target, tuple[Note, ...]]:
    """The target with the elements that may be put back, and notes (PLN171) about those that are left."""
    resources = dict(target.resources)
    notes: list[Note] = []
    for resource in target.resources.values():
        if resource.kind is not Kind.SETTINGS:
            continue
        name = resource.instance
        document = _live_document(view, resource.path)
        record = records.get(name)
        applied = record.resources.get(resource.id) if record is not None else None
        if document is None or record is None or applied is None:
            continue
        now = _Now(document, applied.fields, record.proof.normalised)
        declared = tree.fields(name) if name in target.instances else ()
        fields, left = _fields(declared, before.get(name, {}), now)
        tree.adjust(name, fields)
        resources[resource.id] = resource._replace(fields_digest=fields_digest(fields))
        notes += [_left_note(resource, one, document) for one in left]
    return target._replace(resources=resources), tuple(notes)


def _fields(
    declared: tuple[Field, ...],
    before: Values,
    now: _Now,
) -> tuple[tuple[Field, ...], list[Field]]:
    """Elements to restore, and those that the PBX or a person has changed since."""
    names = {field.name for field in declared}
    more = [
        Field(name, value, None, "owned", Impact.RESTART, name, "", ())
        for name, value in sorted(before.items())
        if name not in names
    ]
    kept, left = [], []
    for field in (*declared, *more):
        if _is_ours(field, now):
            kept.append(field)
        elif field.name in names or now.applied.get(field.name) is not None:
            left.append(field)
    return tuple(kept), left


def _is_ours(field: Field, now: _Now) -> bool:
    """Whether an element is still as we left it, so that it may be put back."""
    element = now.document.get(field.name)
    if field.secret is not None or field.ownership in ONCE:
        return True
    if element is not None and element.encrypted:
        return True  # it cannot be compared, and a merge leaves it alone
    value = _value(now.document, field.name)
    if value == field.value:
        return True
    known = now.applied.get(field.name, WRITTEN_ONCE)
    if known in (WRITTEN_ONCE, SECRET):
        return False
    return known == element_digest(value) or spelling_key(field.name, value, known) in now.spelled


def _left_note(resource: Resource, field: Field, document: PbxXml) -> Note:
    return Note(
        LEFT,
        "warning",
        resource.instance,
        f"{field.name} was changed since, by the PBX or a person, and is left as it is: "
        f"{_shown(_value(document, field.name))}, the generation has {_shown(field.value)}",
        "set it by hand, or declare it, if the old value is meant",
        resource.id,
    )


def _shown(value: str | None) -> str:
    return "absent" if value is None else repr(value)


def _live_document(view: HostView, path: HostPath) -> PbxXml | None:
    try:
        return _document(view.read(path))
    except HostError:
        return None


def _document(content: bytes | None) -> PbxXml | None:
    try:
        return None if content is None else read(content)
    except PbxXmlError:
        return None


def _value(document: PbxXml, name: str) -> str | None:
    element = document.get(name)
    return None if element is None else element.value
