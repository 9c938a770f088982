"""Drift becomes the declaration: the smallest edits of desired/ that say what the host has now.

Edits are believed only once the edited fleet was read, resolved and checked: every adopted value is then
the declared one, and no instance has another value that was not named. What fails that is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import NamedTuple

from pbxfleet.app.adopt_layers import Fleet as Known
from pbxfleet.app.adopt_layers import chosen
from pbxfleet.app.adopt_wishes import Words, found_in
from pbxfleet.app.fleet import Fleet
from pbxfleet.app.live import Live, look
from pbxfleet.core.diagnostics import Severity
from pbxfleet.model.adopting import Adoption, AdoptLayer, LeftOut, Wish
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.resolved import Resolved, ResolvedInstance
from pbxfleet.pbx.meaning import without_spelling
from pbxfleet.plan.drift import drift_items
from pbxfleet.source.edit import value_at, with_value
from pbxfleet.source.load import load

IN_THE_WAY = "no edit of desired/ settles it: the plan tells what to do"
BY_HAND = "no single edit of {file} can say it: write {keys} = {value} yourself"


class Proposal(NamedTuple):
    """What `drift --adopt` proposes. `files` are the edited files by name; `before` as they are now.

    `fleet` has the diagnostics where desired/ has errors: nothing is proposed then.
    """

    host: str
    adoptions: tuple[Adoption, ...]
    left_out: tuple[LeftOut, ...]
    before: Mapping[str, bytes]
    files: Mapping[str, bytes]
    fleet: Fleet

    @property
    def patch(self) -> str:
        """The edits as a unified diff, which `git apply` and `patch -p1` take; "" if there are none."""
        return "".join(
            _diff(name, self.before[name], self.files[name]) for name in sorted(self.files)
        )


def adopt_drift(live: Live, repository: str, layer: AdoptLayer | None) -> Proposal:
    """Propose edits for everything that drifted on the host; nothing is written.

    `layer` says where values are written; without it, where no other instance is touched.
    """
    from pbxfleet.app.reading import read_fleet

    host = live.target.host
    fleet = read_fleet(repository)
    if fleet.desired is None or fleet.resolved is None:
        return Proposal(host, (), (), {}, {}, fleet)
    looked = look(live)
    known = Known(fleet.desired, fleet.resolved)
    own = next(one for one in fleet.resolved.hosts if one.name == host)
    elements = {role: name.value for role, name in fleet.desired.fleet.catalogue.items()}
    words = Words(elements, {instance.name: instance for instance in own.instances})
    found = found_in(looked.difference, words)
    choice = chosen(known, host, found.wishes, layer)
    left_out = [*found.left_out, *choice.left_out]
    known_of = {w.resource for w in found.wishes} | {one.resource for one in found.left_out}
    left_out += _of_machine(drift_items(looked.difference, looked.observed), known_of)
    done = written(fleet, choice.adoptions, layer)
    left_out += done.left_out
    changed = {name: new for name, new in done.files.items() if new != fleet.files[name]}
    before = {name: fleet.files[name] for name in changed}
    return Proposal(host, done.adoptions, tuple(sorted(set(left_out))), before, changed, fleet)


def _of_machine(items: Iterable[DriftItem], known: Collection[str]) -> Iterator[LeftOut]:
    """Drift that is no field of a declared resource: strays, foreign listeners, files that do not read.

    `known` are resources of which something is said already.
    """
    for item in items:
        if item.kind in ("extra", "runtime") and " " in item.name:
            yield LeftOut(item.instance, item.resource, item.name, "it is not a declared value")
        elif item.resource not in known:
            yield LeftOut(item.instance, item.resource, item.name, IN_THE_WAY)


class Written(NamedTuple):
    """The edits that hold, what does not, and all files with the edits in them."""

    adoptions: tuple[Adoption, ...]
    left_out: tuple[LeftOut, ...]
    files: Mapping[str, bytes]


def written(fleet: Fleet, adoptions: Sequence[Adoption], layer: AdoptLayer | None) -> Written:
    """The edits that hold together; if they do not, as many of them as hold, in halves of halves."""
    by_hand = _edited(fleet.files, adoptions).left_out
    refused: list[LeftOut] = []

    def holding(kept: Sequence[Adoption], group: Sequence[Adoption]) -> Sequence[Adoption]:
        result = _judged(fleet, _edited(fleet.files, [*kept, *group]), layer)
        if not result.left_out:
            return result.adoptions
        if len(group) == 1:
            own = {(wish.instance, wish.name) for wish in group[0].wishes}
            why = [one for one in result.left_out if (one.instance, one.name) in own]
            refused.extend(why or _refused(group[0], "it does not go together with the others"))
            return kept
        half = len(group) // 2
        return holding(holding(kept, group[:half]), group[half:])

    kept = holding((), adoptions) if adoptions else ()
    return Written(tuple(kept), (*by_hand, *refused), _edited(fleet.files, kept).files)


def _edited(files: Mapping[str, bytes], adoptions: Sequence[Adoption]) -> Written:
    """The files with all edits that can be written."""
    now = dict(files)
    done: list[Adoption] = []
    left_out: list[LeftOut] = []
    for adoption in adoptions:
        keys = _to_value(adoption.file, now[adoption.file], adoption.keys)
        edited = with_value(adoption.file, now[adoption.file], keys, adoption.value)
        if edited is None:
            left_out += _refused(adoption, _by_hand(adoption))
            continue
        now[adoption.file] = edited
        done.append(adoption._replace(keys=keys))
    return Written(tuple(done), tuple(left_out), now)


def _by_hand(adoption: Adoption) -> str:
    keys = ".".join(adoption.keys)
    return BY_HAND.format(file=adoption.file, keys=keys, value=repr(adoption.value))


def _refused(adoption: Adoption, why: str) -> list[LeftOut]:
    return [LeftOut(w.instance, w.resource, w.name, why) for w in adoption.wishes]


def _to_value(file: str, content: bytes, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys, or those of the value in it where a setting is written as a table."""
    read = load(file, content).value
    inner = (*keys, "value")
    return inner if read is not None and value_at(read, inner) is not None else keys


