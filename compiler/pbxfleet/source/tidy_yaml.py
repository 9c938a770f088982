"""YAML text in its canonical form: white space only, every other character stays.

The scanner says where tokens are; what lies between them is white space and comments.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STEP = 2
_COMMENT = re.compile(r"#[^\n]*")
_TAIL = re.compile(
    r"\n[ \n]*\Z"
)  # what the scanner counts to a block scalar, but the parser does not
_OPENS = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSES = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_BLOCKS = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken)


def tidied_yaml(text: str, *, indent: bool = True) -> str:
    """The text of a file that the format accepts, lines ended by LF.

    Levels are two blanks apart (with `indent`; without it they stay), one blank line at most stands
    between two lines, and what stands before a comment on its line keeps its distance.
    """
    writer = _Writer(text, indent=indent)
    for token in yaml.scan(text, Loader=_LOADER):
        writer.token(token)
    return writer.end()


def comments_of_yaml(text: str) -> list[str]:
    """Every comment, in order, without the blanks behind it: what stands between tokens."""
    found: list[str] = []
    position = 0
    for token in yaml.scan(text, Loader=_LOADER):
        start, end = token.start_mark.index, token.end_mark.index
        if start < end and start >= position:
            found += _COMMENT.findall(text[position:start])
            position = end
    return [comment.rstrip() for comment in (*found, *_COMMENT.findall(text[position:]))]


class _Level(NamedTuple):
    """A block collection: the column that it had, and the one that it gets."""

    before: int
    after: int


class _Writer:
    def __init__(self, text: str, *, indent: bool) -> None:
        self.text = text
        self.indent = indent
        self.written: list[str] = []
        self.column = 0  # of what is written next
        self.closed: list[_Level] = []  # levels that ended since the last token
        self.position = 0  # in the text, behind the last token
        self.levels: list[_Level] = []
        self.opened: list[
            int
        ] = []  # columns of block collections whose first token is still to come
        self.flow = 0
        self.shift = 0  # how far the line that a flow collection began on was moved
        self.is_key = False
        self.last: Any = None

    def token(self, token: Any) -> None:
        """Write one token and what stands before it."""
        match token:
            case yaml.BlockMappingStartToken() | yaml.BlockSequenceStartToken():
                self.opened.append(token.start_mark.column)
                return
            case yaml.BlockEndToken():
                self.closed.append(self.levels.pop())
                return
            case yaml.KeyToken():
                self.is_key = True
        start, end = token.start_mark.index, token.end_mark.index
        if isinstance(token, yaml.KeyToken) and not self.text[start:end].startswith("?"):
            return
        if start == end:
            return
        self._gap(token, self.text[self.position : start])
        raw = self.text[start:end]
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            raw = _TAIL.sub("", raw)
            end = start + len(raw)
            raw = self._moved_block(raw)
        self._put(raw)
        self.closed.clear()
        self.position = end
        self.flow += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        self.last = token
        self.is_key = False

    def _gap(self, token: Any, gap: str) -> None:
        """White space and comments before a token."""
        if "\n" not in gap and not self._fresh():
            self._put(self._space(token, gap))
            self._open_levels(self.column)
            return
        first, *rest = gap.split("\n") if not self._fresh() else ("", *gap.split("\n"))
        if self._fresh():
            rest = rest[1:] if rest[0] == "" and len(rest) > 1 else rest
        column = self._target(token)
        self._put(_comment_at_end(first))
        *comments, _ = rest
        self._own_lines(comments, token.start_mark.column, column)
        self._put(("" if self._fresh() else "\n") + " " * column)
        self._open_levels(column)

    def _fresh(self) -> bool:
        """Whether nothing was written yet."""
        return not self.written

    def _own_lines(self, lines: list[str], before: int, after: int) -> None:
        """Comments and blank lines, of which one is kept; comments move with what they belong to."""
        blank = False
        for line in lines:
            comment = line.strip()
            if not comment:
                blank = not self._fresh()
                continue
            column = self._moved(len(line) - len(line.lstrip()), before, after)
            ends = "\n\n" if blank else "" if self._fresh() else "\n"
            self._put(ends + " " * column + comment)
            blank = False
        if blank:
            self._put("\n")

    def _moved(self, column: int, before: int, after: int) -> int:
        if not self.indent:
            return column
        if column == before:
            return after
        known = (*self.closed, *reversed(self.levels))
        level = next((one for one in known if one.before == column), None)
        return after if level is None else level.after

    def _target(self, token: Any) -> int:
        """Column of a token that begins a line."""
        column: int = token.start_mark.column
        if not self.indent or isinstance(token, yaml.DocumentStartToken | yaml.DocumentEndToken):
            return column
        if self.flow:
            return max(column + self.shift, self.levels[-1].after + 1 if self.levels else 0)
        if self.opened:
            target = self.levels[-1].after + _STEP if self.levels else 0
        elif self.is_key or isinstance(token, yaml.BlockEntryToken | yaml.ValueToken):
            target = self.levels[-1].after if self.levels else 0
        else:
            target = self.levels[-1].after + _STEP if self.levels else 0
        self.shift = target - column
        return target

    def _open_levels(self, column: int) -> None:
        self.levels += [_Level(before, column) for before in self.opened]
        self.opened.clear()

    def _put(self, text: str) -> None:
        if text:
            self.written.append(text)
            _, end, line = text.rpartition("\n")
            self.column = len(line) if end else self.column + len(line)

    def _space(self, token: Any, gap: str) -> str:
        """Blanks between two tokens of one line."""
        if isinstance(self.last, yaml.BlockEntryToken):
            return " " if self.indent else gap
        if isinstance(token, yaml.ValueToken) and not isinstance(self.last, yaml.ValueToken):
            return ""
        if isinstance(token, (yaml.FlowEntryToken, *_CLOSES)):
            return ""
        if isinstance(self.last, _OPENS):
            return ""
        if isinstance(self.last, yaml.ValueToken | yaml.FlowEntryToken):
            return " "
        return gap

    def _moved_block(self, raw: str) -> str:
        """A block scalar, moved as far as the collection that it stands in."""
        head, *lines = raw.split("\n")
        step = (self.levels[-1].after - self.levels[-1].before) if self.levels else 0
        if not self.indent or not step:
            return raw
        moved = [
            line if not line.strip() else line[-step:] if step < 0 else " " * step + line
            for line in lines
        ]
        return "\n".join([head, *moved])

    def end(self) -> str:
        """The whole text, with the comments behind the last token."""
        first, *rest = self.text[self.position :].split("\n")
        if self._fresh():
            self._own_lines([first, *rest], 0, 0)
        else:
            self._put(_comment_at_end(first))
            self.is_key = False
            self._own_lines(rest, 0, 0)
        return "".join(self.written).rstrip("\n") + "\n" if not self._fresh() else ""


def _comment_at_end(rest: str) -> str:
    """The rest of a line behind its last token."""
    return rest.rstrip() if rest.strip() else ""
