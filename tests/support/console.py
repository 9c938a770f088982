"""Terminal sessions in documents: their commands are run on a terminal, and what is shown is compared.

A fenced block `console` holds commands (`$ ` in front, here-documents and `\\` continue them) and,
below each, what it prints; a line `...` stands for any lines. What differs from run to run (process
numbers, digests, times) may have any value in the document. A command must succeed, unless the next
one is `echo $?`. The same block in an HTML comment is run as well, but not compared: it prepares
what a reader of that document has already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

FENCE = "```console"
FENCE_END = "```"
HIDDEN = "<!-- console"
HIDDEN_END = "-->"
ANY_LINES = "..."
STATUS = "echo $?"

_HERE = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_VOLATILE = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\bsha256:[0-9a-f]{12}\b"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "<digest>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b(process|pid) \d+\b"), r"\1 <pid>"),
    (re.compile(r"^(  \S+ +running +)\d+\b"), r"\1<pid>"),
    (re.compile(r"(?:\[::\]|\b0\.0\.0\.0):(?=\d)"), "<any>:"),  # where the kernel has no IPv6
    (re.compile(r"(?<=\S) {2,}"), "  "),  # columns are as wide as what is in them
)


class Command(NamedTuple):
    """A command of a document; `line` counts from 0 and is that of the `$`.

    `expected` are the lines below it, at `first` up to `end` of the document.
    """

    text: str
    line: int
    expected: tuple[str, ...]
    first: int
    end: int
    hidden: bool
    may_fail: bool


def commands(document: str) -> list[Command]:
    """The commands of a document, in order."""
    lines = document.splitlines()
    found: list[Command] = []
    number = 0
    while number < len(lines):
        opening = lines[number]
        number += 1
        if opening not in (FENCE, HIDDEN):
            continue
        closing = FENCE_END if opening == FENCE else HIDDEN_END
        end = next(i for i in range(number, len(lines)) if lines[i] == closing)
        found += _block(lines, number, end, hidden=opening == HIDDEN)
        number = end + 1
    return [
        command._replace(may_fail=following is not None and following.text == STATUS)
        for command, following in zip(found, [*found, None][1:], strict=True)
    ]


def _block(lines: Sequence[str], start: int, end: int, *, hidden: bool) -> list[Command]:
    found = []
    number = start
    while number < end:
        assert lines[number].startswith("$ "), f"line {number + 1}: a command was expected"
        first = _behind(lines, number)
        below = first
        while below < end and not lines[below].startswith("$ "):
            below += 1
        text = "\n".join([lines[number][2:], *lines[number + 1 : first]])
        shown = tuple(lines[first:below])
        found.append(Command(text, number, shown, first, below, hidden, may_fail=False))
        number = below
    return found


def _behind(lines: Sequence[str], number: int) -> int:
    """The line behind a command that begins at `number`."""
    word = _HERE.search(lines[number])
    while lines[number].endswith("\\"):
        number += 1
    if word is not None:
        number = next(i for i in range(number + 1, len(lines)) if lines[i] == word[1])
    return number + 1


def is_shown(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether a document's lines are what was printed, apart from what may differ."""
    pattern = "".join(
        "(?:.*\n)*" if line == ANY_LINES else re.escape(steady(line)) + "\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(steady(line) + "\n" for line in printed)) is not None


def steady(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, word in _VOLATILE:
        line = pattern.sub(word, line)
    return line.rstrip()


def rewritten(document: str, outcomes: Sequence[tuple[Command, Sequence[str]]]) -> str:
    """The document with what was printed in place of what is not so any more; what was left out stays so."""
    lines = document.splitlines()
    for command, printed in reversed(outcomes):
        if not command.hidden and not is_shown(command.expected, printed):
            lines[command.first : command.end] = _shortened(printed, command.expected)
    return "\n".join(lines) + "\n"


def _shortened(printed: Sequence[str], like: Sequence[str]) -> list[str]:
    if ANY_LINES not in like:
        return list(printed)
    head, tail = like.index(ANY_LINES), like[::-1].index(ANY_LINES)
    if head + tail >= len(printed):
        return list(printed)
    return [*printed[:head], ANY_LINES, *printed[len(printed) - tail :]]
