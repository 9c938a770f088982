"""Change the ledger explicitly: rename, move, give back; only the lines that are meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from pbxfleet.app.reading import LEDGER, read_fleet
from pbxfleet.core.diagnostics import Severity, did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.host.disk import read_file, write_file
from pbxfleet.model.resolved import Ledger, Resource, Thing
from pbxfleet.resolve import resolve_and_check
from pbxfleet.resolve.allocate_edit import given, holders, reallocated, released, renamed
from pbxfleet.resolve.ledger_text import ledger_text
from pbxfleet.schema import read_ledger_file
from pbxfleet.schema.ledger_values import canonical

_OF_THE_WISH = ("ALC102", "ALC104")
_NAME = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Changed(NamedTuple):
    """One thing of a host, who held it and who holds it now; nobody is an empty tuple."""

    host: str
    thing: Thing
    before: tuple[str, ...]
    after: tuple[str, ...]


class Moved(NamedTuple):
    """What a move changes in the ledger, and what is to be done beside it."""

    changes: tuple[Changed, ...]
    notes: tuple[str, ...]


def rename(repository: str, old: str, new: str, *, check: bool = False) -> Moved:
    """What `old` holds is held by `new` from now on. Raises Refused, also below."""
    before = _ledger(repository)
    _known(old, {*before.allocations, *before.tombstones}, "holds nothing")
    if not _NAME.fullmatch(new):
        raise Refused(f'"{new}" is no name of an instance')
    if new in before.allocations or new in before.tombstones:
        raise Refused(
            f"{new} holds something already",
            hint=f"pbxfleet move --reallocate {new} gives that back first",
        )
    notes = [f"rename the file of {old} in desired/instances/ to {new}, then pbxfleet compile"]
    notes.append("a directory on the host does not move along: look at the plan")
    return _write(repository, before, renamed(before, old, new), (old, new), notes, check=check)


def release(repository: str, names: Sequence[str], *, check: bool = False) -> Moved:
    """Give back what instances hold that are gone."""
    before = _ledger(repository)
    for name in names:
        if name in before.allocations:
            raise Refused(
                f"{name} is not known to be gone",
                hint="remove its file and compile; or pbxfleet move --reallocate gives back what an "
                "instance holds that stays",
            )
        _known(name, before.tombstones, "is no tombstone")
    return _write(repository, before, released(before, names), names, (), check=check)


def reallocate(repository: str, name: str, only: str | None, *, check: bool = False) -> Moved:
    """Take what an instance holds out of the ledger; the next compile hands out something."""
    before = _ledger(repository)
    _known(name, before.allocations, "holds nothing")
    resource = None if only is None else Resource(only)
    after = reallocated(before, name, resource)
    notes = ("pbxfleet compile hands out the lowest that is free then",)
    return _write(repository, before, after, (name,), notes, check=check)


def give(repository: str, name: str, wishes: Sequence[Thing], *, check: bool = False) -> Moved:
    """Let an instance hold these things instead of what was handed out to it."""
    before = _ledger(repository)
    _known(name, before.allocations, "holds nothing")
    things = [_canonical(thing) for thing in wishes]
    after = given(before, name, things)
    if isinstance(after, str):
        raise Refused(after)
    _must_hold(repository, after, name, things)
    seen = any(thing.resource not in (Resource.CORE, Resource.NUMBER) for thing in things)
    notes = ("DNS, phones and firewalls have to follow",) if seen else ()
    return _write(repository, before, after, (name,), notes, check=check)


def _canonical(thing: Thing) -> Thing:
    text = canonical(thing.resource, thing.text)
    if not text:
        raise Refused(
            f'"{thing.text}" names nothing of {thing.resource.value}',
            hint="pbxfleet move --help shows what is written where",
        )
    return Thing(thing.resource, text)


def _ledger(repository: str) -> Ledger:
    content = read_file(f"{repository}/{LEDGER}")
    if content is None:
        raise Refused(
            f"there is no {LEDGER}", hint="pbxfleet compile writes it with the first auto"
        )
    read = read_ledger_file(LEDGER, content)
    if read.value is None:
        first = read.errors[0]
        raise Refused(f"{first.span}: {first.message}", hint=first.hint, code=first.code)
    return read.value


def _known(name: str, names: Collection[str], what: str) -> None:
    if name not in names:
        raise Refused(f"{name} {what} in {LEDGER}", hint=did_you_mean(name, names))


def _must_hold(repository: str, after: Ledger, name: str, things: Collection[Thing]) -> None:
    """Refuse what the fleet would refuse with this ledger, or overrule."""
    fleet = read_fleet(repository)
    if fleet.desired is None:
        raise Refused("the files of the fleet have errors", hint="pbxfleet validate shows them")
    known = {d.message for d in fleet.diagnostics if d.severity is Severity.ERROR}
    resolution = resolve_and_check(fleet.desired, fleet.references, after)
    for error in resolution.outcome.errors:
        if error.message not in known:
            # Their own hints are for a ledger that is there; this one is a wish, and not written.
            hint = "choose another one" if error.code in _OF_THE_WISH else error.hint
            raise Refused(error.message, hint=hint, code=error.code)
    entry = resolution.ledger.allocations.get(name)
    held = set() if entry is None else set(entry.handed_out)
    for thing in things:
        if thing not in held:
            raise Refused(
                f"{thing.words} would not be that of {name}: its files say something else",
                hint="only what auto stands for is moved here; the rest is changed in its file",
            )


def _write(
    repository: str,
    before: Ledger,
    after: Ledger,
    names: Collection[str],
    notes: Sequence[str],
    *,
    check: bool,
) -> Moved:
    old, new = holders(before), holders(after)
    keys = sorted({*old, *new}, key=_order)
    found = (Changed(host, thing, old.get((host, thing), ()), new.get((host, thing), ()))
             for host, thing in keys)  # fmt: skip
    changes = tuple(one for one in found if one.before != one.after)
    content = read_file(f"{repository}/{LEDGER}") or b""
    text = ledger_text(after)
    _only_theirs(content.decode(), text.decode(), names)
    if not check and text != content:
        write_file(f"{repository}/{LEDGER}", text, 0o644)
    return Moved(changes, tuple(notes))


def _order(key: tuple[str, Thing]) -> tuple[str, str, int, int, str]:
    host, (resource, text) = key
    if resource is Resource.ADDRESS:
        address = ip_address(text)
        return host, resource.value, address.version, int(address), text
    return host, resource.value, 0, int(text.partition("-")[0]), text


def _only_theirs(old: str, new: str, names: Collection[str]) -> None:
    """Refuse to touch the line of anybody else: those of a ledger that compile has not written yet."""
    lines = {*old.splitlines()} ^ {*new.splitlines()}
    entries = [line for line in lines if " = " in line and not line.startswith("#")]
    for line in sorted(entries):
        if not any(
            f'"{n}"' in line or f'"{n} ' in line or line.startswith(f"{n} =") for n in names
        ):
            raise Refused(
                f"{LEDGER} is not as compile writes it: {line}",
                hint="pbxfleet compile first; if that refuses too, change the lines by hand",
            )
