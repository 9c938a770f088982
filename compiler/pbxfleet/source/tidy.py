"""A file in its canonical form, proven to say the same: every value, every comment, in their order."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.diagnostics import Outcome
from pbxfleet.source.load import load
from pbxfleet.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from pbxfleet.source.text import display_text, plain_lines


def tidied(file: str, content: bytes) -> Outcome[bytes]:
    """The canonical form of a file; no value, and the problems, if the format does not take it.

    Where white space cannot be changed without changing what the file says (some texts over several
    lines), it stays as it is.
    """
    read = load(file, content)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    text = plain_lines(display_text(content))
    for candidate in _candidates(file, text):
        if _says_the_same(file, candidate, read.value) and _comments(file, candidate) == _comments(
            file, text
        ):
            return Outcome(candidate.encode("utf-8"))
    return Outcome(content)


def _candidates(file: str, text: str) -> Iterator[str]:
    """Canonical forms, the best first."""
    if file.endswith(".toml"):
        from pbxfleet.source.tidy_toml import tidied_toml

        yield tidied_toml(text)
        return
    from pbxfleet.source.tidy_yaml import tidied_yaml

    yield tidied_yaml(text)
    yield tidied_yaml(text, indent=False)


def _comments(file: str, text: str) -> list[str]:
    if file.endswith(".toml"):
        from pbxfleet.source.tidy_toml import comments_of_toml

        return comments_of_toml(text)
    from pbxfleet.source.tidy_yaml import comments_of_yaml

    return comments_of_yaml(text)


def _says_the_same(file: str, text: str, node: MappingNode) -> bool:
    read = load(file, text.encode("utf-8")).value
    return read is not None and _same(read, node)


def _same(one: Node, other: Node) -> bool:
    """Whether two nodes hold the same, spelled the same, wherever it stands."""
    match one, other:
        case ScalarNode(), ScalarNode():
            return (one.text, one.kind) == (other.text, other.kind)
        case SequenceNode(), SequenceNode():
            return len(one.items) == len(other.items) and all(map(_same, one.items, other.items))
        case MappingNode(), MappingNode():
            return [e.key for e in one.entries] == [e.key for e in other.entries] and all(
                _same(a.node, b.node) for a, b in zip(one.entries, other.entries, strict=True)
            )
    return False
