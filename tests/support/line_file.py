"""A pbx.xml with one element a line, read and changed by cutting lines: slow, and obviously right."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_LINE = re.compile(r"^[ \t]*<([A-Za-z_]\w*)((?: [^<>]*)?)(?:/>|>([^<>]*)</\1\s*>)[ \t]*(?:\r?\n)?$")
_PLAIN = {"&lt;": "<", "&gt;": ">", "&#233;": "é", "&amp;": "&"}


class LineFile:
    """The lines of a file, each with its line end; `encoding` is Python's name for how it is written."""

    def __init__(self, lines: list[str], encoding: str = "utf-8") -> None:
        self.lines = list(lines)
        self.encoding = encoding

    @classmethod
    def read(cls, content: bytes, encoding: str) -> LineFile:
        """The file of these bytes."""
        text = content.decode(encoding)
        return cls(re.findall(r"[^\n]*\n|[^\n]+$", text), encoding)

    def bytes(self) -> bytes:
        """The file as it lies on the disk."""
        return "".join(self.lines).encode(self.encoding)

    def copy(self) -> LineFile:
        """Another file with the same lines."""
        return LineFile(self.lines, self.encoding)

    @staticmethod
    def name_in(line: str) -> str:
        """The name of the element on a line, "" if none is there."""
        found = _LINE.match(line)
        return found[1] if found else ""

    def values(self) -> dict[str, str]:
        """Every element that is written on a line of its own."""
        return {
            found[1]: plain(found[3] or "") for line in self.lines if (found := _LINE.match(line))
        }

    def others(self, names: Collection[str]) -> list[str]:
        """All lines but those of the elements `names`, to the character."""
        return [line for line in self.lines if self.name_in(line) not in names]

    def set(self, name: str, value: str | None) -> None:
        """Write an element as the PBX or a person does: on its line, or on a new last one."""
        line = None if value is None else f"\t<{name}>{marked(value)}</{name}>{self.line_end}"
        for index, old in enumerate(self.lines):
            if self.name_in(old) == name:
                self.lines[index : index + 1] = [] if line is None else [line]
                return
        if line is not None:
            self.add(line)

    def add(self, line: str) -> None:
        """A line right before the end of the root element."""
        last = max(i for i, old in enumerate(self.lines) if old.startswith("</"))
        self.lines.insert(last, line)

    @property
    def line_end(self) -> str:
        """The line end of the first line."""
        return "\r\n" if self.lines[0].endswith("\r\n") else "\n"


def plain(text: str) -> str:
    """Text with its references resolved; only those that are used here."""
    return re.sub("|".join(_PLAIN), lambda found: _PLAIN[found[0]], text)


def marked(text: str) -> str:
    """Text as it stands in XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_mapping(file: LineFile, names: Collection[str]) -> Mapping[str, str | None]:
    """The values of some elements, None for those that are not there."""
    values = file.values()
    return {name: values.get(name) for name in names}
