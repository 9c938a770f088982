"""JSON Schemas of the file formats, for editors; made from the models, so they cannot disagree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from pbxfleet.schema.files import FleetModel, HostModel, InstanceModel
from pbxfleet.schema.ledger import LedgerModel
from pbxfleet.schema.table import Table

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_MODELS: Mapping[str, type[Table]] = {
    "fleet.schema.json": FleetModel,
    "host.schema.json": HostModel,
    "instance.schema.json": InstanceModel,
    "ledger.schema.json": LedgerModel,
}


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


def json_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each file format by file name (`fleet.schema.json`)."""
    return {name: _schema(model) for name, model in _MODELS.items()}


def json_schema_files() -> dict[str, bytes]:
    """The files of the folder `schemas/` by name."""
    return {
        name: (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
        for name, schema in json_schemas().items()
    }


def _schema(model: type[Table]) -> dict[str, Any]:
    made = model.model_json_schema(schema_generator=_Generator)
    found = _without_titles(made)
    assert isinstance(found, dict)
    return {"$schema": _DIALECT, **found}


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
