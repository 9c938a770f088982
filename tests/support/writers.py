"""The same plain data as TOML text and as YAML text, in the plainest and in other spellings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Data: TypeAlias = "str | int | bool | Sequence[Data] | Mapping[str, Data]"

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._/-]*(?<! )")
_NOT_TEXT = ("null", "true", "false")


def _text(value: str) -> str:
    # DEL is the one character that JSON leaves as it is and TOML does not take.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(data: Data) -> str:
    """The value in one line."""
    match data:
        case str():
            return _text(data)
        case bool():
            return "true" if data else "false"
        case int():
            return str(data)
        case Mapping():
            pairs = (f"{_key(key)} = {toml_value(value)}" for key, value in data.items())
            return "{ " + ", ".join(pairs) + " }"
    return "[" + ", ".join(map(toml_value, data)) + "]"


def toml_file(data: Mapping[str, Data], *, tables: bool) -> str:
    """A file; with `tables`, the tables at the top have [headers], else they stand in braces."""
    lines, below = [], []
    for key, value in data.items():
        if tables and isinstance(value, Mapping):
            below.append(f"\n[{_key(key)}]")
            below += [f"{_key(k)} = {toml_value(v)}" for k, v in value.items()]
        else:
            lines.append(f"{_key(key)} = {toml_value(value)}")
    return "\n".join([*lines, *below]) + "\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def yaml_value(data: Data) -> str:
    """The value in flow style; text without quotes where it stays text."""
    match data:
        case str():
            plain = _PLAIN.fullmatch(data) and data.lower() not in _NOT_TEXT
            return data if plain else _text(data)
        case bool():
            return "true" if data else "false"
        case int():
            return str(data)
        case Mapping():
            pairs = (f"{yaml_value(key)}: {yaml_value(value)}" for key, value in data.items())
            return "{" + ", ".join(pairs) + "}"
    return "[" + ", ".join(map(yaml_value, data)) + "]"


def yaml_file(data: Mapping[str, Data], *, blocks: bool) -> str:
    """A file; with `blocks`, tables are indented, else they stand in braces."""
    lines = []
    for key, value in data.items():
        if blocks and isinstance(value, Mapping) and value:
            lines.append(f"{yaml_value(key)}:")
            lines += [f"  {yaml_value(k)}: {yaml_value(v)}" for k, v in value.items()]
        elif blocks and isinstance(value, list) and value:
            lines.append(f"{yaml_value(key)}:")
            lines += [f"- {yaml_value(item)}" for item in value]
        else:
            lines.append(f"{yaml_value(key)}: {yaml_value(value)}")
    return "\n".join(lines) + "\n"
