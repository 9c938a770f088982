"""Places in source files."""

from typing import NamedTuple


class Span(NamedTuple):
    """A place in a file: 1-based lines and columns counted in characters, the end exclusive.

    `file` is relative to the fleet repository, with forward slashes. Spans sort by place.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def whole_file(file: str) -> Span:
    """The place of a problem with a file as such (it cannot be read, a key is missing)."""
    return Span(file, 1, 1, 1, 1)
