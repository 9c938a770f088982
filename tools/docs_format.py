"""The page of the fleet format, from its JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pbxfleet.app.schemas import schemas

Schema = dict[str, Any]

INTRODUCTION = """\
# Fleet format 1

A fleet is a folder with these files, in TOML or in YAML, with the same keys:

| file | about |
| --- | --- |
| `desired/fleet.toml` | all hosts and instances |
| `desired/hosts/NAME.toml` | one server |
| `desired/instances/NAME.toml` | one PBX |
| `desired/ledger.toml` | allocations; written by `pbxfleet compile` |

The name of a file is the name of the host or instance: lower-case letters, digits and inner hyphens, at
most 63. An unknown key is an error. Paths to files of the repository are relative to `desired/`. YAML
scalars follow YAML 1.2: `NO`, `off`, `22:22` and `1.10` are text.

The [schemas](../../schemas/) say the same for editors; `pbxfleet schema --write DIR` writes them.

"""

LAYERS = """\
## Values of an instance

These keys may stand in an instance's file, in `[defaults]` of its host and in `[defaults]` of the fleet.
The nearer layer wins: instance, then host, then fleet. `listen`, `settings`, `backup` and `failover` are
laid over each other key by key; every other value is replaced whole.

"""

LISTEN = """\

A listener is a port (`80`: one bind on each address of the instance), `"off"`, or binds as the PBX writes
them (`"203.0.113.20:80 [2001:db8:1::1a]:80"`). A listener that is not declared keeps what the reference file
has, moved to the instance's own address. Ranges of ports and addresses include both ends.

### Settings

A setting is named by its element in `pbx.xml`. Its value has one of these forms:

| form | meaning |
| --- | --- |
| `sys_name = "ACME"` | text, a whole number or true/false; kept as declared (*owned*) |
| `log_length = { value = 200, ownership = "seeded" }` | written once, with the first file; then the PBX's |
| `new_name = { value = "x", raw = true }` | a name that neither the catalogue nor the reference file knows |
| `pw_pass = { secret = "acme/admin" }` | a secret is meant to be there; no value is in this repository |

A setting that is no longer declared is released: it stays in `pbx.xml` as it is. `unset` takes it out.

"""


def format_page() -> str:
    """The keys of every file; those of the layers once."""
    found: Mapping[str, Schema] = schemas()
    instance = found["instance.schema.json"]
    layer = _names(
        _resolved(found["fleet.schema.json"]["properties"]["defaults"], found["fleet.schema.json"])
    )
    parts = [INTRODUCTION]
    for name, title in (("fleet", "fleet.toml"), ("host", "hosts/NAME.toml")):
        schema = found[f"{name}.schema.json"]
        parts += [
            f"## {title}\n\n",
            *_table(schema, without=("$schema",), closed=("defaults",)),
            "\n",
        ]
    parts += ["## instances/NAME.toml\n\n", *_table(instance, without=("$schema", *layer))]
    parts += ["\nand the [values of an instance](#values-of-an-instance).\n\n", LAYERS]
    parts += [*_table(instance, without=_names(instance) - layer, closed=("settings",)), LISTEN]
    parts += ["## ledger.toml\n\nWritten by `pbxfleet compile`; commit it. ", _LEDGER, "\n\n"]
    return "".join([*parts, *_table(found["ledger.schema.json"])])


_LEDGER = "To have a value handed out anew, remove its line and compile."


def _names(schema: Schema) -> set[str]:
    return set(schema.get("properties", ()))


def _table(
    schema: Schema, *, without: Collection[str] = (), closed: Collection[str] = ()
) -> Iterator[str]:
    yield "| key | value | default | example | meaning |\n| --- | --- | --- | --- | --- |\n"
    yield from _rows(schema, schema, "", without, closed)


def _rows(
    schema: Schema, top: Schema, prefix: str, without: Collection[str], closed: Collection[str]
) -> Iterator[str]:
    required = schema.get("required", ())
    for key, found in schema.get("properties", {}).items():
        if not prefix and key in without:
            continue
        value = _resolved(found, top)
        cells = (
            f"`{prefix}{key}`" + (" (required)" if key in required else ""),
            _kind(value, top),
            _shown(found.get("default", value.get("default"))),
            _shown(next(iter(found.get("examples", value.get("examples", ()))), None)),
            _meaning(found if "description" in found else value),
        )
        yield f"| {' | '.join(cells)} |\n"
        if key in closed:
            continue
        yield from _rows(value, top, f"{prefix}{key}.", (), ())
        extra = value.get("additionalProperties")
        if isinstance(extra, dict):
            yield from _rows(_resolved(extra, top), top, f"{prefix}{key}.NAME.", (), ())


def _meaning(found: Schema) -> str:
    """The description without the default, which has a column of its own."""
    text = str(found.get("description", "")).replace("\n", " ")
    return text.removesuffix(f" Default: {json.dumps(found.get('default'))}.")


def _resolved(schema: Schema, top: Schema) -> Schema:
    """The schema behind a reference, with keys beside the reference kept."""
    for _ in range(10):
        reference = schema.get("$ref")
        options = [o for o in schema.get("anyOf", ()) if o.get("type") != "null"]
        if reference is None and len(options) == 1:
            reference = options[0].get("$ref")
        if reference is None:
            return schema
        found: Schema = top
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        schema = {**found, **{k: v for k, v in schema.items() if k not in ("$ref", "anyOf")}}
    return schema


def _shown(value: object) -> str:
    """A value as it stands in a TOML file."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "`{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) + " }`"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _kind(schema: Schema, top: Schema) -> str:
    kinds = list(dict.fromkeys(_kinds(schema, top)))
    singles = [kind for kind in kinds if not kind.startswith("list of ")]
    # "one, or a list of them" is said in these words where both are the same
    whole = "list of " + ", ".join(singles)
    if whole in kinds and len(kinds) == len(singles) + 1:
        return ", ".join(singles) + ", or a list of these"
    return " or ".join(filter(None, [", ".join(singles), *(k for k in kinds if k not in singles)]))


def _kinds(schema: Schema, top: Schema) -> Iterator[str]:
    if "enum" in schema:
        # `false` beside words is how old YAML parsers read `off`.
        yield from (f"`{json.dumps(v)}`" for v in schema["enum"] if v is not False)
    elif "const" in schema:
        yield f"`{json.dumps(schema['const'])}`"
    elif ("anyOf" in schema or "oneOf" in schema) and "properties" not in schema:
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            if option.get("type") != "null":
                yield from _kinds(_resolved(option, top), top)
    elif schema.get("type") == "array":
        items = _kinds(_resolved(schema.get("items", {}), top), top)
        yield "list of " + ", ".join(dict.fromkeys(items))
    else:
        words = {"object": "table", "integer": "number", "string": "text", "boolean": "true, false"}
        yield words.get(str(schema.get("type", "")), "")
