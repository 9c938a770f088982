"""How pydantic reads nodes: tables as models, lists and open tables as such, values by a reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from pbxfleet.schema.problem import KEY, problem
from pbxfleet.schema.scalars import scalar, words_for
from pbxfleet.source.nodes import MappingNode, Node, ScalarNode, SequenceNode


def entries_of(node: Node) -> dict[str, Node]:
    """Keys and value nodes of a table. Problems: FMT106, FMT110."""
    if isinstance(node, MappingNode):
        return {entry.key: entry.node for entry in node.entries}
    if isinstance(node, ScalarNode):
        scalar(node, "a table of keys with values")
    raise problem("FMT106", f"{KEY} must be a table of keys with values, not {words_for(node)}")


class Table(BaseModel):
    """A table with fixed keys. Every value in it is a node until its field's reader has seen it."""

    # Built on first use: a run reads few kinds of tables.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _entries(cls, node: Any) -> dict[str, Node]:
        return entries_of(node)


class Reads:
    """Annotation of a value that a function reads from its node; `schema` is its JSON Schema."""

    def __init__(self, read: Callable[[Node], object], schema: Mapping[str, Any]) -> None:
        self.read = read
        self.schema = schema

    def __get_pydantic_core_schema__(
        self, _type: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.schema)


class _Before:
    """Annotation that turns a node into what pydantic's own list or dict takes."""

    def __init__(self, unwrap: Callable[[Any], object]) -> None:
        self.unwrap = unwrap

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.unwrap, handler(kind))


OPEN_TABLE = _Before(entries_of)


class Items(_Before):
    """Annotation of a list; `single` also takes one value that stands for a list of one.

    `unique` tells editors that no value may be there twice; `validate` says so with both places.
    """

    def __init__(
        self, *, single: bool = False, wanted: str = "a list", unique: bool = False
    ) -> None:
        super().__init__(self._items)
        self.unique = unique
        self.single = single
        self.wanted = wanted

    def _items(self, node: Node) -> list[Node]:
        if isinstance(node, ScalarNode) and self.single:
            return [scalar(node, self.wanted)]
        if not isinstance(node, SequenceNode):
            one = isinstance(node, ScalarNode)
            hint = f'write ["{scalar(node, self.wanted).text}"]' if one else ""
            message = f"{KEY} must be {self.wanted}, not {words_for(node)}"
            raise problem("FMT106", message, hint=hint)
        if self.single and not node.items:
            raise problem("FMT106", f"{KEY} must be {self.wanted}, not an empty list")
        return list(node.items)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed = handler(schema) | ({"uniqueItems": True} if self.unique else {})
        if not self.single:
            return listed
        return {"anyOf": [listed["items"], {**listed, "minItems": 1}]}
