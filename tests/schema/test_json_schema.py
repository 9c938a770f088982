"""The JSON Schemas are those of the models, complete, and their examples are true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pbxfleet.app.schemas import editor_files, schema_files
from pbxfleet.schema.json_schema import json_schemas, output_schemas
from pbxfleet.schema.left_out import LEFT_OUT
from support.fleetfiles import files_below, read_desired
from support.tree import ROOT
from support.writers import yaml_value

BASE = files_below(ROOT / "tests" / "golden" / "broken" / "_base")
ALL = {**json_schemas(), **output_schemas()}

# The vendor names none of these elements in public: an example would be taken for a name that is right.
WITHOUT_EXAMPLES = {"CatalogueModel"}


def test_the_files_are_fresh() -> None:
    files = {name: (ROOT / "schemas" / name).read_bytes() for name in schema_files()}
    assert files == schema_files(), "make schemas rewrites them"
    assert sorted(p.name for p in (ROOT / "schemas").iterdir()) == sorted(files)
    assert editor_files() == {name: files[name] for name in json_schemas()}


def tables(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "", schema
    yield from schema.get("$defs", {}).items()


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], bool]]:
    """Every key of every table: the table's name, the key, its schema, whether it is required."""
    for name, table in tables(schema):
        for key, value in table.get("properties", {}).items():
            yield name, key, value, key in table.get("required", ())


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """The alternatives and items that a value is made of."""
    if isinstance(schema, dict):
        yield schema
        for below in (*schema.get("anyOf", ()), *schema.get("prefixItems", ())):
            yield from parts(below)
        yield from parts(schema.get("items"))


def is_table(schema: dict[str, Any]) -> bool:
    return any("$ref" in part or "additionalProperties" in part for part in parts(schema))


def says_itself(schema: dict[str, Any]) -> bool:
    return any({"enum", "const"} & set(part) for part in parts(schema)) or all(
        part.get("type") in ("boolean", "null") for part in parts(schema) if "anyOf" not in part
    )


@pytest.mark.parametrize("name", ALL)
def test_it_is_a_schema_of_2020_12(name: str) -> None:
    assert ALL[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(ALL[name])
    assert '"title"' not in json.dumps(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_everything_is_described(name: str) -> None:
    for table, schema in tables(ALL[name]):
        assert schema["description"], table
    bare = [(t, k) for t, k, value, _ in keys(ALL[name]) if not value.get("description")]
    assert bare == []


@pytest.mark.parametrize("name", ALL)
def test_every_number_has_a_unit(name: str) -> None:
    bare = [
        (table, key)
        for table, key, value, _ in keys(ALL[name])
        for part in parts(value)
        if part.get("type") == "integer" and not {"x-unit"} & (set(part) | set(value))
    ]
    assert bare == []


@pytest.mark.parametrize("name", ALL)
def test_every_value_has_an_example(name: str) -> None:
    bare = [
        (table, key)
        for table, key, value, _ in keys(ALL[name])
        if not value.get("examples") and "default" not in value
        if not is_table(value) and not says_itself(value) and table not in WITHOUT_EXAMPLES
    ]
    assert bare == []


@pytest.mark.parametrize("name", json_schemas())
def test_every_key_says_what_holds_without_it(name: str) -> None:
    """Its default, or a row in left_out.py."""
    bare = [
        (table or name, key)
        for table, key, value, required in keys(ALL[name])
        if not required and not {"default", "x-left-out"} & set(value)
    ]
    assert bare == []


def test_no_row_about_left_out_keys_is_idle() -> None:
    told = {
        value["x-left-out"]
        for s in ALL.values()
        for *_, value, _ in keys(s)
        if "x-left-out" in value
    }
    assert {text for rows in LEFT_OUT.values() for text in rows.values()} == told


@pytest.mark.parametrize("name", json_schemas())
def test_files_of_people_have_no_other_keys_and_no_null(name: str) -> None:
    for _, table in tables(ALL[name]):
        if "properties" in table:
            assert table["additionalProperties"] is False
    assert '"null"' not in json.dumps(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_examples_and_defaults_fit_their_own_schema(name: str) -> None:
    schema = ALL[name]
    for table, key, value, _ in keys(schema):
        judge = Draft202012Validator({**value, "$defs": schema.get("$defs", {})})
        defaults = [value["default"]] if "default" in value else []
        for example in (*value.get("examples", ()), *defaults):
            assert [e.message for e in judge.iter_errors(example)] == [], (table, key)


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
