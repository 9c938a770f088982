"""Where elements of an XML file lie, byte for byte, according to expat: an oracle of another kind."""

from __future__ import annotations

from typing import NamedTuple
from xml.parsers import expat

_SPACE = (" ", "\t", "\r", "\n")


class Piece(NamedTuple):
    """A child of the root: name, its bytes up to its content, its content, its end tag.

    A self-closed element is all `head`, with `content` None.
    """

    name: str
    head: bytes
    content: bytes | None
    tail: bytes

    @property
    def whole(self) -> bytes:
        """All bytes of the element."""
        return self.head + (self.content or b"") + self.tail


class Pieces(NamedTuple):
    """A file cut at the children of its root: `gaps` has one member more than `elements`.

    `codec` says how markup characters are written.
    """

    elements: tuple[Piece, ...]
    gaps: tuple[bytes, ...]
    codec: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the elements, in order."""
        return tuple(element.name for element in self.elements)


def cut(content: bytes) -> Pieces:
    """The file cut before and behind every child of its root."""
    codec = _codec_of(content)
    elements, gaps, position = [], [], 0
    for name, start, close, end in _spans(content, codec):
        gaps.append(content[position:start])
        open_end = _end_of_tag(content, start, codec)
        piece = Piece(name, content[start:open_end], content[open_end:close], content[close:end])
        elements.append(piece._replace(content=None) if open_end == end else piece)
        position = end
    return Pieces(tuple(elements), (*gaps, content[position:]), codec)


def strip_space(gap: bytes, codec: str) -> bytes:
    """`gap` without the white space at its end."""
    spaces = tuple(space.encode(codec) for space in _SPACE)
    while gap.endswith(spaces):
        gap = gap[: -len(spaces[0])]
    return gap


def _codec_of(content: bytes) -> str:
    if content.startswith(b"\xff\xfe"):
        return "utf-16-le"
    return "utf-16-be" if content.startswith(b"\xfe\xff") else "ascii"


def _spans(content: bytes, codec: str) -> list[tuple[str, int, int, int]]:
    """Name, start, start of the end tag and end of each child of the root."""
    parser = expat.ParserCreate()
    begun: list[int] = []
    found: list[tuple[str, int, int, int]] = []

    def start(_name: str, _attributes: object) -> None:
        begun.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        first = begun.pop()
        if len(begun) != 1:
            return
        open_end = _end_of_tag(content, first, codec)
        if content[:open_end].endswith("/>".encode(codec)):
            found.append((name, first, open_end, open_end))
        else:
            at = parser.CurrentByteIndex
            found.append((name, first, at, _end_of_tag(content, at, codec)))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(content, True)
    return found


def _end_of_tag(content: bytes, start: int, codec: str) -> int:
    """Behind the `>` of the tag at `start`; quoted values may hold such characters."""
    width = len(">".encode(codec))
    quote = ""
    for at in range(start, len(content), width):
        character = content[at : at + width].decode(codec, "replace")
        if quote:
            quote = "" if character == quote else quote
        elif character in ('"', "'"):
            quote = character
        elif character == ">":
            return at + width
    raise AssertionError("the tag has no end")
