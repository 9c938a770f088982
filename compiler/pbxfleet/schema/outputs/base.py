"""What the documents of all commands have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from pbxfleet.core.diagnostics import Severity
from pbxfleet.core.exits import Exit
from pbxfleet.model.plan import Do, Status, Verb
from pbxfleet.model.target import Impact, Kind
from pbxfleet.schema.shapes import PORT_NUMBER, UNIT

OUTCOMES = (*(code.word for code in Exit), "nothing_to_do")


def unit(words: str) -> dict[str, Any]:
    """Annotation that says what a number counts."""
    return {UNIT: words}


class Record(BaseModel):
    """One JSON object."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def words(kind: type[StrEnum]) -> dict[str, Any]:
    """Annotation that says which words there are."""
    return {"enum": [str(word) for word in kind]}


SeverityWord: TypeAlias = Annotated[str, Field(json_schema_extra=words(Severity))]
KindWord: TypeAlias = Annotated[str, Field(json_schema_extra=words(Kind))]
StatusWord: TypeAlias = Annotated[str, Field(json_schema_extra=words(Status))]
VerbWord: TypeAlias = Annotated[str, Field(json_schema_extra=words(Verb))]
ImpactWord: TypeAlias = Annotated[str, Field(json_schema_extra=words(Impact))]
DoWord: TypeAlias = Annotated[str, Field(json_schema_extra=words(Do))]
DigestText: TypeAlias = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
HostPathText: TypeAlias = Annotated[str, Field(pattern="^/")]
FormatNumber: TypeAlias = Annotated[
    Literal[1], Field(json_schema_extra=unit("number of the format"))
]
LineNumber: TypeAlias = Annotated[int, Field(ge=1, json_schema_extra=unit("lines, the first is 1"))]
ColumnNumber: TypeAlias = Annotated[
    int, Field(ge=1, json_schema_extra=unit("characters, the first is 1"))
]
Count: TypeAlias = Annotated[int, Field(ge=0)]
PortNumber: TypeAlias = Annotated[int, Field(ge=1, le=65535, json_schema_extra=unit(PORT_NUMBER))]


class Document(Record):
    """What every document has."""

    format: FormatNumber = Field(description="Number of this format.", examples=[1])
    outcome: str = Field(
        description="How it ended, in a word; the exit code says the same.",
        examples=["done"],
        json_schema_extra={"enum": list(OUTCOMES)},
    )
