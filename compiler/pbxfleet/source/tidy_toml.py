"""TOML text in its canonical form: white space only, every other character stays."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter
import tree_sitter_toml

_LANGUAGE = tree_sitter.Language(tree_sitter_toml.language())
_STEP = "  "
_TABLES = ("table", "table_array_element")
_BRACKETS = ("[", "[[", "]", "]]")


def tidied_toml(text: str) -> str:
    """The text of a file that the standard parser accepts, lines ended by LF.

    One statement begins each line; one blank line at most between two. Lists over several lines stay
    so, with their members moved in. What stands before a comment on its line keeps its distance.
    """
    return _Toml(text).document()


def comments_of_toml(text: str) -> list[str]:
    """Every comment, in order, without the blanks behind it."""
    content = text.encode("utf-8")
    found: list[str] = []
    cursor = [tree_sitter.Parser(_LANGUAGE).parse(content).root_node]
    while cursor:
        node = cursor.pop()
        if node.type == "comment":
            found.append(content[node.start_byte : node.end_byte].decode("utf-8").rstrip())
        cursor += reversed(node.children)
    return found


class _Toml:
    def __init__(self, text: str) -> None:
        self._bytes = text.encode("utf-8")
        self._tree = tree_sitter.Parser(_LANGUAGE).parse(self._bytes).root_node

    def document(self) -> str:
        """All statements, headers and comments in order."""
        written: list[str] = []
        end = 0
        for start, stop, text in self._statements(self._tree):
            gap = self._source(end, start)
            written.append(_between(gap, is_comment=text.startswith("#")) if written else "")
            written.append(text)
            end = stop
        return "".join(written) + "\n" if written else ""

    def _source(self, start: int, end: int) -> str:
        return self._bytes[start:end].decode("utf-8")

    def _text(self, node: tree_sitter.Node) -> str:
        return self._source(node.start_byte, node.end_byte)

    def _statements(self, parent: tree_sitter.Node) -> Iterator[tuple[int, int, str]]:
        """Start, end and canonical text; a table is its header, then what stands below it."""
        header: list[tree_sitter.Node] = []
        for node in parent.children:
            if node.type in _TABLES:
                yield from self._statements(node)
            elif node.type == "pair":
                # The grammar counts the comment behind a value to the pair.
                *_, value = (c for c in node.children if c.type != "comment")
                yield node.start_byte, value.end_byte, self._pair(node, 0)
                yield from self._statements(node)
            elif parent.type == "pair" and node.type != "comment":
                continue
            elif node.type == "comment":
                yield node.start_byte, node.end_byte, self._text(node).rstrip()
            else:
                header.append(node)
                if node.type in ("]", "]]"):
                    text = "".join(map(self._key, header))
                    yield header[0].start_byte, node.end_byte, text

    def _key(self, node: tree_sitter.Node) -> str:
        if node.type == "dotted_key":
            return "".join(map(self._key, node.children))
        return self._text(node)

    def _pair(self, node: tree_sitter.Node, depth: int) -> str:
        key, _, value = (child for child in node.children if child.type != "comment")
        return f"{self._key(key)} = {self._value(value, depth)}"

    def _value(self, node: tree_sitter.Node, depth: int) -> str:
        if node.type == "inline_table":
            pairs = [self._pair(child, depth) for child in node.children if child.type == "pair"]
            return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
        return self._array(node, depth + 1) if node.type == "array" else self._text(node)

    def _array(self, node: tree_sitter.Node, depth: int) -> str:
        written: list[str] = []
        before = node
        for child in node.children:
            gap = self._source(before.end_byte, child.start_byte) if written else ""
            lines = min(gap.count("\n"), 2)
            if child.type == "comment":
                text = self._text(child).rstrip()
                space = _between(gap, is_comment=True).lstrip("\n")
            else:
                text = self._value(child, depth)
                space = " " if before.type == "," and child.type != "]" else ""
            inner = depth - 1 if child.type == "]" else depth
            written.append("\n" * lines + _STEP * inner if lines else space)
            written.append(text)
            before = child
        return "".join(written)


def _between(gap: str, *, is_comment: bool) -> str:
    """What separates two statements: ends of lines, or the distance that a comment keeps."""
    lines = gap.count("\n")
    if lines or not is_comment:
        return "\n" * min(max(lines, 1), 2)
    return gap if gap and not gap.strip(" ") else " "
