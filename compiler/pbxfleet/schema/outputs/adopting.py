"""What drift prints: the differences, or with --adopt the edits that would declare them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from pbxfleet.model.adopting import AdoptLayer
from pbxfleet.schema.outputs.base import Document, Record
from pbxfleet.schema.outputs.host import DriftDocument


class AdoptedModel(Record):
    """One value that is to be written."""

    file: str = Field(description="The file.", examples=["desired/instances/acme.yaml"])
    layer: str = Field(
        description="Its layer.",
        examples=["instance"],
        json_schema_extra={"enum": [str(word) for word in AdoptLayer]},
    )
    keys: list[str] = Field(
        description="Keys that lead to it.", examples=[["settings", "sys_name"]]
    )
    value: str = Field(description="The value.", examples=["ACME"])
    why: str = Field(description="Why in this layer.", examples=["its own file says it"])
    instances: list[str] = Field(description="Instances that drifted to it.", examples=[["acme"]])
    names: list[str] = Field(description="What drifted, as drift says it.", examples=[["sys_name"]])
    others: list[str] = Field(description="Instances that get it too.", examples=[["birch"]])


class LeftOutModel(Record):
    """Drift that no edit can declare."""

    instance: str = Field(description="The instance; empty for the host's own.", examples=["acme"])
    resource: str = Field(description="The resource.", examples=["service:pbx-acme"])
    name: str = Field(description="What drifted.", examples=["enabled"])
    why: str = Field(
        description="Why.", examples=["every declared instance is enabled: no key says otherwise"]
    )


class AdoptBranchModel(Record):
    """The branch that was made."""

    name: str = Field(description="Its name.", examples=["adopt-fra1"])
    commit: str = Field(description="Id of its commit.", examples=["8fe665a0c2"])


class AdoptDriftDocument(Document):
    """What drift --adopt prints."""

    kind: Literal["adopt"] = Field(description="What this document is.", examples=["adopt"])
    host: str = Field(description="The host.", examples=["fra1"])
    adopted: list[AdoptedModel] = Field(description="Values that are to be written.")
    left_out: list[LeftOutModel] = Field(description="Drift that no edit can declare.")
    patch: str = Field(
        description="The edits as a unified diff; empty where there are none.", examples=[""]
    )
    branch: AdoptBranchModel | None = Field(
        description="The branch; null where none was asked for."
    )


class DriftCommandDocument(RootModel[DriftDocument | AdoptDriftDocument]):
    """What drift prints: differences, or with --adopt a proposal."""
