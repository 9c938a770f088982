"""What was, and what was taken back: history, and the undo of an unfinished run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pbxfleet.schema.outputs.base import Count, DigestText, Document, DoWord, Record, unit


class GenerationModel(Record):
    """One run that changed the host."""

    number: int = Field(
        ge=1,
        description="Its number on this host.",
        examples=[7],
        json_schema_extra=unit("generations, the first is 1"),
    )
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    target: DigestText = Field(
        description="Digest of what was applied.", examples=["sha256:" + "0" * 64]
    )
    kind: Literal["apply", "rollback"] = Field(
        description="What kind of run it was.", examples=["apply"]
    )
    outcome: Literal["applied", "partly", "reverted"] = Field(
        description="Whether all of it stands, a part, or nothing.", examples=["applied"]
    )
    restores: int | None = Field(
        description="The generation that a rollback went back to.",
        examples=[None],
        json_schema_extra=unit("number of a generation"),
    )
    made: str = Field(
        description="When it ended, in UTC (ISO 8601).", examples=["2026-03-01T02:00:00Z"]
    )
    by: str = Field(description="Person or account that did it.", examples=["root"])
    instances: list[str] = Field(description="Instances that it changed.", examples=[["acme"]])
    restarted: list[str] = Field(
        description="Those of them that were interrupted.", examples=[["acme"]]
    )
    outside_window: str = Field(
        description="The reason for which it kept to no maintenance window; empty if it kept to them.",
        examples=["hole in TLS, all are told"],
    )
    version: str = Field(
        description="Version of the pbxfleet that made it; empty if that is not known.",
        examples=["0.1.0"],
    )


class HistoryDocument(Document):
    """What history prints."""

    kind: Literal["history"] = Field(description="Which document this is.", examples=["history"])
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    current: int | None = Field(
        description="The newest generation of which anything stands; null before the first.",
        examples=[7],
        json_schema_extra=unit("number of a generation"),
    )
    keep: int = Field(
        ge=1,
        description="How many are kept at most.",
        examples=[20],
        json_schema_extra=unit("generations"),
    )
    size_bytes: Count = Field(
        description="What all of them take with the contents that they need. Hard links to files in use "
        "are counted too.",
        examples=[1_400_000],
        json_schema_extra=unit("bytes"),
    )
    generations: list[GenerationModel] = Field(description="All that are kept, the newest first.")


class UndoneStepModel(Record):
    """One step of an unfinished run, and what became of taking it back."""

    number: int = Field(
        ge=1,
        description="Its number in the journal.",
        examples=[3],
        json_schema_extra=unit("steps"),
    )
    wave: str = Field(description="Instance, empty for the host.", examples=["acme"])
    do: DoWord = Field(description="What the step had done.", examples=["write"])
    path: str = Field(description="What it was about.", examples=["/etc/init.d/pbx-acme"])
    result: Literal["undone", "failed"] = Field(
        description="Whether it was taken back.", examples=["undone"]
    )
    message: str = Field(
        description="Why it could not be, or what had to be left; may be empty.", examples=[""]
    )


class UndoDocument(Document):
    """What apply --undo prints."""

    kind: Literal["undo"] = Field(description="Which document this is.", examples=["undo"])
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    steps: list[UndoneStepModel] = Field(description="The steps in the order of undoing.")


class ConfirmDocument(Document):
    """What confirm prints, unless it takes the change back."""

    kind: Literal["confirm"] = Field(description="Which document this is.", examples=["confirm"])
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    confirmed: bool = Field(
        description="Whether the change stays; false where only the deadline was moved.",
        examples=[True],
    )
    until: str = Field(
        description="The deadline, in UTC (ISO 8601).", examples=["2026-03-01T02:02:00Z"]
    )
