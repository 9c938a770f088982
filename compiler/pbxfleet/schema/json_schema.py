"""JSON Schemas of all formats, for editors and programs; made from the models, so they agree with them.

Beside what JSON Schema has, a key may have `x-unit` (what a number counts or names) and `x-left-out`
(what holds without the key, where there is no default). Descriptions repeat both in words, because
editors show descriptions only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from pbxfleet.schema.files import FleetModel, HostModel, InstanceModel
from pbxfleet.schema.layers import DefaultsModel, LayerModel
from pbxfleet.schema.ledger import LedgerModel
from pbxfleet.schema.left_out import LEFT_OUT
from pbxfleet.schema.outputs import DOCUMENTS
from pbxfleet.schema.shapes import UNIT
from pbxfleet.schema.table import Table

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_MODELS: Mapping[str, type[Table]] = {
    "fleet.schema.json": FleetModel,
    "host.schema.json": HostModel,
    "instance.schema.json": InstanceModel,
    "ledger.schema.json": LedgerModel,
}


# Models that have the keys of a layer, by the names that they have among the definitions.
_LAYERS = (InstanceModel.__name__, DefaultsModel.__name__)


class _Generator(GenerateJsonSchema):
    """The formats have no null: a key that says nothing is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        return {
            "type": "object",
            "additionalProperties": values,
            **({"propertyNames": {"pattern": keys["pattern"]}} if "pattern" in keys else {}),
        }

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _OutputGenerator(GenerateJsonSchema):
    """Documents of programs: a key that may be missing is never null."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = schema["schema"]
        return self.generate_inner(inner["schema"] if inner["type"] == "nullable" else inner)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each file that people or compile write, by file name (`fleet.schema.json`)."""
    return {name: _schema(model, _Generator) for name, model in _MODELS.items()}


def output_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each document that commands print or write, by file name (`plan.schema.json`)."""
    return {name: _schema(model, _OutputGenerator) for name, model in DOCUMENTS.items()}


def json_schema_files(*, outputs: bool = True) -> dict[str, bytes]:
    """The files of the folder `schemas/` by name; without `outputs` only those that editors need."""
    found = json_schemas() | (output_schemas() if outputs else {})
    return {
        name: (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
        for name, schema in found.items()
    }


def _schema(model: type[BaseModel], generator: type[GenerateJsonSchema]) -> dict[str, Any]:
    found = _without_titles(model.model_json_schema(schema_generator=generator))
    assert isinstance(found, dict)
    for name, table in ((model.__name__, found), *found.get("$defs", {}).items()):
        for key, value in table.get("properties", {}).items():
            _tell_more(value, _left_out(name, key))
    return {"$schema": _DIALECT, **found}


def _left_out(model: str, key: str) -> str:
    of_layer = LEFT_OUT[LayerModel.__name__] if model in _LAYERS else {}
    return LEFT_OUT.get(model, {}).get(key, of_layer.get(key, ""))


def _tell_more(value: dict[str, Any], left_out: str) -> None:
    """Say in the description of a key what its unit and default are, or what holds without it."""
    told = [value.get("description", "")]
    units = sorted(_units(value))
    if units:
        told.append(f"Unit: {', '.join(units)}.")
    if "default" in value:
        told.append(f"Default: {json.dumps(value['default'])}.")
    elif left_out:
        value["x-left-out"] = left_out
        told.append(f"Left out: {left_out}.")
    value["description"] = " ".join(filter(None, told))


def _units(part: Any) -> set[str]:
    """Units of a value: its own, or those of its alternatives and items."""
    if not isinstance(part, dict):
        return set()
    found = {part[UNIT]} if UNIT in part else set()
    for below in (*part.get("anyOf", ()), part.get("items")):
        found |= _units(below)
    return found


def _without_titles(part: Any) -> Any:
    """The schema without the names of our classes, which mean nothing to whoever writes a fleet."""
    if isinstance(part, list):
        return [_without_titles(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _without_titles(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str))
    }
