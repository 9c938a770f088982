"""One thing has one name: identifiers do not use the words the glossary replaces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from support.tree import PACKAGE, nothing, python_files, shown

# Only words that have no second, honest meaning in this program. Left: not used; right: ours.
WORDS = {
    "actual": "observed",
    "batch": "wave",
    "deploy": "apply",
    "deployment": "apply",
    "deviation": "drift",
    "dirty": "pending",
    "driver": "backend",
    "gather": "observe",
    "inventory": "facts",
    "plugin": "backend",
    "prettify": "format",
    "preview": "plan",
    "provider": "backend",
    "revert": "rollback (a generation) or undo (a step)",
    "skew": "drift",
    "snapshot": "generation, or golden file",
    "suggestion": "hint",
}


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names a module gives: definitions, arguments, assigned names and attributes, aliases."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def words(name: str) -> list[str]:
    """`HostView` and `host_view` are both host, view."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def test_identifiers_use_the_words_of_the_glossary() -> None:
    found = []
    for path in python_files(PACKAGE):
        names = list(bound_names(ast.parse(path.read_text(encoding="utf-8"))))
        found += [
            f"{shown(path)}:{line}: {name}: say {WORDS[word]} instead of {word}"
            for line, name in [*names, (1, path.stem)]
            for word in words(name)
            if word in WORDS
        ]
    nothing(found)


def test_names_are_split_into_words() -> None:
    assert words("HostView") == words("host_view") == ["host", "view"]
    assert words("_actualState2") == ["actual", "state2"]
