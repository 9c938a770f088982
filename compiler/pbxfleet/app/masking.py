"""Source lines below diagnostics, without the secrets that may stand in them.

A file that is wrong may be wrong in any way, so that nothing here relies on its syntax: what looks
like a secret is made unreadable, rather too much than too little. Lengths stay, so that columns do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pbxfleet.core.span import Span
from pbxfleet.pbx.catalogue import SETTINGS
from pbxfleet.source.text import split_lines

_SECRET_SETTINGS = "|".join(name for name, row in SETTINGS.items() if row.secret)
_SECRET_WORDS = frozenset(
    ("pw", "pass", "passwd", "password", "secret", "key", "token", "pin", "auth", "credential")
)

_TAG = re.compile(r"<([A-Za-z_][\w.:-]*+)([^<>]*+)>?")
_KEY = re.compile(rf"\b(?:{_SECRET_SETTINGS})\b[\"']?\s*(?:\.\s*value\s*)?[=:\]]")
_REFERENCE = re.compile(r"\s*\{\s*secret\s*[=:]\s*[\"']?[A-Za-z0-9_./-]+[\"']?\s*\}")
_VALUE = re.compile(r"\s*-?\s*value\s*[=:]")
_USER = re.compile(r"(?<=://)[^\s/?#]+(?=@)")  # user and password of a web address
_NAME = re.compile(r"[^\W\d][\w.\-]*")
_WORD = re.compile(r"[^\s{}\[\],=:\"']+")
_SAID = frozenset(["value", "secret", "ownership", "raw", "owned", "seeded", "true", "false"])

# Lines below the key of a setting on which its table may hold the value.
_TABLE_LINES = 4


def masked_pbx_xml(text: str) -> str:
    """A pbx.xml, also a broken one, without values that are encrypted or sound like secrets."""
    parts: list[str] = []
    position = 0
    for tag in _TAG.finditer(text):
        if tag.start() < position or not ("encrypted" in tag[2] or _sounds_secret(tag[1])):
            continue
        end = text.find("</", tag.end())
        end = len(text) if end < 0 else end
        parts += (text[position : tag.start(2)], _masked_attributes(tag[2]))
        parts += (text[tag.end(2) : tag.end()], _masked(text[tag.end() : end]))
        position = end
    return "".join((*parts, text[position:]))


def _sounds_secret(name: str) -> bool:
    row = SETTINGS.get(name)
    if row is not None:
        return row.secret
    return not _SECRET_WORDS.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def _masked_attributes(text: str) -> str:
    return text if text.strip() in ('encrypted="true"', "encrypted='true'") else _masked(text)


def masked_desired(text: str) -> str:
    """A fleet file, also a broken one, without what stands where a reference to a secret belongs."""
    text = _USER.sub(lambda user: _masked(user[0]), text)
    if not _KEY.search(text):
        return text
    lines = split_lines(text)
    table = 0
    for number, line in enumerate(lines):
        key = _KEY.search(line)
        if key is not None:
            table = _TABLE_LINES
            if not _REFERENCE.match(line, key.end()):
                lines[number] = line[: key.end()] + _masked_words(line[key.end() :])
        elif table and (value := _VALUE.match(line)):
            lines[number] = line[: value.end()] + _masked_words(line[value.end() :])
        else:
            table = max(0, table - 1)
    return "\n".join(lines)


def masked_names(text: str) -> str:
    """A list of names that is none: perhaps the values of all settings. Only names are left readable."""
    lines = split_lines(text)
    return "\n".join(
        line if _NAME.fullmatch(line.strip()) or line.lstrip().startswith("#") else _masked(line)
        for line in lines
    )


def masked_at(text: str, spans: Iterable[Span]) -> str:
    """The text without what stands at these places; whole lines where one takes several."""
    lines = split_lines(text)
    for span in spans:
        for number in range(span.line - 1, min(span.end_line, len(lines))):
            line = lines[number]
            first = span.column - 1 if number == span.line - 1 else 0
            last = span.end_column - 1 if number == span.end_line - 1 else len(line)
            lines[number] = line[:first] + _masked(line[first:last]) + line[last:]
    return "\n".join(lines)


def lines_of_secrets(text: str) -> Iterator[int]:
    """Numbers of the lines of a fleet file that set a secret, from 1."""
    for number, line in enumerate(split_lines(text), 1):
        if _KEY.search(line):
            yield number


def _masked(text: str) -> str:
    return re.sub(r"\S", "*", text)


def _masked_words(text: str) -> str:
    return _WORD.sub(lambda word: word[0] if word[0] in _SAID else "*" * len(word[0]), text)
