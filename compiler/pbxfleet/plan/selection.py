"""A plan for a part of a host: what belongs together stays together, and the rest is left for later.

An instance's *core* is its directory, release files, pbx.xml, service and every file that costs a
restart: it is changed as a whole or not at all. Files that cost nothing (backup lists, rules) can be
had one by one, and so can the host's own files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.core.errors import Refused
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.observed import Observed
from pbxfleet.model.plan import EVERYTHING, Change, Note, Plan, Selection, Verb
from pbxfleet.model.target import Impact, Kind, Target
from pbxfleet.plan.activation import WRITTEN_ONLY, activation_notes
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.waves import Bind, holdings, needed

UNKNOWN = "PLN167"
TORN = "PLN168"
PULLED_IN = "PLN169"
SHOWN = 4


class Selected(NamedTuple):
    """The part of a difference that is to be settled, and the ids of what is left as it is."""

    difference: Difference
    left: frozenset[str]


def select(
    difference: Difference,
    selection: Selection,
    target: Target,
    observed: Observed,
    records: Mapping[str, AppliedRecord],
) -> Selected:
    """What a selection takes of a difference, with what that cannot do without.

    Refused with PLN167 for a name that nothing has, with PLN168 where what is left out would tear
    apart what belongs together. What is taken besides is told in notes (PLN169).
    """
    if selection == EVERYTHING:
        return Selected(difference, frozenset())
    _must_be_known(selection, target, records, difference.changes)
    choice = _Choice(difference.changes, selection, target)
    notes = choice.whole_cores()
    notes += choice.what_holds_binds(holdings(records, observed.runtime))
    chosen = choice.chosen
    changes = tuple(c for c in difference.changes if c.resource in chosen)
    left = frozenset(c.resource for c in difference.changes) - chosen
    kept = [n for n in difference.notes if choice.concerns(n) and n.code != WRITTEN_ONLY]
    said = (*kept, *activation_notes(changes), *notes)
    switches = tuple(s for s in difference.switches if s.resource in chosen)
    return Selected(Difference(changes, said, switches, difference.debts), left)


def of_selection(plan: Plan, selection: Selection, left: frozenset[str], target: Target) -> Plan:
    """The plan of what was selected: records of others, and of what is left, are not brought up to date."""
    if selection == EVERYTHING:
        return plan
    torn = {r.instance for r in target.resources.values() if r.id in left}
    outdated = tuple(
        name
        for name in plan.outdated
        if (not selection.only or name in selection.only)
        and name not in selection.without
        and name not in torn
    )
    return plan._replace(outdated=outdated, selection=selection, left=tuple(sorted(left)))


def _must_be_known(
    selection: Selection,
    target: Target,
    records: Mapping[str, AppliedRecord],
    changes: Iterable[Change],
) -> None:
    known = {*target.instances, *target.resources, *(name for name in records if name)}
    known.update(change.resource for change in changes)
    for word in (*selection.only, *selection.without):
        if word not in known:
            from pbxfleet.core.diagnostics import did_you_mean

            names = [k for k in known if (":" in k) is (":" in word)]
            raise Refused(
                f"{word!r} is neither an instance of {target.host} nor the id of a resource",
                hint=did_you_mean(word, names) if len(names) < 2000 else "plan --json has the ids",
                code=UNKNOWN,
            )


def is_core(change: Change, target: Target) -> bool:
    """Whether a change of an instance is made together with the others of its core."""
    if change.action is Verb.KEEP:
        return False
    if change.kind is not Kind.FILE or change.instance not in target.instances:
        return True
    resource = target.resources.get(change.resource)
    # What a file that is no longer declared was good for is not known any more.
    return resource is None or resource.impact is Impact.RESTART


class _Choice:
    """Resource ids of the changes that are chosen so far."""

    def __init__(self, changes: Sequence[Change], selection: Selection, target: Target) -> None:
        self.changes = changes
        self.target = target
        self.selection = selection
        self.without = set(selection.without)
        wanted = set(selection.only)
        self.chosen = {
            c.resource
            for c in changes
            if (not wanted or c.instance in wanted or c.resource in wanted)
            and c.instance not in self.without
            and c.resource not in self.without
        }
        self.names = {c.instance for c in changes if c.resource in self.chosen}
        self.cores: dict[str, list[Change]] = {}
        for change in changes:
            if change.instance and is_core(change, target):
                self.cores.setdefault(change.instance, []).append(change)

    def concerns(self, note: Note) -> bool:
        """Whether a note is about something that is chosen, or about the host as a whole."""
        if note.instance:
            return note.instance in self.names and note.resource not in self.without
        changed = {c.resource for c in self.changes}
        return note.resource not in changed or note.resource in self.chosen

    def whole_cores(self) -> list[Note]:
        """Take what a chosen change of a core cannot do without."""
        notes = []
        for name, core in self.cores.items():
            taken = [c for c in core if c.resource in self.chosen]
            missing = [c for c in core if c.resource not in self.chosen]
            if not taken or not missing:
                continue
            excluded = [c.resource for c in missing if c.resource in self.without]
            if excluded:
                raise Refused(
                    f"{name}: {_some(excluded)} is changed together with {_some(_ids(taken))}",
                    hint=f"leave out the instance: --exclude {name}",
                    code=TORN,
                )
            self.chosen.update(_ids(missing))
            text = f"{_some(_ids(missing))} belongs to what was asked for, and is changed too"
            notes.append(Note(PULLED_IN, "warning", name, text, ""))
        return notes

    def what_holds_binds(self, held: Mapping[str, Iterable[Bind]]) -> list[Note]:
        """Take the instances that have to give up a bind first; a removal is never taken unasked."""
        changing = [n for n, core in self.cores.items() if core]
        starting = {n for n in changing if n in self.target.instances and self._is_taken(n)}
        notes: list[Note] = []
        while True:
            found = needed(starting, changing, self.target.instances, held)
            more = {n: by for n, by in found.items() if not self._is_taken(n)}
            if not more:
                return notes
            for name, by in sorted(more.items()):
                if name in self.without or name not in self.target.instances:
                    what = "to be removed" if name not in self.target.instances else "left out"
                    raise Refused(
                        f"{by} takes an address and port that {name} holds, which is {what}",
                        hint=f"take both, or none: --target {name} --target {by}",
                        code=TORN,
                    )
                self.chosen.update(_ids(self.cores[name]))
                self.names.add(name)
                starting.add(name)
                text = f"holds an address and port that {by} takes over, so it is changed too"
                notes.append(Note(PULLED_IN, "warning", name, text, ""))

    def _is_taken(self, name: str) -> bool:
        return any(c.resource in self.chosen for c in self.cores.get(name, ()))


def _ids(changes: Iterable[Change]) -> list[str]:
    return [change.resource for change in changes]


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more
