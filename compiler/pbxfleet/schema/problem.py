"""Problems found while a value is read, in the form in which pydantic carries them to the door."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

from pbxfleet.core.span import Span
from pbxfleet.source.nodes import ScalarNode

# Stands for the path of the key at the start of a message: readers do not know where they are used.
KEY = "{key}"


def problem(
    code: str, message: str, span: Span | None = None, *, hint: str = ""
) -> PydanticCustomError:
    """An exception for pydantic; without `span` the problem is at the value that is being read."""
    return PydanticCustomError(code, "{text}", {"text": message, "span": span, "hint": hint})


def inside(node: ScalarNode, offset: int, length: int) -> Span:
    """The place of a part of a text, in characters; the whole value if that cannot be told.

    It can where the file has the same characters as the text, in quotes or without.
    """
    span = node.span
    if span.line != span.end_line:
        return span
    around = span.end_column - span.column - len(node.text)
    if around not in (0, 2):
        return span
    column = span.column + around // 2 + min(offset, len(node.text))
    return Span(span.file, span.line, column, span.line, column + length)
