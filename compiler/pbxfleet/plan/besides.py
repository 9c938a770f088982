"""What is declared otherwise without a change of a file or setting: told beside the changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from pbxfleet.model.ignoring import LEFT_ALONE
from pbxfleet.model.plan import Change, FieldDelta, Note, Status, Verb
from pbxfleet.model.policy import Rules
from pbxfleet.model.revisions import NO_LONGER
from pbxfleet.model.runtime import listener_name
from pbxfleet.model.target import SEEDED, Field, Impact, InstanceTarget, Kind, Resource, Target
from pbxfleet.plan.files import octal

ReadFields = Callable[[str], tuple[Field, ...]]

SECRET_VALUE = "(secret)"  # noqa: S105 - a word, not a value
# Of an instance: what its files, settings and service say already. The place where it stands is no fact.
TOLD = frozenset(("name", "origin", "listeners", "executable_digest"))
# Of a host: what is told elsewhere, what is different after every compile, and what only drift asks for.
HOST_TOLD = frozenset(
    ("host", "instances", "resources", "releases", "inputs", "digest", "rules", "other_roles")
)


class Applied(NamedTuple):
    """A target with its settings, which `fields` reads by the name of an instance."""

    target: Target
    fields: ReadFields


def left_alone(
    before: Applied, after: Applied, found: Iterable[Change], ignored: Iterable[Note] = ()
) -> Iterator[Change]:
    """Differences of resources that are in both targets, of which neither `found` nor `ignored` tells."""
    shown: dict[str, set[str]] = {}
    for change in found:
        shown.setdefault(change.resource, set()).update(f.name for f in change.fields)
    for note in ignored:
        shown.setdefault(note.resource, set()).add(note.name)
    for id_, new in after.target.resources.items():
        old = before.target.resources.get(id_)
        if old is None:
            continue
        known = shown.get(id_, set())
        if new.kind is Kind.SETTINGS and new.fields_digest != old.fields_digest:
            yield from _settings(
                new, before.fields(old.instance), after.fields(new.instance), known
            )
        elif fields := [d for d in _attributes(old, new) if d.name not in known]:
            yield _kept(new, "nothing on the host changes", fields)


def _settings(
    resource: Resource, before: Iterable[Field], after: Iterable[Field], known: set[str]
) -> Iterator[Change]:
    old, new = {f.name: f for f in before}, {f.name: f for f in after}
    reasons: dict[str, list[FieldDelta]] = {}
    for name in sorted(old.keys() | new.keys()):
        if name in known or _alike(old.get(name), new.get(name)):
            continue
        delta = _delta(name, old.get(name), new.get(name))
        reasons.setdefault(_why(old.get(name), new.get(name)), []).append(delta)
    for reason, fields in reasons.items():
        yield _kept(resource, reason, fields)


def _alike(old: Field | None, new: Field | None) -> bool:
    """A rule of [[ignore]] that begins or ends declares no setting otherwise; it is told by itself."""
    if old is None or new is None or (old.value, old.secret) != (new.value, new.secret):
        return False
    return old.ownership == new.ownership or LEFT_ALONE in (old.ownership, new.ownership)


def _why(old: Field | None, new: Field | None) -> str:
    if new is None:
        return NO_LONGER
    if new.secret is not None:
        return "a secret is declared but not written"
    if new.ownership == SEEDED:
        return "seeded: written once, an instance that has it keeps its own"
    if old is not None and old.value == new.value and old.secret is None:
        return f"now {new.ownership}, with the same value"
    return "means the same: nothing is written"


def _delta(name: str, old: Field | None, new: Field | None) -> FieldDelta:
    one = new or old
    origin = one.origin if one is not None else ""
    return FieldDelta(name, _value(old), _value(new), Status.PENDING, origin)


def _value(field: Field | None) -> str | None:
    if field is None:
        return None
    return SECRET_VALUE if field.secret is not None else field.value


def _attributes(old: Resource, new: Resource) -> Iterator[FieldDelta]:
    compared = (
        ("mode", octal(old.mode), octal(new.mode)),
        ("owner", old.owner, new.owner),
        ("source", old.source, new.source),
    )
    origin = new.origin[0] if new.origin else ""
    for name, before, after in compared:
        if before != after:
            yield FieldDelta(name, before, after, Status.PENDING, origin)


def _kept(resource: Resource, reason: str, fields: Iterable[FieldDelta]) -> Change:
    return Change(
        resource.id,
        resource.kind,
        resource.instance,
        resource.path,
        Status.PENDING,
        Verb.KEEP,
        Impact.NONE,
        reason,
        tuple(fields),
        resource.origin,
    )


def instance_facts(
    old: InstanceTarget, new: InstanceTarget, found: Iterable[Change]
) -> tuple[FieldDelta, ...]:
    """What is declared otherwise of a running instance, but for the names that `found` has already."""
    known = {f.name for change in found for f in change.fields}
    before, after = _instance_facts(old), _instance_facts(new)
    return _deltas(before, after, known, new.origin)


def host_facts(old: Target, new: Target) -> tuple[FieldDelta, ...]:
    """What is declared otherwise of the host as such."""
    before, after = _host_facts(old), _host_facts(new)
    return _deltas(before, after, frozenset(), "")


def _instance_facts(instance: InstanceTarget) -> dict[str, str]:
    facts = _facts(instance._asdict(), TOLD)
    facts |= {listener_name(*s.bind): s.role or "listening" for s in instance.listeners}
    return facts


def _host_facts(target: Target) -> dict[str, str]:
    facts = _facts(target._asdict(), HOST_TOLD)
    for release, told in target.releases.items():
        facts |= {f"release {release} {n}": _text(v) for n, v in told._asdict().items()}
    return facts | _rules_facts(target.rules)


def _rules_facts(rules: Rules) -> dict[str, str]:
    """What policy says, and each rule that concerns the host by itself."""
    facts = {
        "policy.restart_budget": _text(rules.restart_budget),
        "policy.removals": rules.removals,
        "policy, as warnings": _text(rules.warned),
    }
    for known in rules.acknowledged:
        facts[f"acknowledged {known.code} {known.what}"] = f"until {known.expires}: {known.reason}"
    for rule in rules.ignored:
        of = f" of {rule.instance}" if rule.instance else ""
        kind = f" ({rule.kind})" if rule.kind else ""
        said = f"until {rule.expires}: {rule.reason}"
        facts[f"ignored {rule.what} {rule.pattern}{kind}{of}"] = said
    return facts


def _facts(declared: Mapping[str, object], besides: frozenset[str]) -> dict[str, str]:
    """By name; each address by itself, so that of a long list only what differs is shown."""
    facts = {n: _text(v) for n, v in declared.items() if n not in besides and n != "addresses"}
    addresses = declared["addresses"]
    assert isinstance(addresses, (tuple, list))
    return facts | {f"address {address}": "declared" for address in addresses}


def _text(value: object) -> str:
    """A declared value in a word or two; "" for nothing."""
    if hasattr(value, "_asdict"):
        return ", ".join(f"{name} {_text(one)}" for name, one in value._asdict().items())
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def _deltas(
    before: Mapping[str, str], after: Mapping[str, str], known: Iterable[str], origin: str
) -> tuple[FieldDelta, ...]:
    known = {*known}
    return tuple(
        FieldDelta(name, before.get(name) or None, after.get(name) or None, Status.PENDING, origin)
        for name in sorted(before.keys() | after.keys())
        if name not in known and (before.get(name) or None) != (after.get(name) or None)
    )
