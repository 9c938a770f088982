"""The JSON Schemas are those of the models, and their examples are true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pbxfleet.schema.json_schema import json_schema_files, json_schemas
from support.fleetfiles import files_below, read_desired
from support.tree import ROOT
from support.writers import yaml_value

BASE = files_below(ROOT / "tests" / "golden" / "broken" / "_base")


def test_the_files_are_fresh() -> None:
    files = {name: (ROOT / "schemas" / name).read_bytes() for name in json_schema_files()}
    assert files == json_schema_files(), "make schemas rewrites them"
    assert sorted(p.name for p in (ROOT / "schemas").iterdir()) == sorted(files)


def tables(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    yield from schema.get("$defs", {}).values()


@pytest.mark.parametrize("name", json_schemas())
def test_every_key_is_described_and_no_other_is_admitted(name: str) -> None:
    for table in tables(json_schemas()[name]):
        assert table["description"]
        assert table["additionalProperties"] is False
        assert [k for k, v in table["properties"].items() if not v.get("description")] == []
    text = json.dumps(json_schemas()[name])
    assert '"null"' not in text
    assert '"title"' not in text


@pytest.mark.parametrize("kind", ["host", "instance"])
def test_examples_and_defaults_are_accepted(kind: str) -> None:
    schema = json_schemas()[f"{kind}.schema.json"]
    needed = {key: schema["properties"][key]["examples"][0] for key in schema.get("required", ())}
    for key, value in schema["properties"].items():
        defaults = [value["default"]] if "default" in value else []
        for example in (*value.get("examples", ()), *defaults):
            file = f"desired/{kind}s/x.yaml"
            text = yaml_value({**needed, key: example})
            assert read_desired({**BASE, file: text.encode()}).diagnostics == (), text


@pytest.mark.parametrize("table", ["ListenModel", "FailoverModel", "BackupModel"])
def test_examples_of_tables_are_accepted(table: str) -> None:
    key = table.removesuffix("Model").lower()
    properties = json_schemas()["instance.schema.json"]["$defs"][table]["properties"]
    data = {"host": "fra1", key: {name: p["examples"][0] for name, p in properties.items()}}
    text = yaml_value(data).encode()
    assert read_desired({**BASE, "desired/instances/x.yaml": text}).diagnostics == ()
