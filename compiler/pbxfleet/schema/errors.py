"""Pydantic's errors as diagnostics: the path of a value becomes its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from pbxfleet.core.diagnostics import Diagnostic, did_you_mean, nearest
from pbxfleet.core.span import whole_file
from pbxfleet.pbx.roles import CONFIRMED
from pbxfleet.schema.problem import KEY
from pbxfleet.schema.table import Table
from pbxfleet.source.limits import MAX_PROBLEMS
from pbxfleet.source.nodes import MappingNode, Node, SequenceNode
from pbxfleet.source.screen import clipped

M = TypeVar("M", bound=Table)

# Roles whose element names the vendor documents: a fleet has nothing to say about them.
_CONFIRMED = tuple(role.value for role in CONFIRMED)

_DIGEST_LENGTH = 64
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def read_table(
    model: type[M], root: MappingNode, elsewhere: Mapping[str, str]
) -> tuple[M | None, tuple[Diagnostic, ...]]:
    """The model of a file, or None and every problem of it.

    `elsewhere` says of a key where it belongs ("an instance file"), for keys at the wrong place.
    """
    try:
        return model.model_validate(root), ()
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        listed = tuple(_diagnostic(e, model, root, elsewhere) for e in found[:MAX_PROBLEMS])
        return None, not_all(listed, len(found))


def not_all(listed: tuple[Diagnostic, ...], count: int) -> tuple[Diagnostic, ...]:
    """The first problems of a file; the hint of the last one says how many are not listed."""
    if count <= len(listed):
        return listed
    more = f"{count - len(listed)} more problems of this file are not listed"
    last = listed[-1]
    return (*listed[:-1], replace(last, hint=f"{last.hint}; {more}" if last.hint else more))


def _diagnostic(
    error: Any, model: type[Table], root: MappingNode, elsewhere: Mapping[str, str]
) -> Diagnostic:
    path = error["loc"]
    match error["type"]:
        case "missing":
            return _missing(model, _Spot(root, path[:-1]), str(path[-1]))
        case "extra_forbidden":
            return _unknown(model, _Spot(root, path), elsewhere)
    spot = _Spot(root, path)
    context = error["ctx"]
    return Diagnostic(
        error["type"],
        _named(context["text"], spot.label),
        context["span"] or spot.span,
        hint=clipped(context["hint"]),
    )


def _named(message: str, label: str) -> str:
    return clipped(label + message.removeprefix(KEY) if message.startswith(KEY) else message)


class _Spot:
    """Where a path of keys and indices leads; components that pydantic inserted are skipped."""

    def __init__(self, root: MappingNode, path: Sequence[str | int]) -> None:
        self.file = root.span.file
        self.span = whole_file(self.file)
        self.key_span = self.span
        self.keys: list[str] = []
        node: Node = root
        for part in path:
            if isinstance(part, int) and isinstance(node, SequenceNode):
                node = node.items[part]
                self.span = self.key_span = node.span
            elif isinstance(node, MappingNode) and (entry := node.get(str(part))) is not None:
                node = entry.node
                self.span, self.key_span = node.span, entry.key_span
                self.keys.append(entry.key)
            elif part == "[key]":  # pydantic's word for the key before it; a file may have it too
                self.span = self.key_span

    @property
    def label(self) -> str:
        """The path as people write it: `listen.http`, `releases."70.5".reference`."""
        return ".".join(k if _BARE_KEY.fullmatch(k) else f'"{clipped(k, 60)}"' for k in self.keys)


def _missing(model: type[Table], parent: _Spot, key: str) -> Diagnostic:
    """FMT105 at the key of the table that lacks it, in a list at the table, else at the file."""
    where = f"{parent.label} lacks" if parent.keys else "the file lacks"
    field = fields_of(_table_at(model, parent.keys)).get(key)
    hint = ""
    if field is not None and field.examples:
        hint = f"for example {_written(key, field.examples[0], parent.file)}"
    return Diagnostic("FMT105", f'{where} the key "{key}"', parent.key_span, hint=hint)


def _written(key: str, value: object, file: str) -> str:
    """A key with an example value as it would stand in that file."""
    equals = " = " if file.endswith(".toml") else ": "
    if isinstance(value, Mapping):
        inner = ", ".join(_written(below, part, file) for below, part in value.items())
        return f"{key}{equals}{{ {inner} }}"
    if isinstance(value, str) and len(value) == _DIGEST_LENGTH:
        value = "64 hex digits"
    return f'{key}{equals}"{value}"' if isinstance(value, str) else f"{key}{equals}{value}"


def _unknown(model: type[Table], spot: _Spot, elsewhere: Mapping[str, str]) -> Diagnostic:
    """FMT104 at the key, with the nearest known key or the place where this one belongs."""
    *parents, key = spot.keys
    known = [name for name in fields_of(_table_at(model, parents)) if not name.startswith("$")]
    place = elsewhere.get(key)
    close = nearest(key, known)
    if parents[:1] == ["releases"] and len(parents) == 2 and key.isdecimal():
        hint = f'a name with a dot stands in quotes: releases."{parents[-1]}.{key}"'
    elif parents == ["catalogue"] and key in _CONFIRMED:
        hint = f"the element of {key} is confirmed, nothing is to be mapped"
    elif place is not None:
        hint = f'"{key}" is a key of {place}' + (f'; did you mean "{close}"?' if close else "")
    else:
        hint = did_you_mean(key, known)
    where = f" in {spot.label.rpartition('.')[0]}" if parents else ""
    return Diagnostic(
        "FMT104", f'unknown key "{clipped(key, 60)}"{where}', spot.key_span, hint=hint
    )


def fields_of(table: type[Table] | None) -> Mapping[str, FieldInfo]:
    """Fields by the keys that a file uses."""
    if table is None:
        return {}
    return {field.alias or name: field for name, field in table.model_fields.items()}


def _table_at(model: type[Table], keys: Sequence[str]) -> type[Table] | None:
    """The model of the table under a path of keys."""
    table: type[Table] | None = model
    open_table = False
    for key in keys:
        if open_table:
            open_table = False
            continue
        field = fields_of(table).get(key)
        if field is None:
            return None
        annotations = list(_annotations(field.annotation))
        table = next((a for a in annotations if _is_table(a)), None)
        open_table = any(get_origin(a) is dict for a in annotations)
    return table


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Table)


def _annotations(annotation: Any) -> Iterator[Any]:
    """The annotation and everything it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _annotations(part)
