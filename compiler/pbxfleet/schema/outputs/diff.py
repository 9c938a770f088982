"""What a change of the repository does to every host."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pbxfleet.model.revisions import Source
from pbxfleet.schema.outputs.base import (
    Count,
    Document,
    ImpactWord,
    LineNumber,
    Record,
    VerbWord,
    unit,
)
from pbxfleet.schema.outputs.diagnostics import DiagnosticModel
from pbxfleet.schema.outputs.plan import ChangeModel, FieldModel, NoteModel

SourceWord = Annotated[str, Field(json_schema_extra={"enum": [str(word) for word in Source]})]


class RevisionModel(Record):
    """One side; all but the word is empty for the working tree."""

    word: str = Field(description="What named it.", examples=["main"])
    object: str = Field(description="Whole name of the commit.", examples=["1a2b3c4d" * 5])
    author: str = Field(description="Author of the commit.", examples=["A. Author"])
    date: str = Field(description="Day of the commit, ISO 8601.", examples=["2026-02-03"])
    subject: str = Field(description="First line of its message.", examples=["Pin acme"])


class CountsModel(Record):
    """What the diff amounts to; instances are `host/instance`."""

    hosts: list[str] = Field(description="Hosts with an effect.", examples=[["fra1"]])
    instances: list[str] = Field(
        description="Instances with an effect, those among them of which nothing changes on the host.",
        examples=[["fra1/acme"]],
    )
    created: list[str] = Field(description="New instances.", examples=[[]])
    removed: list[str] = Field(description="Instances no longer declared.", examples=[[]])
    moved: list[str] = Field(
        description="Instances that had another name, or another host.", examples=[[]]
    )
    restarts: list[str] = Field(
        description="Instances there before and after that restart.", examples=[["fra1/acme"]]
    )
    live: list[str] = Field(
        description="Those in which settings change while they run.", examples=[[]]
    )
    files: Count = Field(
        description="Files and release files to write or remove.",
        examples=[3],
        json_schema_extra=unit("files"),
    )
    settings: Count = Field(
        description="Settings to write or remove.",
        examples=[2],
        json_schema_extra=unit("settings"),
    )


class HostSidesModel(Record):
    """A host that was looked at; hosts that are not here are the same on both sides."""

    host: str = Field(description="Name of the host.", examples=["fra1"])
    before: SourceWord = Field(
        description="Where its first target comes from: rendered/, compiled anew, not declared, or not "
        "to be had since desired/ has errors.",
        examples=["rendered"],
    )
    after: SourceWord = Field(
        description="Where its second target comes from.", examples=["compiled"]
    )
    instances: list[str] = Field(
        description="All instances that it has on the second side, or had on the first if it is gone.",
        examples=[["acme", "birch"]],
    )


class LineModel(Record):
    """A line of a rendered file."""

    sign: Literal["-", "+", " "] = Field(
        description="Only before, only after, or on both sides.", examples=["+"]
    )
    number: LineNumber = Field(description="Line in the file that has it.", examples=[12])
    text: str = Field(description="The line.", examples=["Nice=-5"])
    origin: list[str] = Field(
        description="Places that it comes from, in the revision that has it; those that the change "
        "touched first. Of the first effect of each block only; else, for lines on both sides, and in "
        "patterns, empty.",
        examples=[["desired/hosts/fra1.toml:7:8"]],
    )


class FileLinesModel(Record):
    """The lines of one file that differ."""

    resource: str = Field(
        description="Id of the file.", examples=["file:/etc/systemd/system/pbx-acme.service"]
    )
    lines: list[LineModel] = Field(description="In order, with a line around each difference.")
    left: Count = Field(
        description="Lines that differ and are not listed.",
        examples=[0],
        json_schema_extra=unit("lines"),
    )


class EffectModel(Record):
    """What happens to one instance, or to the host itself."""

    host: str = Field(description="Name of the host.", examples=["fra1"])
    instance: str = Field(
        description="Name of the instance; empty for the host itself.", examples=["acme"]
    )
    action: VerbWord = Field(
        description="create, update, remove, move, or keep where nothing on the host changes.",
        examples=["update"],
    )
    was: str = Field(
        description="Former name, or host/instance of the former place; else empty.", examples=[""]
    )
    impact: ImpactWord = Field(description="The dearest of its changes.", examples=["restart"])
    reason: str = Field(description="Why it costs that.", examples=["needed by pbx.xml"])
    changes: list[ChangeModel] = Field(
        description="Resources that differ, as a plan on a host with the first side would say it. `(not "
        "declared)` stands for whatever the host has."
    )
    facts: list[FieldModel] = Field(description="What else is declared otherwise.")
    lines: list[FileLinesModel] = Field(description="Lines of files that are on both sides.")
    notes: list[NoteModel] = Field(description="What would forbid applying it.")
    words: dict[str, str] = Field(
        description="What it has of its own, by the placeholder in the patterns of blocks.",
        examples=[{"instance": "acme", "host": "fra1", "address": "203.0.113.10"}],
    )
    place: str = Field(
        description="Where the instance is declared, or was; empty for the host itself.",
        examples=["desired/instances/acme.toml:3:1"],
    )


class WrittenModel(Record):
    """Who wrote what stands at a place; all but the place is empty where no commit can be named."""

    place: str = Field(
        description="Place.",
        examples=["desired/fleet.toml:19:16"],
    )
    side: Literal["before", "after"] = Field(
        description="The revision that has the place.", examples=["after"]
    )
    commit: str = Field(description="Short name of the commit.", examples=["1a2b3c4d5e"])
    author: str = Field(description="Its author.", examples=["A. Author"])
    date: str = Field(description="Its day, ISO 8601.", examples=["2026-02-03"])
    subject: str = Field(description="First line of its message.", examples=["Pin acme"])
    removed: bool = Field(
        description="Whether the commit took out what stood there.", examples=[False]
    )
    why: str = Field(
        description="Why no commit can be named; else empty.", examples=["not committed"]
    )


class PatternChangeModel(ChangeModel):
    """A resource that differs, as all effects of a block have it."""

    path: str = Field(
        description="Where it lies on the host; it may begin with a placeholder.",
        examples=["{directory}/pbx.xml"],
    )


class PatternModel(EffectModel):
    """What effects have in common."""

    changes: list[PatternChangeModel] = Field(description="Resources that differ.")  # type: ignore[assignment]


class BlockModel(Record):
    """Effects that say the same."""

    names: str = Field(
        description="Whom it is about, in words.", examples=["inst-01..inst-96 (96)"]
    )
    hosts: list[str] = Field(description="Their hosts.", examples=[["fra1"]])
    instances: list[str] = Field(
        description="They, as host/instance; empty for the hosts themselves.",
        examples=[["fra1/acme"]],
    )
    pattern: PatternModel = Field(
        description="What they have in common. Where a block has more than one effect, {instance} and "
        "the like stand for their words, {{ and }} for braces. Places and names are left out."
    )


class DiffChecksModel(Record):
    """Findings of the checks that only one side has, wherever in a file they stand."""

    new: list[DiagnosticModel] = Field(description="Only on the second side.")
    fixed: list[DiagnosticModel] = Field(description="Only on the first side.")


class IgnoredDeltaModel(Record):
    """A difference that a rule of [[ignore]] takes out of every plan: the host keeps what it has."""

    host: str = Field(description="Name of the host.", examples=["fra1"])
    instance: str = Field(
        description="Name of the instance; empty for the host itself.", examples=["acme"]
    )
    resource: str = Field(
        description="Id of the resource.", examples=["settings:/usr/local/pbx-acme/pbx.xml"]
    )
    name: str = Field(description="What differs in it.", examples=["log_length"])
    before: str | None = Field(description="As the first side declares it.", examples=["200"])
    after: str | None = Field(description="As the second side declares it.", examples=["300"])
    why: str = Field(
        description="Until when it is ignored, and the reason.",
        examples=["ignored until 2027-01-31: the vendor looks into it"],
    )


class DiffDocument(Document):
    """What diff prints."""

    kind: Literal["diff"] = Field(description="Which document this is.", examples=["diff"])
    headline: str = Field(
        description="What it comes to, in a sentence.", examples=["2 instances restart"]
    )
    before: RevisionModel = Field(description="The first side.")
    after: RevisionModel = Field(description="The second side.")
    summary: CountsModel = Field(description="The counts of the headline.")
    hosts: list[HostSidesModel] = Field(description="Hosts that were looked at.")
    effects: list[EffectModel] = Field(description="By host and instance, each by itself.")
    blocks: list[BlockModel] = Field(description="The same effects, those alike together.")
    ignored: list[IgnoredDeltaModel] = Field(
        description="What differs and is left as it is, by rules of the second side: no effects."
    )
    checks: DiffChecksModel = Field(description="What the checks find on one side only.")
    written: list[WrittenModel] = Field(
        description="Commits of the places of blocks: of each fold, that of its first effect."
    )
    notes: list[str] = Field(
        description="What is to be known about the comparison itself.", examples=[[]]
    )
