"""Another value of the same kind for any value of the format, and trees with one value exchanged.

What comes out is only looked at to see which lines differ: it need not be valid, only unlike everything
else. `number` makes two exchanged values differ from each other, so that a list of them stays a list.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

FAR = 70_000  # no port, core, or number of seconds of the format is as large
# Addresses that no fleet hands out: for benchmarks of devices (RFC 2544) and documentation (RFC 3849).
FAR_IPV4 = int(IPv4Address("198.18.0.0"))
FAR_IPV4_SIZE = 1 << 17
FAR_IPV6 = int(IPv6Address("2001:db8:ffff::"))


def turned(value: Any, number: int) -> Any:
    """A value of the same type that is not `value`; of None and what has no other value, the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, StrEnum):
        members = list(type(value))
        return members[(members.index(value) + 1) % len(members)]
    if isinstance(value, int):
        return value + FAR + number
    if isinstance(value, str):  # of a path, the name and the folder
        return f"/~{number}{value}~{number}" if value[:1] == "/" else f"{value}~{number}"
    if isinstance(value, IPv4Interface | IPv6Interface):
        return type(value)((int(_far(value.version, number)), value.network.prefixlen))
    if isinstance(value, IPv4Address | IPv6Address):
        return _far(value.version, number)
    if isinstance(value, IPv4Network | IPv6Network):
        return type(value)((int(_far(value.version, number)), value.max_prefixlen))
    return _turned_parts(value, number)


def _far(version: int, number: int) -> IPv4Address | IPv6Address:
    if version == 4:
        return IPv4Address(FAR_IPV4 + number % FAR_IPV4_SIZE)
    return IPv6Address(FAR_IPV6 + number)


def _turned_parts(value: Any, number: int) -> Any:
    if isinstance(value, tuple):
        parts = [turned(part, number) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, Mapping):
        return {key: turned(part, number) for key, part in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        compared = (f.name for f in dataclasses.fields(value) if f.compare)
        changed = {name: turned(getattr(value, name), number) for name in compared}
        return dataclasses.replace(value, **changed)
    return value


def exchanged(tree: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The tree with what stands at `path` (attributes, indices, keys) changed."""
    if not path:
        return change(tree)
    step, rest = path[0], path[1:]
    if isinstance(tree, Mapping):
        return {**tree, step: exchanged(tree[step], rest, change)}
    if isinstance(step, int):
        return (*tree[:step], exchanged(tree[step], rest, change), *tree[step + 1 :])
    part = exchanged(getattr(tree, step), rest, change)
    if isinstance(tree, tuple):
        return tree._replace(**{step: part})  # type: ignore[attr-defined]
    return dataclasses.replace(tree, **{step: part})


def substituted(tree: Any, old: Any, new: Any) -> Any:
    """The tree with every value that equals `old`, and its spelling within texts, exchanged for `new`."""
    if type(tree) is type(old) and tree == old:
        return new
    if isinstance(tree, str) and not isinstance(tree, StrEnum):
        return _respelled(tree, str(old), str(new))
    if isinstance(tree, tuple):
        parts = [substituted(part, old, new) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    if isinstance(tree, Mapping):
        return {key: substituted(part, old, new) for key, part in tree.items()}
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree) if f.compare]
        changed = {name: substituted(getattr(tree, name), old, new) for name in names}
        return dataclasses.replace(tree, **changed)
    return tree


def _respelled(text: str, old: str, new: str) -> str:
    """`new` for every `old` in the text that is not a part of a longer word."""
    parts = text.split(old)
    found = parts[0]
    for part in parts[1:]:
        alone = not (found[-1:].isalnum() or part[:1].isalnum())
        found += (new if alone else old) + part
    return found
