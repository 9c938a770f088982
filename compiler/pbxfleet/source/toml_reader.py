"""TOML 1.0 to nodes: the standard parser says what holds and what it means, tree-sitter where."""

from __future__ import annotations

import tomllib
from typing import Any

from pbxfleet.core.diagnostics import Diagnostic, Outcome, in_order
from pbxfleet.core.span import Span
from pbxfleet.source.nodes import MappingNode
from pbxfleet.source.text import SourceText
from pbxfleet.source.toml_scan import limit_problem, long_number
from pbxfleet.source.toml_syntax import error_offset, is_conflict, syntax_problem
from pbxfleet.source.toml_tree import Mismatch, TomlTree


def read_toml(source: SourceText) -> Outcome[MappingNode]:
    """The root table. Problems: SRC106, SRC107 (limits), SRC112 (twice), SRC120 (syntax)."""
    limit = limit_problem(source)
    if limit is not None:
        return Outcome(None, (limit,))
    try:
        data = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        return Outcome(None, _refused(source, error))
    except ValueError:
        return Outcome(None, (_too_long(source),))
    return _with_places(source, data)


def _with_places(source: SourceText, data: dict[str, Any]) -> Outcome[MappingNode]:
    tree = TomlTree(source)
    try:
        root = tree.read(data)
    except Mismatch as mismatch:
        return Outcome(None, (_not_toml_1_0(source, mismatch),))
    if tree.found:
        return Outcome(None, in_order(tree.found))
    return Outcome(root)


def _refused(source: SourceText, error: tomllib.TOMLDecodeError) -> tuple[Diagnostic, ...]:
    """Duplicate keys with both places, if that is the complaint; else the complaint."""
    offset = error_offset(source, error)
    if is_conflict(error):
        # What comes after the place of the complaint may be no TOML at all.
        _, end = source.line_bounds(offset)
        for text in (source.text, source.text[:end]):
            tree = TomlTree(SourceText(source.file, text))
            tree.conflicts()
            if tree.found:
                return in_order(tree.found)
    return (syntax_problem(source, error, offset),)


def _too_long(source: SourceText) -> Diagnostic:
    start, end = long_number(source.text) or (0, 0)
    return Diagnostic(
        "SRC120", "this number is too long", source.span(start, end), hint="write text in quotes"
    )


def _not_toml_1_0(source: SourceText, mismatch: Mismatch) -> Diagnostic:
    """A newer Python reads TOML 1.1; the format is 1.0, so that every machine reads the same."""
    span: Span = source.span(mismatch.start, mismatch.end)
    return Diagnostic("SRC120", "this is not TOML 1.0", span, hint="write it as TOML 1.0")
