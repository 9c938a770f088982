"""Where a value can be written into a TOML or YAML text, and how: the likeliest place first.

Nothing here is certain; who asks reads the result again before it is believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.span import Span
from pbxfleet.source.nodes import Entry, Kind, MappingNode, Node, ScalarNode
from pbxfleet.source.text import SourceText

_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_PLAIN = re.compile(r"[A-Za-z0-9_./]([A-Za-z0-9_./ +@-]*[A-Za-z0-9_./])?")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)


class Splice(NamedTuple):
    """Characters `start` to `end` become `new`."""

    start: int
    end: int
    new: str


class _File(NamedTuple):
    """A text with the places in it; `end` is how its lines end."""

    source: SourceText
    is_toml: bool
    end: str

    @property
    def text(self) -> str:
        """The text."""
        return self.source.text

    def start(self, span: Span) -> int:
        """Offset at which a span begins."""
        return self.source.offset(span.line, span.column)

    def stop(self, span: Span) -> int:
        """Offset behind a span."""
        return self.source.offset(span.end_line, span.end_column)

    def line_end(self, offset: int) -> int:
        """Offset behind the line that holds an offset, its end included."""
        found = self.text.find("\n", offset)
        return len(self.text) if found < 0 else found + 1

    def line_start(self, offset: int) -> int:
        """Offset of the first character of the line that holds an offset."""
        return self.text.rfind("\n", 0, offset) + 1

    def behind(self, offset: int, line: str) -> Splice:
        """A new line behind the one that holds the offset."""
        at = self.line_end(offset)
        whole = at == 0 or self.text[at - 1] == "\n"
        return Splice(at, at, ("" if whole else self.end) + line + self.end)


def places(
    file: str, text: str, root: MappingNode, path: tuple[str, ...], value: str
) -> Iterator[Splice]:
    """Splices that could put the value at the path of keys."""
    end = "\r\n" if "\r\n" in text else "\n"
    source = _File(SourceText(file, text), file.endswith(".toml"), end)
    table, rest = root, path
    while rest:
        entry = table.get(rest[0])
        if entry is None:
            break
        if len(rest) == 1:
            yield from _replacing(source, entry.node, value)
            return
        if not isinstance(entry.node, MappingNode):
            return
        table, rest = entry.node, rest[1:]
    for written in _written(source, value, None):
        if table is not root and source.text[source.start(table.span)] == "{":
            yield from _into_braces(source, table, rest, written)
        elif source.is_toml:
            yield from _into_toml(source, table, path, rest, written, is_root=table is root)
        else:
            yield from _into_yaml(source, table, rest, written)


def _replacing(source: _File, node: Node, value: str) -> Iterator[Splice]:
    if isinstance(node, MappingNode):
        return
    there = node if isinstance(node, ScalarNode) else None
    for written in _written(source, value, there):
        yield Splice(source.start(node.span), source.stop(node.span), written)


def _written(source: _File, value: str, there: ScalarNode | None) -> Iterator[str]:
    """Spellings of a value, that of what stands there now before all others."""
    mark = "" if there is None else source.text[source.start(there.span)]
    if mark == "'" and "'" not in value and value.isprintable():
        yield f"'{value}'"
    bare = _NUMBER if source.is_toml else _PLAIN
    if bare.fullmatch(value) and mark not in ("'", '"'):
        yield value
    if there is not None and there.kind is Kind.BOOLEAN and value in ("true", "false"):
        yield value
    yield json.dumps(value, ensure_ascii=False)


def _key(source: _File, key: str) -> str:
    known = (_BARE_KEY if source.is_toml else _PLAIN).fullmatch(key)
    return key if known else json.dumps(key, ensure_ascii=False)


def _item(source: _File, rest: tuple[str, ...], written: str) -> str:
    """The keys and the value on one line, in braces where there are several keys."""
    key = _key(source, rest[0])
    if len(rest) > 1:
        inner = _item(source, rest[1:], written)
        written = f"{{ {inner} }}" if source.is_toml else f"{{{inner}}}"
    return f"{key} = {written}" if source.is_toml else f"{key}: {written}"


def _into_braces(
    source: _File, table: MappingNode, rest: tuple[str, ...], written: str
) -> Iterator[Splice]:
    item = _item(source, rest, written)
    if table.entries:
        at = max(source.stop(entry.node.span) for entry in table.entries)
        yield Splice(at, at, f", {item}")
        return
    start, stop = source.start(table.span), source.stop(table.span)
    yield Splice(start, stop, f"{{ {item} }}" if source.is_toml else f"{{{item}}}")


def _into_toml(
    source: _File,
    table: MappingNode,
    path: tuple[str, ...],
    rest: tuple[str, ...],
    written: str,
    *,
    is_root: bool,
) -> Iterator[Splice]:
    if len(rest) == 1:
        yield from _new_pair(source, table, rest[0], written, is_root=is_root)
    header = ".".join(_key(source, key) for key in path[:-1])
    line = f"{_key(source, path[-1])} = {written}"
    if len(path) > 1:
        blank = source.end if source.text else ""
        yield source.behind(len(source.text), f"{blank}[{header}]{source.end}{line}")


def _new_pair(
    source: _File, table: MappingNode, key: str, written: str, *, is_root: bool
) -> Iterator[Splice]:
    """A line behind the last pair of the table, which begins as that does."""
    first, last = _section(source, table, is_root=is_root)
    pairs = [
        entry
        for entry in table.entries
        if first <= source.start(entry.key_span) < last and not _opens_header(source, entry)
    ]
    for entry in reversed(pairs):
        start = source.start(entry.key_span)
        before = source.text[source.line_start(start) : start]
        stop = max(source.stop(entry.key_span), source.stop(entry.node.span))
        yield source.behind(stop, f"{before}{_key(source, key)} = {written}")
    line = f"{_key(source, key)} = {written}"
    if not is_root:
        yield source.behind(source.start(table.span), line)
    else:
        at = source.line_start(last)
        yield Splice(at, at, line + source.end + source.end)


def _section(source: _File, table: MappingNode, *, is_root: bool) -> tuple[int, int]:
    """Offsets between which the table's own lines stand: from its header to the next one."""
    first = 0 if is_root else source.start(table.span)
    behind = 0 if is_root else source.line_end(first)
    header = _HEADER.search(source.text, behind)
    return first, len(source.text) if header is None else header.start()


