"""Problems, and why a command refused."""

from __future__ import annotations

from pydantic import Field

from pbxfleet.schema.outputs.base import ColumnNumber, Document, LineNumber, Record, SeverityWord


class ErrorModel(Record):
    """Why a command refused, or that it met a bug."""

    code: str = Field(description="Code of the refusal.", examples=["PLN109"])
    message: str = Field(description="What is wrong.", examples=["fra2 is not a declared host"])
    hint: str = Field(
        description="What to do about it; may be empty.", examples=['did you mean "fra1"?']
    )


class ErrorDocument(Document):
    """What any command prints instead of its own document when it refuses or is interrupted."""

    error: ErrorModel | None = Field(None, description="Why; missing after an interruption.")


class PlaceModel(Record):
    """A place in a file of the repository; all null where there is none."""

    file: str | None = Field(
        description="File, as its name in the repository.", examples=["desired/fleet.toml"]
    )
    line: LineNumber | None = Field(description="First line.", examples=[14])
    column: ColumnNumber | None = Field(description="First character in it.", examples=[10])
    end_line: LineNumber | None = Field(description="Last line.", examples=[14])
    end_column: ColumnNumber | None = Field(
        description="The character behind the last one.", examples=[14]
    )


class RelatedModel(PlaceModel):
    """Another place that a diagnostic is about."""

    message: str = Field(description="What is there.", examples=["first claimed here"])


class DiagnosticModel(PlaceModel):
    """One problem of what people wrote."""

    code: str = Field(description="Code; `pbxfleet explain CODE` tells more.", examples=["BND101"])
    severity: SeverityWord = Field(description="How bad it is.", examples=["error"])
    message: str = Field(description="What is wrong.", examples=["https is on port 8443, not 443"])
    related: list[RelatedModel] = Field(description="Other places that it is about.")
    hint: str = Field(
        description="What to do about it; may be empty.", examples=['did you mean "address"?']
    )


class SuppressionModel(Record):
    """Why a diagnostic is accepted, and where the fleet says so."""

    reason: str = Field(description="Why.", examples=["phones have the port since 2019"])
    until: str = Field(description="Last day, YYYY-MM-DD.", examples=["2027-01-31"])
    file: str = Field(description="File that says so.", examples=["desired/fleet.toml"])
    line: LineNumber = Field(description="Line in it.", examples=[62])


class SuppressedModel(DiagnosticModel):
    """A diagnostic that the fleet accepts."""

    suppression: SuppressionModel = Field(description="Who accepts it, and why.")


class FindingsDocument(Document):
    """What every command prints that judges the whole fleet."""

    diagnostics: list[DiagnosticModel] = Field(description="All problems, in order of places.")
    suppressed: list[SuppressedModel] = Field(
        description="Diagnostics that the fleet accepts for a while; they are not among the others."
    )


class DiagnosticsDocument(FindingsDocument):
    """What validate and compile print."""

    changed: list[str] | None = Field(
        None,
        description="compile: files that were written, or with --check would be.",
        examples=[["rendered/fra1/manifest.json"]],
    )
    stale_fields: list[str] | None = Field(
        None,
        description="compile --check: fields of manifests that are stale.",
        examples=[["fra1: deletion_budget 1 -> 2"]],
    )
