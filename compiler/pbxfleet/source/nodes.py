"""What a file holds, before anybody asks what it means: scalars, sequences, mappings, places."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from pbxfleet.core.span import Span


class Kind(StrEnum):
    """How a scalar is written.

    `plain` is unquoted YAML: text until the schema asks for something else. `quoted` is text for
    certain. The other kinds are the types that TOML tells apart by their spelling.
    """

    PLAIN = "plain"
    QUOTED = "quoted"
    INTEGER = "integer"
    FRACTION = "fraction"
    BOOLEAN = "boolean"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value. `text` is the text (plain, quoted) or the spelling in the file (other kinds).

    `value` is the number or truth value of the kinds integer, fraction and boolean, else None.
    """

    text: str
    kind: Kind
    span: Span
    value: int | float | None = None


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """Values in order."""

    items: tuple[Node, ...]
    span: Span


class Entry(NamedTuple):
    """One key of a mapping with its value; keys of a mapping are distinct."""

    key: str
    key_span: Span
    node: Node


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys with values, in the order of the file."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, key: str) -> Entry | None:
        """The entry of a key, None if there is none."""
        return next((entry for entry in self.entries if entry.key == key), None)


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode
