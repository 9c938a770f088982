"""Drift in the words of the format: which key of desired/ says the live value, if any does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pbxfleet.model.adopting import LeftOut, Wish
from pbxfleet.model.desired import Role, SecretRef
from pbxfleet.model.plan import Change, FieldDelta
from pbxfleet.model.resolved import ResolvedInstance, ResolvedSetting
from pbxfleet.model.runtime import CPU
from pbxfleet.model.target import Kind
from pbxfleet.pbx.binds import BindError, format_binds, parse_binds
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.pbx.meaning import without_spelling
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.drift import MOVED
from pbxfleet.plan.releases import How

NEVER = "a secret is never adopted: change the secret itself, or let apply put it back"
GONE = "the element is gone: say it in unset, or let apply put it back"
UNSET = "it is removed on purpose (unset): take it out of that list by hand"
FOLLOWS = "it follows from the address of the instance: change that"
HALF = "only one end of the range was changed, and the range is not one any more"
EVERYWHERE = "it listens on every address of the machine, which no declaration may"
ELEMENTS = ("settings", "listen")  # keys that stand for one element of pbx.xml each
NO_KEY = {
    "mode": "modes and owners of managed files are pbxfleet's own: no key says them",
    "owner": "modes and owners of managed files are pbxfleet's own: no key says them",
    "content": "the whole file is rendered: change what it is made from (explain tells what that is)",
    "enabled": "every declared instance is enabled: no key says otherwise",
    "running": "every declared instance runs: no key says otherwise",
    "exists": "every declared resource is there: remove what declares it",
}
NOTHING = "no key of the fleet says it"


class Found(NamedTuple):
    """What can be declared, and what cannot."""

    wishes: tuple[Wish, ...]
    left_out: tuple[LeftOut, ...]


class Words(NamedTuple):
    """What the format calls things: elements by role, and the instances of the host by name."""

    elements: Mapping[Role, str]
    instances: Mapping[str, ResolvedInstance]


def found_in(difference: Difference, words: Words) -> Found:
    """The drift of a host, in order of instance and name."""
    wishes: list[Wish] = []
    left_out: list[LeftOut] = []
    for one in _all(difference, words):
        if isinstance(one, Wish):
            wishes.append(one)
        else:
            left_out.append(one)
    return Found(tuple(sorted(set(wishes))), tuple(sorted(set(left_out))))


def _all(difference: Difference, words: Words) -> Iterator[Wish | LeftOut]:
    replaced = {s.instance: s for s in difference.switches if s.how is How.REPLACED}
    for change in difference.changes:
        instance = words.instances.get(change.instance)
        moved = [field for field in change.fields if field.status in MOVED]
        if change.kind is Kind.ARTEFACT and change.instance in replaced:
            continue
        if change.kind is Kind.SETTINGS and instance is not None:
            yield from _settings(change, moved, instance, words)
            continue
        for field in moved:
            if field.name != "process":
                yield _of_host(change, field, instance)
    for name, switch in sorted(replaced.items()):
        instance = words.instances[name]
        if switch.before:
            place = instance.release_origin
            keys = ("release",)
            yield Wish(name, switch.resource, "release", keys, switch.before, place)
        else:
            why = "these are the files of a release that fleet.toml does not declare"
            yield LeftOut(name, switch.resource, "release", why)


def _of_host(
    change: Change, field: FieldDelta, instance: ResolvedInstance | None
) -> Wish | LeftOut:
    core = field.before or ""
    if instance is not None and field.name == CPU and instance.cpu is not None:
        if core.isdecimal():
            origin = instance.cpu.origin
            return Wish(instance.name, change.resource, CPU, ("cpu",), core, origin)
        why = "it runs on several cores, and the fleet pins an instance to one"
        return LeftOut(instance.name, change.resource, CPU, why)
    why = NO_KEY.get(field.name, NOTHING)
    return LeftOut(change.instance, change.resource, field.name, why)


def _settings(
    change: Change, moved: Iterable[FieldDelta], instance: ResolvedInstance, words: Words
) -> Iterator[Wish | LeftOut]:
    declared = {setting.name: setting for setting in instance.settings}
    live = {field.name: field.before for field in moved}
    for field in moved:
        keys, value, why = _said(declared[field.name], live, instance, words)
        if why:
            yield LeftOut(instance.name, change.resource, field.name, why)
        else:
            origin = declared[field.name].origin
            element = live[field.name] if keys[0] in ELEMENTS else ""
            yield Wish(
                instance.name, change.resource, field.name, keys, value, origin, element or ""
            )


_Said = tuple[tuple[str, ...], str, str]  # keys, value, and why there are none


def _said(
    setting: ResolvedSetting,
    live: Mapping[str, str | None],
    instance: ResolvedInstance,
    words: Words,
) -> _Said:
    value, label = live[setting.name], setting.label
    row = SETTINGS.get(setting.name)
    if isinstance(setting.value, SecretRef) or value == "(secret)" or (row and row.secret):
        return (), "", NEVER
    if value is None:
        return (), "", GONE
    if setting.value is None:
        return (), "", UNSET
    if label.startswith("settings."):
        return ("settings", setting.name), _spelled(setting.value, value), ""
    if label.startswith("listen."):
        return _listener(label.removeprefix("listen."), value, instance)
    if label == "rtp":
        return _range(live, instance, words)
    if label == "cpu":
        return _core(value)
    return (), "", FOLLOWS if label == "address" else NOTHING


def _spelled(declared: str, live: str) -> str:
    """The live value; of numbers and truth values as people write them, however the PBX spells it."""
    plain = without_spelling(live)
    own = without_spelling(declared)
    if (plain.isdecimal() and own.isdecimal()) or {plain, own} <= {"true", "false"}:
        return plain
    return live


def _listener(role: str, live: str, instance: ResolvedInstance) -> _Said:
    """A port where that says it all, else binds."""
    if not live.strip():
        return ("listen", role), "off", ""
    try:
        binds = parse_binds(live)
    except BindError as error:
        return (), "", f"it cannot be read as binds: {error.message}"
    if any(bind.is_wildcard for bind in binds):
        return (), "", EVERYWHERE
    ports = {bind.port for bind in binds}
    own = {address.value for address in instance.addresses}
    if len(ports) == 1 and {bind.address for bind in binds} == own:
        return ("listen", role), str(ports.pop()), ""
    return ("listen", role), format_binds(binds), ""


def _range(live: Mapping[str, str | None], instance: ResolvedInstance, words: Words) -> _Said:
    now = {setting.name: setting.value for setting in instance.settings} | dict(live)
    ends = [now.get(words.elements.get(role, "")) for role in (Role.RTP_START, Role.RTP_END)]
    numbers = [int(e) for e in ends if isinstance(e, str) and e.strip().isdecimal()]
    if len(numbers) != 2 or numbers[0] > numbers[1]:
        return (), "", HALF
    return ("rtp",), f"{numbers[0]}-{numbers[1]}", ""


def _core(mask: str) -> _Said:
    """The one core of a mask that the PBX pins itself by."""
    text = mask.strip()
    bits = int(text) if text.isdecimal() else 0
    if bits and bits & (bits - 1) == 0:
        return ("cpu",), str(bits.bit_length() - 1), ""
    return ("cpu",), "off", "" if not bits else "the mask has several cores"
