"""Looking at nodes in tests: their values as plain data, their places as slices of the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pbxfleet.core.span import Span
from pbxfleet.source.nodes import Kind, MappingNode, Node, ScalarNode, SequenceNode
from pbxfleet.source.text import SourceText


def plain(node: Node) -> Any:
    """The data of a node; scalars as their typed value, or as (kind, text)."""
    match node:
        case MappingNode():
            return {entry.key: plain(entry.node) for entry in node.entries}
        case SequenceNode():
            return [plain(item) for item in node.items]
        case ScalarNode(value=None):
            return (node.kind.value, node.text)
        case ScalarNode():
            return node.value


def all_nodes(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    match node:
        case MappingNode():
            for entry in node.entries:
                yield from all_nodes(entry.node)
        case SequenceNode():
            for item in node.items:
                yield from all_nodes(item)


def all_spans(node: Node) -> Iterator[Span]:
    """The places of the node, of its keys and of everything below it."""
    for part in all_nodes(node):
        yield part.span
        if isinstance(part, MappingNode):
            yield from (entry.key_span for entry in part.entries)


def slice_at(text: str, span: Span) -> str:
    """The part of a text (without byte-order mark) that a place covers."""
    source = SourceText(span.file, text)
    return text[
        source.offset(span.line, span.column) : source.offset(span.end_line, span.end_column)
    ]


def lies_in(text: str, span: Span) -> bool:
    """Whether a place exists in a text: its lines and columns do, and it starts before it ends."""
    source = SourceText(span.file, text)
    last_line, last_column = source.place(len(text))
    if not (1, 1) <= (span.line, span.column) <= (span.end_line, span.end_column):
        return False
    if (span.end_line, span.end_column) > (last_line, last_column):
        return False
    places = ((span.line, span.column), (span.end_line, span.end_column))
    return all(source.place(source.offset(*place)) == place for place in places)


__all__ = ["Kind", "all_nodes", "all_spans", "lies_in", "plain", "slice_at"]
