"""What report says as data: the page itself is for people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pbxfleet.schema.outputs.base import Record
from pbxfleet.schema.outputs.diagnostics import FindingsDocument


class AttentionModel(Record):
    """One thing that needs a person."""

    urgency: Literal["now", "soon", "know"] = Field(
        description="How soon; know is only good to know.", examples=["soon"]
    )
    text: str = Field(description="What it is.", examples=["no room for another instance on fra1"])
    hint: str = Field(description="What to do, or why; may be empty.", examples=["used up: cores"])


class ReportDocument(FindingsDocument):
    """What report prints; of a fleet with errors there are no hosts and nothing is written."""

    hosts: list[str] = Field(description="The hosts on the page.", examples=[["ber1", "fra1"]])
    attention: list[AttentionModel] = Field(
        description="What needs attention, the most urgent first, folded by its kind."
    )
    written: str | None = Field(
        description="The page that was written; null without --out.", examples=["fleet.html"]
    )
