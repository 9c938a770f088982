"""The places of a TOML text that the standard parser accepted, joined with the values it read."""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from enum import StrEnum
from typing import Any, TypeAlias

import tree_sitter
import tree_sitter_toml

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.core.span import Span
from pbxfleet.source.limits import MAX_PROBLEMS, duplicate
from pbxfleet.source.nodes import Entry, Kind, MappingNode, Node, ScalarNode, SequenceNode
from pbxfleet.source.text import SourceText

_LANGUAGE = tree_sitter.Language(tree_sitter_toml.language())
_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})

_Place: TypeAlias = tuple[int, int]


class Mismatch(Exception):
    """The two parsers do not read the same; offsets of the place."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(f"{start}-{end}")
        self.start = start
        self.end = end


class _By(StrEnum):
    """What made a table: TOML 1.0 says by this which later line may add to it."""

    PARENT = "parent of a [header]"
    HEADER = "[header]"
    DOTTED = "dotted key"
    BRACES = "braces"


class _Table:
    __slots__ = ("entries", "made_by", "place")

    def __init__(self, made_by: _By, place: _Place) -> None:
        self.made_by = made_by
        self.place = place
        self.entries: dict[str, tuple[_Place, _Found]] = {}


class _Array:
    __slots__ = ("items", "of_headers", "place")

    def __init__(self, place: _Place, *, of_headers: bool) -> None:
        self.place = place
        self.of_headers = of_headers
        self.items: list[_Found] = []


_Found: TypeAlias = _Table | _Array | tree_sitter.Node


class TomlTree:
    """Reads one text once. `found` holds what is written twice, in the order of the file."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.found: list[Diagnostic] = []
        self._bytes = source.text.encode("utf-8")
        self._places = _CharacterOffsets(source.text, len(self._bytes))
        self._root = _Table(_By.HEADER, (0, len(source.text)))

    def read(self, data: dict[str, Any]) -> MappingNode:
        """The root table; `data` is what the standard parser read. Raises Mismatch."""
        document = tree_sitter.Parser(_LANGUAGE).parse(self._bytes).root_node
        if document.has_error:
            raise Mismatch(*self._place(_first_error(document)))
        self._document(document)
        return self._mapping(self._root, {} if self.found else data)

    def conflicts(self) -> None:
        """Fill `found` from a text that the standard parser refuses for what is written twice."""
        document = tree_sitter.Parser(_LANGUAGE).parse(self._bytes).root_node
        if not document.has_error:
            self._document(document)

    def _document(self, document: tree_sitter.Node) -> None:
        for node in document.children:
            if len(self.found) >= MAX_PROBLEMS:
                return
            match node.type:
                case "pair":
                    self._pair(self._root, node)
                case "table" | "table_array_element":
                    table = self._header(node, of_array=node.type == "table_array_element")
                    for child in node.children:
                        if child.type == "pair":
                            self._pair(table, child)

    def _header(self, node: tree_sitter.Node, *, of_array: bool) -> _Table:
        """The table that a header opens; one of its own, connected to nothing, after a conflict."""
        keys = [child for child in node.children if child.type in _KEYS]
        close = next(child for child in node.children if child.type in ("]", "]]"))
        place = (self._place(node)[0], self._place(close)[1])
        table: _Found = self._root
        *parents, (last, last_place) = self._parts(keys[0])
        for name, name_place in parents:
            assert isinstance(table, _Table)
            table = self._below(table, name, name_place, _By.PARENT)
            if isinstance(table, _Array) and table.of_headers:
                table = table.items[-1]
            if not isinstance(table, _Table) or table.made_by is _By.BRACES:
                return self._conflict(name, name_place, table)
        assert isinstance(table, _Table)
        new = _Table(_By.HEADER, place)
        return self._open(table, (last, last_place), new, of_array=of_array)

    def _open(
        self, parent: _Table, key: tuple[str, _Place], new: _Table, *, of_array: bool
    ) -> _Table:
        name, key_place = key
        there = parent.entries.get(name)
        if of_array:
            if there is None:
                array = _Array(new.place, of_headers=True)
                parent.entries[name] = (key_place, array)
            elif isinstance(there[1], _Array) and there[1].of_headers:
                array = there[1]
            else:
                return self._conflict(name, key_place, there[1], there[0])
            array.items.append(new)
            return new
        if there is None:
            parent.entries[name] = (key_place, new)
            return new
        table = there[1]
        if isinstance(table, _Table) and table.made_by is _By.PARENT:
            table.made_by = _By.HEADER
            table.place = new.place
            parent.entries[name] = (key_place, table)
            return table
        return self._conflict(name, key_place, table, there[0])

    def _pair(self, table: _Table, node: tree_sitter.Node) -> None:
        """Put `a.b = value` into a table."""
        key, value = (c for c in node.children if c.type not in ("=", "comment"))
        *parents, (last, place) = self._parts(key)
        for name, name_place in parents:
            below = self._below(table, name, name_place, _By.DOTTED)
            if not isinstance(below, _Table) or below.made_by is not _By.DOTTED:
                self._conflict(name, name_place, below, table.entries[name][0])
                return
            table = below
        there = table.entries.get(last)
        if there is not None:
            self._conflict(last, place, there[1], there[0])
            return
        table.entries[last] = (place, self._value(value))

    def _below(self, table: _Table, name: str, place: _Place, made_by: _By) -> _Found:
        """What stands under a name; a new table if there is nothing yet."""
        if name not in table.entries:
            table.entries[name] = (place, _Table(made_by, place))
        return table.entries[name][1]

    def _conflict(
        self, name: str, place: _Place, there: _Found, first: _Place | None = None
    ) -> _Table:
        if first is None:
            first = there.place if isinstance(there, _Table | _Array) else self._place(there)
        self.found.append(duplicate(name, self._span(place), self._span(first)))
        return _Table(_By.HEADER, place)

    def _value(self, node: tree_sitter.Node) -> _Found:
        if node.type == "array":
            array = _Array(self._place(node), of_headers=False)
            array.items = [
                self._value(child) for child in node.named_children if child.type != "comment"
            ]
            return array
        if node.type == "inline_table":
            table = _Table(_By.DOTTED, self._place(node))
            for child in node.named_children:
                if child.type == "pair":
                    self._pair(table, child)
            table.made_by = _By.BRACES
            return table
        return node

    def _parts(self, node: tree_sitter.Node) -> list[tuple[str, _Place]]:
        """The parts of a key with their places."""
        if node.type == "dotted_key":
            return [p for c in node.children if c.type in _KEYS for p in self._parts(c)]
        text = self._text(node)
        if node.type == "quoted_key":
            text = next(iter(tomllib.loads(f"{text} = 0")))
        return [(text, self._place(node))]

    def _mapping(self, table: _Table, data: Any) -> MappingNode:
        """The node of a table; without data (something is written twice) only its place."""
        span = self._span(table.place)
        if not data:
            return MappingNode((), span)
        entries = tuple(
            Entry(name, self._span(place), self._node(found, data[name]))
            for name, (place, found) in table.entries.items()
        )
        return MappingNode(entries, span)

    def _node(self, found: _Found, data: Any) -> Node:
        match found:
            case _Table():
                return self._mapping(found, data)
            case _Array():
                items = tuple(
                    self._node(item, value) for item, value in zip(found.items, data, strict=True)
                )
                return SequenceNode(items, self._span(found.place))
        return self._scalar(found, data)

    def _scalar(self, node: tree_sitter.Node, data: Any) -> ScalarNode:
        span = self._span(self._place(node))
        match data:
            case str():
                return ScalarNode(data, Kind.QUOTED, span)
            case bool():
                return ScalarNode(self._text(node), Kind.BOOLEAN, span, data)
            case int():
                return ScalarNode(self._text(node), Kind.INTEGER, span, data)
            case float():
                return ScalarNode(self._text(node), Kind.FRACTION, span, data)
        return ScalarNode(self._text(node), Kind.DATE, span)

    def _text(self, node: tree_sitter.Node) -> str:
        return self._bytes[node.start_byte : node.end_byte].decode("utf-8")

    def _place(self, node: tree_sitter.Node) -> _Place:
        return self._places.of(node.start_byte), self._places.of(node.end_byte)

    def _span(self, place: _Place) -> Span:
        return self.source.span(*place)


class _CharacterOffsets:
    """Offsets in characters from offsets in bytes."""

    def __init__(self, text: str, size_bytes: int) -> None:
        self._ends: list[int] = []
        self._extra: list[int] = [0]
        if size_bytes == len(text):
            return
        position = 0
        for character in text:
            width = len(character.encode("utf-8")) if character > "\x7f" else 1
            position += width
            if width > 1:
                self._ends.append(position)
                self._extra.append(self._extra[-1] + width - 1)

    def of(self, byte: int) -> int:
        """Number of characters before a byte that starts a character."""
        if not self._ends:
            return byte
        return byte - self._extra[bisect_right(self._ends, byte)]


def _first_error(node: tree_sitter.Node) -> tree_sitter.Node:
    while not (node.is_error or node.is_missing):
        node = next(c for c in node.children if c.has_error or c.is_missing)
    return node
