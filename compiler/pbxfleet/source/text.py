"""Bytes to text with places: encoding, size, characters that nobody can see."""

from __future__ import annotations

import re
from bisect import bisect_right

from pbxfleet.core.diagnostics import Diagnostic, Outcome
from pbxfleet.core.span import Span, whole_file

MAX_FILE_BYTES = 2 * 1024 * 1024

_LINE_END = re.compile(r"\r\n|\n|\r")

# C0 except tab and line ends, DEL and C1 (YAML 1.2 section 5.1, TOML 1.0 "comment"); the line ends
# of YAML 1.1 that no editor shows; byte-order marks inside the text; controls that make an editor
# show text in another order than it is read ("Trojan Source", CVE-2021-42574).
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)

_WIDE_BOMS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


class SourceText:
    """A decoded file without byte-order mark, and the way from offsets in it to lines and columns.

    Offsets are 0-based and count characters. Lines end with LF, CRLF or CR, as editors see it.
    """

    __slots__ = ("_starts", "file", "text")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def place(self, offset: int) -> tuple[int, int]:
        """1-based line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """The place from `start` to before `end`."""
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        if line == len(self._starts) or end < self._starts[line]:
            end_column = max(start, end) - first + 1
            return Span(self.file, line, start - first + 1, line, end_column)
        return Span(self.file, line, start - first + 1, *self.place(end))

    def offset(self, line: int, column: int) -> int:
        """Offset of a 1-based line and column; a place past the end gives the end."""
        if line > len(self._starts):
            return len(self.text)
        return min(self._starts[line - 1] + column - 1, len(self.text))

    def character(self, offset: int) -> Span:
        """The place of one character; at a line end or at the end of the text, an empty place.

        An offset in white space at the end of the text stands for the end of what comes before it:
        there a reader looks for what is missing.
        """
        if not self.text[offset:].strip():
            offset = min(offset, len(self.text.rstrip()))
        _, end = self.line_bounds(offset)
        return self.span(offset, min(offset + 1, end))

    def line(self, offset: int) -> str:
        """The line that holds `offset`, without its end."""
        start, end = self.line_bounds(offset)
        return self.text[start:end]

    def line_bounds(self, offset: int) -> tuple[int, int]:
        """Offsets of the first character of the line that holds `offset`, and of its line end."""
        start = self._starts[bisect_right(self._starts, offset) - 1]
        end = _LINE_END.search(self.text, start)
        return start, end.start() if end else len(self.text)


def split_lines(text: str) -> list[str]:
    """Lines without their ends, counted as `SourceText` counts them."""
    return _LINE_END.split(text.removeprefix("\ufeff"))


def plain_lines(text: str) -> str:
    """The text with every line ended by LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def display_text(content: bytes) -> str:
    """Text for excerpts of any bytes; what is not UTF-8 becomes U+FFFD, columns stay right."""
    return content.decode("utf-8", errors="replace").removeprefix("\ufeff")


def decode(file: str, content: bytes) -> Outcome[SourceText]:
    """The text of a file. Problems: SRC102 (size), SRC103, SRC104 (encoding), SRC105."""
    if len(content) > MAX_FILE_BYTES:
        return Outcome(None, (_too_large(file, len(content)),))
    wide = next((name for bom, name in _WIDE_BOMS if content.startswith(bom)), None)
    if wide is None and _looks_like_utf16(content):
        wide = "UTF-16"
    if wide is not None:
        return Outcome(None, (_wide(file, wide),))
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return Outcome(None, (_not_utf8(file, content, error.start),))
    source = SourceText(file, text)
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        return Outcome(None, (_forbidden(source, forbidden.start()),))
    return Outcome(source)


def _looks_like_utf16(content: bytes) -> bool:
    head = content[:64]
    return len(head) >= 4 and (not any(head[1::2]) or not any(head[::2])) and any(head)


def _too_large(file: str, size: int) -> Diagnostic:
    return Diagnostic(
        "SRC102",
        f"the file has {size} bytes; the limit is {MAX_FILE_BYTES} (2 MiB)",
        whole_file(file),
        hint="one host or instance needs a few kilobytes; was another file put here by mistake?",
    )


def _wide(file: str, name: str) -> Diagnostic:
    return Diagnostic(
        "SRC104", f"the file is {name}, not UTF-8", whole_file(file), hint="save it as UTF-8"
    )


def _not_utf8(file: str, content: bytes, position: int) -> Diagnostic:
    before = SourceText(file, content[:position].decode("utf-8").removeprefix("\ufeff"))
    line, column = before.place(len(before.text))
    return Diagnostic(
        "SRC103",
        f"the byte 0x{content[position]:02x} is not valid UTF-8",
        Span(file, line, column, line, column + 1),
        hint="save the file as UTF-8; older editors write accented letters in another encoding",
    )


def _forbidden(source: SourceText, offset: int) -> Diagnostic:
    character = source.text[offset]
    name = "NUL" if character == "\x00" else f"U+{ord(character):04X}"
    kind = "a control" if ord(character) < 0xA0 else "an invisible"
    return Diagnostic(
        "SRC105",
        f"{kind} character ({name}) is not allowed here",
        source.span(offset, offset + 1),
        hint="delete it; inside text it can be written as an escape in double quotes",
    )
