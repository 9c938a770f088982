"""Documents that commands print, held against the published schemas, with no key untold."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from support.tree import ROOT


def closed(schema: Any) -> Any:
    """The schema without room for further keys: what is not described is found."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if "properties" in found and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def judge(name: str, document: Any) -> None:
    """Fail with every place where the document is not as the schema (`plan.schema.json`) says."""
    schema = json.loads((ROOT / "schemas" / name).read_text(encoding="utf-8"))
    found = Draft202012Validator(closed(schema)).iter_errors(document)
    faults = [f"{fault.json_path}: {fault.message}" for fault in found]
    assert not faults, "\n".join(faults)
