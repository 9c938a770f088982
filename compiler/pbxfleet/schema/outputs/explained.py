"""What can be looked up: codes, settings, roles of elements."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from pbxfleet.schema.outputs.base import ColumnNumber, Document, LineNumber, Record
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


class ExplainDocument(RootModel[CodesDocument | PageDocument | SettingDocument]):
    """What explain prints: of nothing, of a code, or of a setting."""


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