def _opens_header(source: _File, entry: Entry) -> bool:
    start = source.start(entry.key_span)
    return source.text[source.line_start(start) : start].lstrip()[:1] == "["


def _into_yaml(
    source: _File, table: MappingNode, rest: tuple[str, ...], written: str
) -> Iterator[Splice]:
    if not table.entries:
        yield source.behind(len(source.text), _item(source, rest, written))
        return
    last = max(table.entries, key=lambda entry: entry.key_span)
    indent = " " * (last.key_span.column - 1)
    lines = []
    for depth, key in enumerate(rest):
        value = f" {written}" if depth == len(rest) - 1 else ""
        lines.append(f"{indent}{'  ' * depth}{_key(source, key)}:{value}")
    yield source.behind(_last_offset(source, last), source.end.join(lines))


def _last_offset(source: _File, entry: Entry) -> int:
    """An offset on the last line of what stands under a key."""
    node = entry.node
    if isinstance(node, MappingNode) and node.entries and not _in_braces(source, node):
        return _last_offset(source, max(node.entries, key=lambda one: one.key_span))
    stop = max(source.stop(node.span), source.stop(entry.key_span))
    if node.span.end_column == 1 and node.span.end_line > entry.key_span.line:
        return stop - 1  # a block ends where the next line begins
    return stop


def _in_braces(source: _File, node: MappingNode) -> bool:
    return source.text[source.start(node.span)] == "{"