def _judged(fleet: Fleet, edited: Written, layer: AdoptLayer | None) -> Written:
    """What of the edits holds in the edited fleet; `others` are filled in."""
    from pbxfleet.app.reading import understood

    if not edited.adoptions:
        return edited._replace(left_out=())
    now = understood(edited.files)
    errors = [d for d in now.diagnostics if d.severity is Severity.ERROR]
    if now.resolved is None or fleet.resolved is None:
        why = f"the fleet would have errors: {errors[0].code}, {errors[0].message}"
        left_out = [one for a in edited.adoptions for one in _refused(a, why)]
        return Written((), tuple(left_out), fleet.files)
    before, after = _instances(fleet.resolved), _instances(now.resolved)
    wished = {(w.instance, w.keys) for one in edited.adoptions for w in one.wishes}
    adoptions = [_with_others(one, wished, before, after) for one in edited.adoptions]
    if (
        layer is not None
    ):  # what follows in other instances, such as the address of a peer, is named
        adoptions = [_with_all(one, adoptions, before, after) for one in adoptions]
    named = {name for one in adoptions for name in (*_wishing(one), *one.others)}
    unnamed = sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))
    unnamed = [name for name in unnamed if name not in named]
    refused = [r for one in adoptions for r in _refused(one, _fault(one, after, layer, unnamed))]
    kept = tuple(one for one in adoptions if not _fault(one, after, layer, unnamed))
    return Written(kept, tuple(r for r in refused if r.why), edited.files)


def _with_others(
    one: Adoption,
    wished: Collection[tuple[str, tuple[str, ...]]],
    before: Mapping[str, ResolvedInstance],
    after: Mapping[str, ResolvedInstance],
) -> Adoption:
    """The adoption with the instances that get another value by it and have not drifted to it."""
    keys = one.wishes[0].keys
    changed = (n for n in after if n in before and _said(before[n], keys) != _said(after[n], keys))
    return one._replace(others=tuple(sorted(n for n in changed if (n, keys) not in wished)))


def _with_all(
    one: Adoption,
    adoptions: Sequence[Adoption],
    before: Mapping[str, ResolvedInstance],
    after: Mapping[str, ResolvedInstance],
) -> Adoption:
    wishing = {name for other in adoptions for name in _wishing(other)}
    changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    return one._replace(others=tuple(sorted({*one.others, *(changed - wishing)})))


def _wishing(one: Adoption) -> set[str]:
    return {wish.instance for wish in one.wishes}


def _fault(
    one: Adoption,
    after: Mapping[str, ResolvedInstance],
    layer: AdoptLayer | None,
    unnamed: Sequence[str],
) -> str:
    """Why the edit must not be made, "" if it may."""
    if not all(_has(after[wish.instance], wish) for wish in one.wishes):
        return "a nearer layer says otherwise"
    touched = [*unnamed, *(one.others if layer is None else ())]
    return f"it would change {', '.join(touched)}: name a layer with --layer" if touched else ""


def _instances(resolved: Resolved) -> dict[str, ResolvedInstance]:
    return {instance.name: instance for host in resolved.hosts for instance in host.instances}


def _has(instance: ResolvedInstance, wish: Wish) -> bool:
    """Whether the instance is declared as the wish says; the binds of a listener are spelled anew."""
    said = _said(instance, wish.keys)
    if wish.keys[0] == "listen":
        return isinstance(said, str) and without_spelling(said) == without_spelling(wish.live)
    return said == wish.value


def _said(instance: ResolvedInstance, keys: tuple[str, ...]) -> object:
    """What these keys of the layers come to for an instance."""
    simple: dict[str, object] = {
        "release": instance.release.name,
        "cpu": "off" if instance.cpu is None else str(instance.cpu.value),
        "rtp": None if instance.rtp is None else str(instance.rtp.value),
    }
    if keys[0] in simple:
        return simple[keys[0]]
    label = ".".join(keys)
    return next((s.value for s in instance.settings if s.label == label), None)


def _diff(name: str, before: bytes, after: bytes) -> str:
    old, new = (text.decode("utf-8").split("\n") for text in (before, after))
    lines = unified_diff(_with_ends(old), _with_ends(new), f"a/{name}", f"b/{name}", lineterm="\n")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _with_ends(parts: list[str]) -> list[str]:
    *whole, rest = parts
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])
