"""What turns one target into another: what plan would say on a host where the first is applied and runs.

The observed host and its records are made from the target that was there before, and the comparison is
plan's own. What plan leaves alone and a reader should know stands beside it with the action `keep`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.model.applied import AppliedRecord, AppliedResource, Proof, as_remembered
from pbxfleet.model.asking import NO_LOGIN
from pbxfleet.model.elements import remembered
from pbxfleet.model.ignoring import NOTHING_IGNORED, Ignoring
from pbxfleet.model.observed import (
    Observed,
    ProcessSeen,
    RuntimeSeen,
    Seen,
    ServiceSeen,
    SettingsSeen,
    SocketSeen,
    What,
)
from pbxfleet.model.plan import Change, Note, Status, Verb
from pbxfleet.model.target import Field, Impact, InstanceTarget, Kind, Resource, Target
from pbxfleet.pbx.live import may_be_live
from pbxfleet.plan.besides import Applied, left_alone
from pbxfleet.plan.diff import KINDS, by_instance, diff
from pbxfleet.plan.files import REASONS
from pbxfleet.plan.ignored import IGNORED

NOT_DECLARED = "(not declared)"
PID = 1  # of whatever runs: nobody asks for it
NOTHING_THERE: tuple[Resource, ...] = ()


class Between(NamedTuple):
    """Changes by instance in order, those that apply leaves alone among them, and what forbids applying.

    `ignored` are notes about differences that rules of [[ignore]] take out of every plan.
    """

    changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    ignored: tuple[Note, ...] = ()


def between(before: Applied, after: Applied, ignoring: Ignoring = NOTHING_IGNORED) -> Between:
    """Changes of a host on which `before` is applied and runs, and which shall have `after`.

    A setting changes live if the PBX is known to take it while it runs and `after` declares a login for
    it; whether this one does, only the host can tell. `ignoring` are the rules of `after` that hold.
    """
    names = changed_waves(before.target, after.target)
    before, after = _only(before, names), _only(after, names)
    resources = by_instance(before.target)
    records = {
        name: _record(name, resources.get(name, NOTHING_THERE), before)
        for name in ("", *before.target.instances)
    }
    found = diff(after.target, _observed(before, after), records, after.fields, ignoring)
    ignored = tuple(note for note in found.notes if note.code == IGNORED)
    beside = left_alone(before, after, found.changes, ignored)
    changes = [*map(_in_our_words, found.changes), *beside]
    changes.sort(key=lambda c: (c.instance, KINDS.index(c.kind), c.resource, c.action))
    # Warnings are said in every plan of the host, so they are no news; what blocks one is.
    forbids = tuple(note for note in found.notes if note.severity == "error")
    return Between(tuple(changes), forbids, ignored)


def _in_our_words(change: Change) -> Change:
    """No host was looked at, so that nothing can be said of what is applied there."""
    ours = "newly declared" if change.action is Verb.CREATE else "declared otherwise"
    return change._replace(reason=change.reason.replace(REASONS[Status.PENDING], ours))


def changed_waves(before: Target, after: Target) -> frozenset[str]:
    """Instances of which anything is declared otherwise, but for the place where; "" is the host."""
    old, new = _comparable(before), _comparable(after)
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _comparable(target: Target) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, resources in by_instance(target).items():
        declared = as_remembered(target.instances.get(name))
        found[name] = declared, [r._replace(impact=Impact.NONE, origin=()) for r in resources]
    return found


def _only(applied: Applied, names: Collection[str]) -> Applied:
    target = applied.target
    instances = {name: i for name, i in target.instances.items() if name in names}
    resources = {id_: r for id_, r in target.resources.items() if r.instance in names}
    return applied._replace(target=target._replace(instances=instances, resources=resources))


def _observed(before: Applied, after: Applied) -> Observed:
    """The host on which `before` is applied and runs."""
    seen: dict[str, Seen] = {}
    settings: dict[str, SettingsSeen] = {}
    same: set[str] = set()
    now = after.target.resources
    for id_, resource in before.target.resources.items():
        if resource.kind is Kind.SERVICE:
            continue
        what = What.DIRECTORY if resource.kind is Kind.DIRECTORY else What.FILE
        seen[id_] = Seen(what, resource.mode or 0, resource.owner, 0, resource.digest)
        if resource.kind is not Kind.SETTINGS or id_ not in now:
            continue
        if now[id_].fields_digest == resource.fields_digest:
            same.add(id_)
        else:
            name = now[id_].instance
            login = after.target.instances[name].api is not None
            settings[id_] = _settings(before.fields(name), after.fields(name), login=login)
    instances = before.target.instances
    return Observed(
        seen=seen,
        settings=settings,
        same_as_applied=frozenset(same),
        services={
            name: ServiceSeen(name in instances, name in instances, name in instances, None)
            for name in (*after.target.instances, *instances)
        },
        runtime={name: _running(instance) for name, instance in instances.items()},
        foreign=(),
        strays=(),
        facts=None,
        runs_services=True,
        owners_matter=True,
    )


def _settings(before: Sequence[Field], after: Sequence[Field], *, login: bool) -> SettingsSeen:
    """A pbx.xml that has what was declared; of the rest nobody knows what the PBX has there.

    Without a login nothing can be given to the running process, whatever the PBX takes.
    """
    values = {f.name: f.value for f in before}
    values |= {f.name: NOT_DECLARED for f in after if f.name not in values}
    live = frozenset(f.name for f in after if may_be_live(f)) if login else frozenset()
    return SettingsSeen(values, frozenset(), "", live=live, why_not_live="" if login else NO_LOGIN)


def _running(instance: InstanceTarget) -> RuntimeSeen:
    cores = () if instance.cpu is None else (instance.cpu,)
    sockets = tuple(
        SocketSeen("tcp" if s.protocol == "any" else s.protocol, s.address, s.port, PID)
        for s in instance.listeners
    )
    return RuntimeSeen((ProcessSeen((PID,), 0, cores, False, sockets),), "")


def _record(name: str, resources: Iterable[Resource], before: Applied) -> AppliedRecord:
    return AppliedRecord(
        name,
        as_remembered(before.target.instances.get(name)),
        {r.id: _applied(r, before) for r in resources},
        Proof(()),
    )


def _applied(resource: Resource, before: Applied) -> AppliedResource:
    fields: Mapping[str, str | None] = {}
    if resource.kind is Kind.SETTINGS:
        fields = {f.name: remembered(f) for f in before.fields(resource.instance)}
    kept = resource.path, resource.digest, resource.mode, resource.owner, resource.fields_digest
    return AppliedResource(str(resource.kind), *kept, fields, None)
