"""JSON Schemas of the fleet format, for editors."""

from __future__ import annotations

import json
from typing import Any

from pbxfleet.host.workspace import write_tree
from pbxfleet.schema.json_schema import json_schemas


def schemas() -> dict[str, dict[str, Any]]:
    """Schemas by file name (`instance.schema.json`)."""
    return dict(json_schemas())


def write_schemas(folder: str) -> tuple[str, ...]:
    """Write all schemas into a folder; returns the names of those that changed."""
    files = {
        name: (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()
        for name, schema in schemas().items()
    }
    return write_tree(folder, files, prune=False).written
