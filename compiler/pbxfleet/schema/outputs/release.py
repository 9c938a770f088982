"""What release prints, one document for each of its actions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, RootModel

from pbxfleet.schema.outputs.base import Count, Document, Record, unit

_SOME_DIGEST = "0" * 64

StoredName: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ReleaseFileModel(Record):
    """One file of a release."""

    release: str = Field(description="Name of the release.", examples=["70.5"])
    file: Literal["pbxctrl", "pbxctrl.dat"] = Field(
        description="Which of its files it is.", examples=["pbxctrl"]
    )
    source: str = Field(description="Where it comes from.", examples=["file:70.5/pbxctrl"])


class FileStateModel(ReleaseFileModel):
    """A pinned file, and whether it is here."""

    sha256: StoredName = Field(description="Its pinned digest.", examples=[_SOME_DIGEST])
    state: Literal["here", "missing", "damaged", "not declared"] = Field(
        description="Whether it is here, and as pinned.", examples=["here"]
    )


class ListedReleaseModel(Record):
    """A declared release."""

    name: str = Field(description="Its name.", examples=["70.5"])
    version: str | None = Field(
        description="What tells an upgrade from a downgrade; null if nothing does.",
        examples=["70.5"],
    )
    files: list[FileStateModel] = Field(description="Its files.")
    instances: list[str] = Field(description="Instances that run it.", examples=[["acme"]])


class ReleaseListDocument(Document):
    """What release list prints."""

    releases: list[ListedReleaseModel] = Field(description="The releases, in their order.")


class FetchedModel(ReleaseFileModel):
    """What became of one file."""

    state: Literal["here", "fetched", "failed"] = Field(
        description="Whether it was here, was fetched, or could not be had.", examples=["fetched"]
    )
    size_bytes: Count = Field(
        description="Size of what was fetched; 0 where nothing was.",
        examples=[31457280],
        json_schema_extra=unit("bytes"),
    )
    code: str = Field(description="Code of the failure; empty without one.", examples=["REL110"])
    message: str = Field(
        description="Why it could not be had; may be empty.", examples=["the digest is another"]
    )


class ReleaseFetchDocument(Document):
    """What release fetch prints."""

    files: list[FetchedModel] = Field(description="The files, by release.")


class ReleaseAddDocument(Document):
    """What release add prints."""

    name: str = Field(description="Name of the new release.", examples=["70.6"])
    block: str = Field(
        description="The lines that pin it, for fleet.toml.", examples=['[releases."70.6"]\n']
    )
    digests: dict[str, StoredName] = Field(
        description="Digests of its files, to be compared with what is trusted.",
        examples=[{"pbxctrl": _SOME_DIGEST}],
    )
    written: str = Field(
        description="File that the lines were written into; empty without --write.",
        examples=["desired/fleet.toml"],
    )


class ReleaseVerifyDocument(Document):
    """What release verify prints."""

    states: list[FileStateModel] = Field(description="All pinned files.")
    damaged: list[str] = Field(
        description="Files of the store that are not what their names say.",
        examples=[[_SOME_DIGEST]],
    )
    unpinned: list[str] = Field(
        description="Files of the store that no release pins.", examples=[[_SOME_DIGEST]]
    )
    others: list[str] = Field(
        description="Names in the store that are no digests.", examples=[["notes.txt"]]
    )


class ReleasePruneDocument(Document):
    """What release prune prints."""

    files: list[StoredName] = Field(
        description="Files of the store that were removed, or with --check would be.",
        examples=[[_SOME_DIGEST]],
    )


class ManifestFileModel(Record):
    """One file of the vendor's list."""

    name: str = Field(description="Its name.", examples=["pbxctrl"])
    link: str = Field(
        description="Where it can be had.", examples=["https://example.com/70.6/pbxctrl"]
    )
    os: str = Field(description="Platform; empty for all of them.", examples=["Debian64"])
    type: str = Field(description="executable, or empty.", examples=["executable"])


class ReleaseManifestDocument(Document):
    """What release manifest prints."""

    files: list[ManifestFileModel] = Field(description="The files of the list.")
    sources: dict[str, str] = Field(
        description="With --os: the sources of the two files that are needed, as far as clear.",
        examples=[{"pbxctrl": "https://example.com/70.6/pbxctrl"}],
    )
    unclear: list[str] = Field(
        description="What is not clear, in words.",
        examples=[["two files are the executable of Debian64"]],
    )


class ReleaseDocument(
    RootModel[
        ReleaseListDocument
        | ReleaseFetchDocument
        | ReleaseAddDocument
        | ReleaseVerifyDocument
        | ReleasePruneDocument
        | ReleaseManifestDocument
    ]
):
    """What release prints: another document for each of its actions."""
