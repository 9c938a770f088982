"""What can be looked up: codes, settings, roles of elements."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from pbxfleet.schema.outputs.base import ColumnNumber, Count, Document, LineNumber, Record, unit
from pbxfleet.schema.outputs.rendered import ElementModel


class CodesDocument(Document):
    """What explain prints of nothing: the list of all codes."""

    codes: dict[str, str] = Field(
        description="Titles of the pages by code.",
        examples=[{"BND101": "two claims of one socket"}],
    )


class PageDocument(Document):
    """What explain prints of a code."""

    code: str = Field(description="The code.", examples=["BND101"])
    page: str = Field(
        description="Its page, in Markdown.", examples=["# BND101: two claims of one socket\n"]
    )


class BlameModel(Record):
    """The commit that wrote a line."""

    commit: str = Field(description="Short id of the commit.", examples=["0f6a1c2b9d"])
    author: str = Field(description="Name of its author.", examples=["Operator"])
    date: str = Field(description="Its day, YYYY-MM-DD.", examples=["2026-03-01"])
    subject: str = Field(description="First line of its message.", examples=["Name the switch"])


class LayerModel(Record):
    """One place that gives a value to the setting."""

    place: str = Field(description="The place.", examples=["desired/instances/acme.yaml:9:13"])
    wins: bool = Field(description="Whether its value holds; the others were overridden.")
    blame: BlameModel | None = Field(
        description="Commit that wrote the line; null where it is not committed."
    )


class SettingDocument(Document, ElementModel):
    """What explain prints of a setting: the declared element, and every layer that gives a value."""

    host: str = Field(description="The host.", examples=["fra1"])
    instance: str = Field(description="The instance.", examples=["acme"])
    layers: list[LayerModel] = Field(description="Places that give a value, nearest first.")
    stale: list[str] = Field(
        description="Files that have changed since the value was compiled.",
        examples=[["desired/fleet.toml"]],
    )


class SourceModel(Record):
    """A value in the lines that were asked for: changing it changes them."""

    what: str = Field(description="Which value, in the words of the format.", examples=["cpu"])
    is_default: bool = Field(description="Whether nothing says it; the place could.")
    place: str = Field(description="Where it is written.", examples=["desired/fleet.toml:10:7"])
    file: str = Field(description="The file.", examples=["desired/fleet.toml"])
    line: LineNumber = Field(description="Its line.", examples=[10])
    column: ColumnNumber = Field(description="First character in it.", examples=[7])
    end_line: LineNumber = Field(description="Line of its end.", examples=[10])
    end_column: ColumnNumber = Field(description="The character behind its end.", examples=[13])
    lines: list[LineNumber] = Field(
        description="Numbers of the rendered lines that have it.", examples=[[16]]
    )
    layers: list[LayerModel] = Field(description="Places that give it, nearest first.")


class WrittenByModel(Record):
    """The line of a template, or of a reference file, that wrote a line."""

    file: str = Field(description="Its file.", examples=["systemd.service.j2"])
    line: LineNumber = Field(description="Its number.", examples=[17])
    own: bool = Field(description="Whether it is a template of pbxfleet, or in the repository.")


class SinceModel(Record):
    """The generation of a host that brought a line."""

    generation: Count = Field(
        description="Its number.", examples=[3], json_schema_extra=unit("generations")
    )
    at: str = Field(description="When, in UTC.", examples=["2026-03-01T02:00:00Z"])
    by: str = Field(description="Who applied it.", examples=["operator"])


class RenderedDocument(Document):
    """What explain prints of a rendered file, or of a line of it."""

    path: str = Field(description="The file.", examples=["rendered/fra1/manifest.json"])
    line: LineNumber | None = Field(description="The line; null for the whole file.", examples=[2])
    length: Count = Field(
        description="Number of its lines.", examples=[45], json_schema_extra=unit("lines")
    )
    text: str | None = Field(description="The line itself.", examples=["CPUAffinity=2"])
    element: str | None = Field(
        description="The declared element of pbx.xml on the line.", examples=["sys_name"]
    )
    resource: str = Field(
        description="The resource; empty for what is not put on the host.",
        examples=["file:/etc/pbx/backup.list"],
    )
    instance: str = Field(description="Its instance; empty for the host's own.", examples=["acme"])
    mode: str | None = Field(description="Its permission bits, octal.", examples=["0644"])
    owner: str = Field(description="Its owner and group.", examples=["root:root"])
    ownership: str = Field(
        description="Who keeps it: whole (as rendered), owned, seeded, foreign; or empty.",
        examples=["whole"],
    )
    impact: str = Field(
        description="What a change of it costs; empty for what is not put on the host.",
        examples=["restart"],
    )
    sources: list[SourceModel] = Field(description="The values that it comes from.")
    written_by: list[WrittenByModel] = Field(
        description="Lines of templates and reference files, in the order in which they wrote it."
    )
    declared_by: list[LayerModel] = Field(description="What makes the file be there.")
    applied: SinceModel | None = Field(
        description="Since when the host has it; null where that is not known here, or not yet."
    )
    stale: bool = Field(description="Whether the file on the disk is not what is compiled now.")


class ExplainDocument(RootModel[CodesDocument | PageDocument | SettingDocument | RenderedDocument]):
    """What explain prints: of nothing, of a code, of a setting, of a rendered file or line."""


class ProposalModel(Record):
    """An element that may have a role; a person decides."""

    name: str = Field(description="Name of the element.", examples=["ip_http_port"])
    value: str = Field(description="Its value in the file.", examples=["203.0.113.10:80"])
    role: str = Field(description="Word of a role, or ? where none is told.", examples=["http"])
    confidence: Literal["confirmed", "likely", "possible", "unknown"] = Field(
        description="How sure it is.", examples=["confirmed"]
    )
    why: str = Field(
        description="Why, in words.", examples=["the vendor's documentation names this element"]
    )
    file: str = Field(description="The file.", examples=["desired/reference/pbx.xml"])
    line: LineNumber = Field(description="Line of the value.", examples=[15])
    column: ColumnNumber = Field(description="First character in it.", examples=[17])


class ProposalsDocument(Document):
    """What learn prints."""

    proposals: list[ProposalModel] = Field(description="Elements that may have a role.")


class NamesDocument(Document):
    """What learn --names prints."""

    names: list[str] = Field(
        description="Names of all settings, sorted.", examples=[["ip_http_port", "sys_name"]]
    )


class LearnDocument(RootModel[ProposalsDocument | NamesDocument]):
    """What learn prints: proposals for [catalogue], or with --names the names of all settings."""
