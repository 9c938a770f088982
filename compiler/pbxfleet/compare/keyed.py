"""What differs between two mappings, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from deepdiff import DeepDiff


class Delta(NamedTuple):
    """One field that differs, by its keys; None where one side does not have it."""

    path: tuple[str, ...]
    before: object
    after: object

    def text(self) -> str:
        """`resources file:/etc/x mode: 0644 -> 0600`."""
        return f"{' '.join(self.path)}: {_shown(self.before)} -> {_shown(self.after)}"


def deltas(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Delta, ...]:
    """Fields that differ, in order of their keys.

    Only keyed structures are compared field by field: two lists that differ are one difference, since
    positions say nothing about what belongs together.
    """
    tree = DeepDiff(_flat(before), _flat(after), view="tree", ignore_order=False)
    found = []
    for kind in (
        "values_changed",
        "type_changes",
        "dictionary_item_added",
        "dictionary_item_removed",
    ):
        for level in tree.get(kind, ()):
            keys = tuple(str(key) for key in level.path(output_format="list"))
            old = None if kind == "dictionary_item_added" else level.t1
            new = None if kind == "dictionary_item_removed" else level.t2
            found.append(Delta(keys, old, new))
    return tuple(sorted(found, key=lambda d: d.path))


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return "{...}" if isinstance(value, Mapping) else str(value)


def _flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings stay mappings; a list becomes one value, its text."""
    return {
        key: _flat(value)
        if isinstance(value, Mapping)
        else ", ".join(map(str, value))
        if isinstance(value, (list, tuple))
        else value
        for key, value in data.items()
    }
