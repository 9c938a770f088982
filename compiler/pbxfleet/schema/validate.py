"""Nodes of all files to `Desired`: every problem of every file in one run."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic, Outcome, Severity, outcome
from pbxfleet.core.span import Span, whole_file
from pbxfleet.model.desired import NO_GAPS, Desired, Gaps, HostFile, InstanceFile
from pbxfleet.schema.errors import fields_of, read_table
from pbxfleet.schema.files import FleetModel, HostModel, InstanceModel
from pbxfleet.schema.layers import LayerModel
from pbxfleet.schema.layout import Part, better_name, lay_out
from pbxfleet.schema.lower import lower_fleet, lower_host, lower_instance
from pbxfleet.schema.names import is_name
from pbxfleet.schema.sound import SoundFleet, nothing_sound, sound_fleet
from pbxfleet.schema.table import Table
from pbxfleet.source.limits import MAX_PROBLEMS
from pbxfleet.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from pbxfleet.source.screen import clipped

FLEET_FILE = "desired/fleet.toml"


class Validation(NamedTuple):
    """What came out: the desired state (or why not), and the part of it that is sound.

    `sound` has every file without an error, and the names of the others as its gaps: whoever looks
    at it finds the problems between the sound files, so that all problems are told at once.
    """

    outcome: Outcome[Desired]
    sound: Desired


def validate(documents: Mapping[str, MappingNode], names: Iterable[str] = ()) -> Validation:
    """Everything that `desired/` says, from the top-level tables of its files by file name.

    `names` are all files below desired/, also those that could not be read. What these say is
    unknown, so the outcome has no value even if this stage finds no error in the others. Problems:
    FMT1xx. References between files are not looked at.
    """
    layout = lay_out((*documents, *names))
    stray = any(d.code == "FMT113" for d in layout.found)
    used = {path for root in documents.values() for path in paths_in(root)} if stray else ()
    reading = _Reading([d for d in layout.found if d.code != "FMT113" or _file(d) not in used])
    if not any(part is Part.FLEET for part, _ in layout.files):
        reading.found.append(_no_fleet())
    for (part, name), files in sorted(layout.files.items()):
        for file in files:
            root = documents.get(file)
            if root is None or not reading.file(part, name, root):
                reading.lose(part, name)
        if len(files) > 1 or not is_name(name):
            reading.lose(part, name)
            reading.lose(part, better_name(name))
    sound = reading.sound()
    read = outcome(sound, reading.found)
    value = read.value if sound.gaps == NO_GAPS else None
    return Validation(Outcome(value, read.diagnostics), sound)


@dataclass
class _Reading:
    """What was read so far, by name in sorted order, and what is wrong with it."""

    found: list[Diagnostic]
    fleet: SoundFleet | None = None
    hosts: dict[str, HostFile] = field(default_factory=dict)
    instances: dict[str, InstanceFile] = field(default_factory=dict)
    lost: dict[Part, set[str]] = field(default_factory=lambda: {part: set() for part in Part})

    def lose(self, part: Part, name: str) -> None:
        """Take a file for declared, but not understood."""
        if part is not Part.FLEET:
            self.lost[part].add(name)
        elif self.fleet is None or self.fleet.whole:
            self.fleet = nothing_sound(whole_file(FLEET_FILE))

    def sound(self) -> Desired:
        """The files without errors, and what else is declared."""
        fleet = self.fleet or nothing_sound(whole_file(FLEET_FILE))
        hosts, instances = self.lost[Part.HOST], self.lost[Part.INSTANCE]
        return Desired(
            fleet.file,
            {name: host for name, host in self.hosts.items() if name not in hosts},
            {name: one for name, one in self.instances.items() if name not in instances},
            Gaps(
                frozenset(hosts), frozenset(instances), fleet.broken_releases, fleet=not fleet.whole
            ),
        )

    def file(self, part: Part, name: str, root: MappingNode) -> bool:
        """Read one file of the format; whether what it says can be relied on."""
        before = len(self.found)
        if not root.entries:
            self.found.append(_says_nothing(root.span.file))
            return False
        match part:
            case Part.FLEET:
                fleet, found = read_table(FleetModel, root, _ELSEWHERE[part])
                self.fleet = (
                    sound_fleet(root) if fleet is None else SoundFleet(lower_fleet(fleet, root))
                )
            case Part.HOST:
                host, found = read_table(HostModel, root, _ELSEWHERE[part])
                if host is not None:
                    self.hosts[name] = lower_host(name, host, root)
            case Part.INSTANCE:
                instance, found = read_table(InstanceModel, root, _ELSEWHERE[part])
                if instance is not None:
                    self.instances[name] = lower_instance(name, instance, root)
        self.found += found
        told = len(self.found)
        defaults = root.get("defaults")
        for layer in (root, defaults.node if defaults else None):
            if isinstance(layer, MappingNode):
                self.found += islice(_both_ways(layer), MAX_PROBLEMS)
                self.found += islice(_twice(layer), MAX_PROBLEMS)
        # A broken fleet file was looked at part by part, its layer was not.
        sure_since = told if part is Part.FLEET else before
        return all(d.severity is not Severity.ERROR for d in self.found[sure_since:])


def _file(diagnostic: Diagnostic) -> str:
    return diagnostic.span.file if diagnostic.span else ""


def paths_in(node: Node) -> Iterator[str]:
    """Names of the files that the values of a file may mean: paths in it are relative to desired/."""
    match node:
        case ScalarNode():
            yield posixpath.normpath(f"desired/{node.text.removeprefix('file:')}")
        case SequenceNode():
            for item in node.items:
                yield from paths_in(item)
        case MappingNode():
            for entry in node.entries:
                yield from paths_in(entry.node)


def _no_fleet() -> Diagnostic:
    return Diagnostic(
        "FMT101",
        f"there is no {FLEET_FILE}",
        whole_file(FLEET_FILE),
        hint="a fleet has one, with format = 1 and a name; pbxfleet init DIR writes the first",
    )


def _says_nothing(file: str) -> Diagnostic:
    return Diagnostic(
        "FMT102",
        "the file says nothing",
        whole_file(file),
        hint="remove the file, or restore what was in it",
    )


def _both_ways(layer: MappingNode) -> Iterator[Diagnostic]:
    """FMT122 for settings that one layer sets and removes."""
    settings, unset = layer.get("settings"), layer.get("unset")
    if settings is None or unset is None or not isinstance(settings.node, MappingNode):
        return
    places = {entry.key: entry.key_span for entry in settings.node.entries}
    for name, span in _texts(unset.node):
        if name in places:
            yield Diagnostic(
                "FMT122",
                f'"{clipped(name, 60)}" is set and unset by the same file',
                span,
                related=((places[name], "set here"),),
                hint="keep one of the two",
            )


def _twice(layer: MappingNode) -> Iterator[Diagnostic]:
    """FMT122 for values that a list has twice."""
    for key in ("address", "unset", "tenants", "admin_allow", "source_address"):
        entry = layer.get(key)
        seen: dict[str, Span] = {}
        for text, span in _texts(entry.node) if entry else ():
            first = seen.setdefault(text, span)
            if first is not span:
                yield Diagnostic(
                    "FMT122",
                    f'{key} has "{clipped(text, 60)}" twice',
                    span,
                    related=((first, "first written here"),),
                    hint="keep one of the two",
                )


def _texts(node: object) -> Iterator[tuple[str, Span]]:
    if isinstance(node, SequenceNode):
        yield from ((i.text, i.span) for i in node.items if isinstance(i, ScalarNode))


def _places_of_keys() -> dict[Part, dict[str, str]]:
    """For each kind of file: where keys belong that it does not know but another one does."""
    own: dict[Part, tuple[type[Table], str]] = {
        Part.FLEET: (FleetModel, FLEET_FILE),
        Part.HOST: (HostModel, "a host file"),
        Part.INSTANCE: (InstanceModel, "an instance file"),
    }
    below_defaults = set(fields_of(LayerModel))
    found: dict[Part, dict[str, str]] = {}
    for part in Part:
        places: dict[str, str] = {}
        for other, (model, where) in own.items():
            if other is not part:
                places |= dict.fromkeys(set(fields_of(model)) - below_defaults, where)
        if part is not Part.INSTANCE:
            places |= dict.fromkeys(below_defaults, "[defaults]")
        known = set(fields_of(own[part][0]))
        found[part] = {key: where for key, where in places.items() if key not in known}
    return found


_ELSEWHERE = _places_of_keys()
