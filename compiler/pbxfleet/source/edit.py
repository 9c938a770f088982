"""One value put into a TOML or YAML file: one splice, every other byte as it was, and proven by reading."""

from __future__ import annotations

from typing import TypeAlias

from pbxfleet.source.edit_places import Splice, places
from pbxfleet.source.load import load
from pbxfleet.source.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path: TypeAlias = tuple[str, ...]
_Plain: TypeAlias = "str | tuple[_Plain, ...] | dict[str, _Plain]"


def with_value(file: str, content: bytes, path: Path, value: str) -> bytes | None:
    """The file with `value` at the path of keys, written as the file writes such values.

    A value that is there is replaced where it stands, in its quotation marks; a new key stands behind
    its siblings, and a new table at the end. None where that cannot be done with one splice, so that
    a person has to: the file does not read, a table is written in an unusual way, or is a secret.
    """
    read = load(file, content).value
    if read is None:
        return None
    text = content.decode("utf-8")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    for splice in places(file, text, read, path, value):
        edited = (mark + _spliced(text, splice)).encode("utf-8")
        if _is_proven(file, read, edited, path, value):
            return edited
    return None


def _spliced(text: str, splice: Splice) -> str:
    return text[: splice.start] + splice.new + text[splice.end :]


def _is_proven(file: str, before: MappingNode, edited: bytes, path: Path, value: str) -> bool:
    """Whether the edited file says `value` at the path, and everything else as before."""
    after = load(file, edited).value
    if after is None or value_at(after, path) != value:
        return False
    return _without(_plain(after), path) == _without(_plain(before), path)


def value_at(node: Node, path: Path) -> str | None:
    """The text of the scalar at a path of keys; None if none is there."""
    for key in path:
        entry = node.get(key) if isinstance(node, MappingNode) else None
        if entry is None:
            return None
        node = entry.node
    return node.text if isinstance(node, ScalarNode) else None


def _plain(node: Node) -> _Plain:
    match node:
        case ScalarNode():
            return node.text
        case SequenceNode():
            return tuple(map(_plain, node.items))
        case MappingNode():
            return {entry.key: _plain(entry.node) for entry in node.entries}


def _without(tree: _Plain, path: Path) -> _Plain:
    """The tree without what is at the path, and without tables that are empty then."""
    if not isinstance(tree, dict):
        return tree
    kept = {key: part for key, part in tree.items() if key != path[0] or len(path) > 1}
    if len(path) > 1 and path[0] in kept:
        rest = _without(kept[path[0]], path[1:])
        kept = {**kept, path[0]: rest} if rest else _all_but(kept, path[0])
    return kept


def _all_but(tree: dict[str, _Plain], key: str) -> dict[str, _Plain]:
    return {name: part for name, part in tree.items() if name != key}
