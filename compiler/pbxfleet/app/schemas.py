"""JSON Schemas: of the fleet format, for editors, and of what commands print, for programs."""

from __future__ import annotations

from typing import Any

from pbxfleet.host.written_tree import write_tree
from pbxfleet.schema.json_schema import json_schema_files, json_schemas, output_schemas


def schemas() -> dict[str, dict[str, Any]]:
    """Schemas of the fleet format by file name (`instance.schema.json`)."""
    return dict(json_schemas())


def all_schemas() -> dict[str, dict[str, Any]]:
    """These, and the schemas of what commands print or write (`plan.schema.json`)."""
    return {**json_schemas(), **output_schemas()}


def schema_files() -> dict[str, bytes]:
    """The files of a folder `schemas/` by name."""
    return dict(json_schema_files())


def editor_files() -> dict[str, bytes]:
    """Those of them that the files of a fleet repository name."""
    return dict(json_schema_files(outputs=False))


def write_schemas(folder: str) -> tuple[str, ...]:
    """Write all schemas into a folder; returns the names of those that changed."""
    return write_tree(folder, schema_files(), prune=False).written
