"""YAML 1.2 to nodes, from the parser's events: no value is ever built, so none changes its meaning.

The parser is libyaml where PyYAML has it. Events come one by one and its state is a heap stack, so
a file that nests without end is given up at `MAX_DEPTH` before anything recurses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml

from pbxfleet.core.diagnostics import Diagnostic, Outcome, outcome
from pbxfleet.core.span import Span, whole_file
from pbxfleet.source.limits import (
    MAX_DEPTH,
    MAX_PROBLEMS,
    MAX_VALUES,
    duplicate,
    too_deep,
    too_many,
)
from pbxfleet.source.nodes import Entry, Kind, MappingNode, Node, ScalarNode, SequenceNode
from pbxfleet.source.screen import clipped
from pbxfleet.source.text import SourceText
from pbxfleet.source.yaml_syntax import syntax_problem

# PyYAML without libyaml has the same events from Python code, about ten times slower.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_ACCEPTED_VERSIONS = (None, (1, 2))


def read_yaml(source: SourceText, loader: Any = _LOADER) -> Outcome[MappingNode]:
    """The top-level mapping of one document; an empty file or one of comments gives no entries.

    Problems: SRC106, SRC107 (limits), SRC110, SRC111 (syntax, tabs), SRC112 (a key twice), SRC113
    to SRC118 (what YAML has and the format has not).
    """
    builder = _Builder(source)
    try:
        root = builder.build(yaml.parse(source.text, Loader=loader))
    except _GiveUp:
        return Outcome(None, outcome(None, builder.found).diagnostics)
    except yaml.YAMLError as error:
        builder.found.append(syntax_problem(source, error))
        return Outcome(None, outcome(None, builder.found).diagnostics)
    if root is None or root == ScalarNode("", Kind.PLAIN, root.span):
        root = MappingNode((), whole_file(source.file))
    if not isinstance(root, MappingNode):
        builder.found.append(_not_a_mapping(root))
        root = MappingNode((), whole_file(source.file))
    return outcome(root, builder.found)


class _GiveUp(Exception):
    """The rest of the file is not worth reading; the reason is among the problems found."""


class _Frame:
    """A collection that is not complete yet."""

    __slots__ = ("end", "entries", "flow", "items", "key", "mapping", "seen", "start")

    def __init__(self, event: Any, *, mapping: bool) -> None:
        self.mapping = mapping
        self.start: int = event.start_mark.index
        self.end: int = event.end_mark.index
        self.flow = bool(event.flow_style)
        self.key: tuple[str | None, Span] | None = None
        self.seen: dict[str, Span] = {}
        self.entries: list[Entry] = []
        self.items: list[Node] = []


class _Builder:
    """Nodes from events. `found` collects what is wrong; reading goes on where that makes sense."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.found: list[Diagnostic] = []
        self.stack: list[_Frame] = []
        self.root: Node | None = None
        self.values = 0
        self.documents = 0

    def build(self, events: Iterator[Any]) -> Node | None:
        """The root node, None if there is no document or an empty one."""
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._properties(event)
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._properties(event)
                    self._open(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._close(event)
                case yaml.DocumentStartEvent():
                    self._document(event)
        return self.root

    def _report(self, problem: Diagnostic) -> None:
        if len(self.found) + 1 >= MAX_PROBLEMS:
            hint = f"{problem.hint}; the rest of the file was not read"
            self.found.append(replace(problem, hint=hint))
            raise _GiveUp
        self.found.append(problem)

    def _span(self, event: Any) -> Span:
        return self.source.span(event.start_mark.index, event.end_mark.index)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.found.append(
                Diagnostic(
                    "SRC115",
                    "a second document begins here",
                    self._span(event),
                    hint='one file holds one host or instance: make another file, or remove "---"',
                )
            )
            raise _GiveUp
        if event.version not in _ACCEPTED_VERSIONS:
            major, minor = event.version
            self._report(
                Diagnostic(
                    "SRC117",
                    f"the file asks for YAML {major}.{minor}; it would be read as YAML 1.2",
                    self.source.span(*self.source.line_bounds(event.start_mark.index)),
                    hint="remove the %YAML line",
                )
            )

    def _properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._report(self._no_alias(event, f"&{event.anchor}", "anchors"))
        if event.tag is not None:
            start = event.start_mark.index
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._report(
                Diagnostic(
                    "SRC114",
                    f'the tag "{clipped(tag, 60)}" is not allowed',
                    self.source.span(start, min(start + len(tag), event.end_mark.index)),
                    hint="remove it: the format knows the type of every key",
                )
            )

    def _no_alias(self, event: Any, text: str, what: str) -> Diagnostic:
        start = event.start_mark.index
        return Diagnostic(
            "SRC113",
            f'{what} are not allowed: "{clipped(text, 60)}"',
            self.source.span(start, start + len(text)),
            hint="write the value out, or put what instances share under defaults",
        )

    def _alias(self, event: Any) -> None:
        self._report(self._no_alias(event, f"*{event.anchor}", "aliases"))
        self._put(ScalarNode("", Kind.QUOTED, self._span(event)), event.end_mark.index)

    def _scalar(self, event: Any) -> None:
        kind = Kind.QUOTED if event.style else Kind.PLAIN
        self._put(ScalarNode(event.value, kind, self._span(event)), event.end_mark.index)

    def _open(self, event: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            self.found.append(too_deep(self._span(event)))
            raise _GiveUp
        self.stack.append(_Frame(event, mapping=isinstance(event, yaml.MappingStartEvent)))

    def _close(self, event: Any) -> None:
        frame = self.stack.pop()
        # The end of a block collection is only noticed at the next token, lines below it.
        end = event.end_mark.index if frame.flow else frame.end
        span = self.source.span(frame.start, end)
        if frame.mapping:
            self._put(MappingNode(tuple(frame.entries), span), end)
        else:
            self._put(SequenceNode(tuple(frame.items), span), end)

    def _put(self, node: Node, end: int) -> None:
        """Give a complete node to the collection it stands in, as a key, a value or an item."""
        self.values += 1
        if self.values > MAX_VALUES:
            self.found.append(too_many(node.span))
            raise _GiveUp
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        frame.end = end
        if not frame.mapping:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            key, key_span = frame.key
            frame.key = None
            self._entry(frame, key, key_span, node)

    def _entry(self, frame: _Frame, key: str | None, key_span: Span, node: Node) -> None:
        if key is None:
            return
        first = frame.seen.setdefault(key, key_span)
        if first is not key_span:
            self._report(duplicate(key, key_span, first))
            return
        frame.entries.append(Entry(key, key_span, node))

    def _key(self, node: Node) -> tuple[str | None, Span]:
        """Text and place of a key; None for what cannot be one and was reported."""
        if not isinstance(node, ScalarNode):
            what = "list" if isinstance(node, SequenceNode) else "table"
            self._report(
                Diagnostic(
                    "SRC116",
                    f"a {what} cannot be a key",
                    node.span,
                    hint='keys are plain words; a value that begins with "[" or "{" needs quotes',
                )
            )
            return None, node.span
        if node.text == "<<" and node.kind is Kind.PLAIN:
            self._report(
                Diagnostic(
                    "SRC113",
                    'merge keys are not allowed: "<<"',
                    node.span,
                    hint="write the values out, or put what instances share under defaults",
                )
            )
        elif not node.text and node.kind is Kind.PLAIN:
            self._report(
                Diagnostic(
                    "SRC116", "there is no key before the colon", node.span, hint="write a key"
                )
            )
        return node.text, node.span


def _not_a_mapping(root: ScalarNode | SequenceNode) -> Diagnostic:
    what = "a list" if isinstance(root, SequenceNode) else "one value"
    line, column = root.span.line, root.span.column
    return Diagnostic(
        "SRC118",
        f"the file holds {what}, not keys with values",
        Span(root.span.file, line, column, line, column + 1),
        hint='write lines such as "host: fra1"',
    )
