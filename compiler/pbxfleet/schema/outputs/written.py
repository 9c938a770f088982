"""What commands print that write files, or would: fmt, move, init, demo, schema, completion."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from pbxfleet.model.resolved import Resource
from pbxfleet.schema.outputs.base import Document, Record
from pbxfleet.schema.outputs.diagnostics import DiagnosticModel


class FmtDocument(Document):
    """What fmt prints."""

    changed: list[str] = Field(
        description="Files that were formatted, or with --check would be.",
        examples=[["desired/fleet.toml"]],
    )
    diagnostics: list[DiagnosticModel] = Field(
        description="Why files were left alone that are broken."
    )


class MovedModel(Record):
    """One thing of a host, and who holds it."""

    host: str = Field(description="The host.", examples=["fra1"])
    kind: str = Field(
        description="What kind of thing it is.",
        examples=["addresses"],
        json_schema_extra={"enum": [str(word) for word in Resource]},
    )
    value: str = Field(description="The thing.", examples=["203.0.113.17"])
    before: list[str] = Field(description="Who held it.", examples=[["birch"]])
    after: list[str] = Field(description="Who holds it now.", examples=[["oak"]])


class MoveDocument(Document):
    """What move prints."""

    changes: list[MovedModel] = Field(
        description="What was written into the ledger, or with --check would be."
    )
    notes: list[str] = Field(
        description="What is to be done beside it.",
        examples=[["DNS, phones and firewalls have to follow"]],
    )


class InitDocument(Document):
    """What init prints."""

    directory: str = Field(description="The new repository.", examples=["my-fleet"])
    written: list[str] = Field(
        description="Its files, by their names in it.", examples=[["desired/fleet.toml"]]
    )


class DemoDocument(Document):
    """What demo prints."""

    kept: str | None = Field(
        description="Folder that was left there; null without --keep.", examples=["/srv/demo"]
    )


class SchemasDocument(Document):
    """What schema prints."""

    schemas: dict[str, dict[str, Any]] | None = Field(
        None,
        description="The schemas by file name; missing with --write.",
        examples=[{"fleet.schema.json": {"type": "object"}}],
    )
    written: list[str] | None = Field(
        None,
        description="schema --write: files that changed.",
        examples=[["schemas/fleet.schema.json"]],
    )


class CompletionDocument(Document):
    """What completion prints."""

    shell: Literal["bash", "zsh"] = Field(description="The shell.", examples=["bash"])
    script: str = Field(description="The script.", examples=["# AUTOMATICALLY GENERATED"])
