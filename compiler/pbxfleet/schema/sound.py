"""What a fleet file with errors still says for certain: enough to look for problems elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import ValidationError

from pbxfleet.core.diagnostics import nearest
from pbxfleet.core.span import Span, whole_file
from pbxfleet.model.desired import FleetFile, Layer, Policy, Sourced
from pbxfleet.schema.errors import fields_of
from pbxfleet.schema.files import FleetModel
from pbxfleet.schema.lower import lower_fleet
from pbxfleet.source.nodes import Entry, Kind, MappingNode, ScalarNode

# Keys that say nothing about what an instance is or has.
_APART = ("name", "policy", "$schema")


class SoundFleet(NamedTuple):
    """The sound part of a fleet file; `whole` is False if not even that can be relied on."""

    file: FleetFile
    broken_releases: frozenset[str] = frozenset()
    whole: bool = True


def nothing_sound(span: Span) -> SoundFleet:
    """Stands for a fleet file of which nothing is known."""
    return SoundFleet(
        FleetFile(Sourced("", span), span, Layer(), {}, {}, Policy()), frozenset(), whole=False
    )


def sound_fleet(root: MappingNode) -> SoundFleet:
    """A fleet file without its broken releases and without the keys that stand apart.

    An error anywhere else may be about everything: a mistyped `catalogue` is a missing one.
    """
    start = whole_file(root.span.file)
    kept = [entry for entry in root.entries if not _stands_apart(entry.key)]
    kept.append(Entry("name", start, ScalarNode("fleet", Kind.QUOTED, start)))
    if not any(entry.key == "format" for entry in kept):
        kept.append(Entry("format", start, ScalarNode("1", Kind.INTEGER, start, 1)))
    releases = next((entry for entry in kept if entry.key == "releases"), None)
    broken: frozenset[str] = frozenset()
    if releases is not None and isinstance(releases.node, MappingNode):
        rest = [entry for entry in kept if entry.key != "releases"]
        broken = frozenset(
            release.key
            for release in releases.node.entries
            if _read(root, [*rest, _only(releases, [release])]) is None
        )
        sound = [release for release in releases.node.entries if release.key not in broken]
        kept = [*rest, _only(releases, sound)]
    file = _read(root, kept)
    return nothing_sound(start) if file is None else SoundFleet(file, broken)


def _stands_apart(key: str) -> bool:
    known = fields_of(FleetModel)
    return (key if key in known else nearest(key, known)) in _APART


def _only(releases: Entry, kept: Iterable[Entry]) -> Entry:
    return Entry(releases.key, releases.key_span, MappingNode(tuple(kept), releases.node.span))


def _read(root: MappingNode, entries: Iterable[Entry]) -> FleetFile | None:
    part = MappingNode(tuple(entries), root.span)
    try:
        return lower_fleet(FleetModel.model_validate(part), part)
    except ValidationError:
        return None
