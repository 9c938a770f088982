"""What is, what was done, and what somebody else did: status, apply, drift."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from pbxfleet.model.open_run import OpenState
from pbxfleet.schema.outputs.base import (
    Count,
    Document,
    HostPathText,
    PortNumber,
    Record,
    VerbWord,
    unit,
    words,
)
from pbxfleet.schema.outputs.plan import CallsModel, DebtModel, FieldModel, NoteModel, PlanDocument


class DriftItemModel(Record):
    """One difference between the host and what was last applied to it."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    class_: Literal["missing", "changed", "extra", "mode", "runtime"] = Field(
        alias="class", description="What kind of difference it is.", examples=["changed"]
    )
    resource: str = Field(
        description="Id of the resource.", examples=["settings:/usr/local/pbx-acme/pbx.xml"]
    )
    instance: str = Field(
        description="Instance that it belongs to; empty for the host.", examples=["acme"]
    )
    name: str = Field(description="What differs in it.", examples=["sys_name"])
    applied: str | None = Field(
        description="As it was applied; null where it was not.", examples=["ACME"]
    )
    observed: str | None = Field(
        description="As it was seen now; null where it is not there.", examples=["Acme"]
    )
    first_seen: str = Field(
        description="When it was first seen, in UTC (ISO 8601); empty before it is remembered.",
        examples=["2026-03-01T02:00:00Z"],
    )
    who: str = Field(
        description="Who changed it, as far as there is evidence.", examples=["unknown"]
    )
    evidence: str = Field(
        description="Why `who` is said, in one sentence; empty where it is unknown.", examples=[""]
    )
    last_seen: str = Field(
        description="When it was seen last, in UTC (ISO 8601): by this run.",
        examples=["2026-03-01T02:00:00Z"],
    )
    sightings: Count = Field(
        description="Runs in a row that saw it, this one included.",
        examples=[3],
        json_schema_extra=unit("runs"),
    )
    flaps: Count = Field(
        description="How often it came back after it was gone.",
        examples=[0],
        json_schema_extra=unit("times"),
    )


class PendingModel(Record):
    """A declared change that was not applied yet."""

    resource: str = Field(description="Id of the resource.", examples=["file:/etc/init.d/pbx-acme"])
    instance: str = Field(
        description="Instance that it belongs to; empty for the host.", examples=["acme"]
    )
    action: VerbWord = Field(description="What apply will do about it.", examples=["update"])
    fields: list[FieldModel] = Field(description="What differs in it.")


class IgnoredItemModel(Record):
    """A difference that a rule of [[ignore]] accepts for a while."""

    resource: str = Field(description="Id of the resource.", examples=["file:/etc/pbx/backup.list"])
    instance: str = Field(
        description="Instance that it belongs to; empty for the host.", examples=["acme"]
    )
    name: str = Field(description="What differs in it.", examples=["content"])
    declared: str | None = Field(description="As it is declared.", examples=["0644"])
    observed: str | None = Field(description="As it was seen now.", examples=["0600"])
    why: str = Field(
        description="Until when it is ignored, and the reason.",
        examples=["ignored until 2027-01-31: the vendor looks into it"],
    )


class DriftDocument(Document):
    """What drift prints."""

    kind: Literal["drift"] = Field(description="Which document this is.", examples=["drift"])
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    items: list[DriftItemModel] = Field(description="What somebody else changed.")
    held_back: Count = Field(
        description="Differences that are there and were not asked for, by --only-new or --after.",
        examples=[0],
        json_schema_extra=unit("differences"),
    )
    ignored: list[IgnoredItemModel] = Field(
        description="Differences that rules of [[ignore]] accept: no drift."
    )
    undelivered: list[str] | None = Field(
        None,
        description="Sinks that could not be told, and why; left out where there are none.",
        examples=[["webhook https://ops.example.com/pbx: connection refused"]],
    )
    pending: list[PendingModel] = Field(
        description="Declared changes that were not applied yet: no drift."
    )
    debts: list[DebtModel] = Field(
        description="Restarts that running instances are owed: no drift."
    )


class StatusRowModel(Record):
    """One instance, declared and proven."""

    instance: str = Field(description="Name of the instance.", examples=["acme"])
    state: Literal["running", "stopped", "unknown"] = Field(
        description="Whether it runs.", examples=["running"]
    )
    pid: int | None = Field(
        description="Process that runs it; null where none is known.",
        examples=[4711],
        json_schema_extra=unit("number of a process"),
    )
    listeners: Count = Field(
        description="Declared sockets.", examples=[6], json_schema_extra=unit("sockets")
    )
    proven_listeners: Count = Field(
        description="Those of them that it holds.",
        examples=[6],
        json_schema_extra=unit("sockets"),
    )
    cpu: str = Field(description="Declared core, or any.", examples=["3"])
    proven_cpu: str = Field(
        description="Core that it runs on, or any; empty where it does not run.", examples=["3"]
    )
    probes: Count = Field(
        description="Probes that were asked now.", examples=[7], json_schema_extra=unit("probes")
    )
    answered: Count = Field(
        description="Those of them that were answered well.",
        examples=[7],
        json_schema_extra=unit("probes"),
    )
    differs: Count = Field(
        description="Changes that a plan has for it.",
        examples=[0],
        json_schema_extra=unit("changes"),
    )
    owed: list[str] = Field(
        description="What a restart is owed for: settings, release, unit, or paths of files.",
        examples=[["unit"]],
    )


class ProbedModel(Record):
    """One probe of one listener."""

    instance: str = Field(description="Instance that was asked.", examples=["acme"])
    probe: Literal["session", "sip_options", "certificate"] = Field(
        description="What it was asked.", examples=["sip_options"]
    )
    role: str = Field(description="What answers on the listener.", examples=["sip_tls"])
    address: str = Field(description="Address of the listener.", examples=["203.0.113.10"])
    port: PortNumber = Field(description="Port of the listener.", examples=[5061])
    need: Literal["must", "may"] = Field(
        description="How much it counts after a start.", examples=["may"]
    )
    ok: bool | None = Field(
        description="Whether it was answered well; null if it cannot be asked from here.",
        examples=[True],
    )
    said: str = Field(description="Why it is not well; empty if it is.", examples=[""])


class MadeModel(Record):
    """A setting that the PBX has not literally as it is declared."""

    instance: str = Field(description="Instance that it is of.", examples=["acme"])
    name: str = Field(description="Element of its pbx.xml.", examples=["log_length"])
    verdict: Literal["normalised", "rejected"] = Field(
        description="Spelled in another way, or not taken at the last start.",
        examples=["normalised"],
    )
    declared: str | None = Field(
        description="As it is declared; null where it shall not be there.", examples=["500"]
    )
    observed: str | None = Field(
        description="As it is in pbx.xml; null where it is not there.", examples=["0500"]
    )


class WayModel(Record):
    """A command that goes on with an open run."""

    command: str = Field(description="What to run.", examples=["pbxfleet confirm fra1"])
    does: str = Field(description="What that does.", examples=["keeps it"])


class OpenRunModel(Record):
    """A run that is not at its end: under way, cut off, or waiting to be confirmed."""

    state: Annotated[str, Field(json_schema_extra=words(OpenState))] = Field(
        description="How it stands with it.", examples=["waits"]
    )
    code: str = Field(description="Code of the warning that says so.", examples=["PLN173"])
    text: str = Field(
        description="The same in a sentence.",
        examples=["a change on fra1 waits to be confirmed until 2026-03-01T02:02:00Z"],
    )
    ways: list[WayModel] = Field(description="Commands that go on; empty while it is under way.")
    until: str = Field(
        description="Deadline of a change that waits, in UTC (ISO 8601); empty for others.",
        examples=["2026-03-01T02:02:00Z"],
    )
    left_s: Count | None = Field(
        description="Time until then; null for others.",
        examples=[112],
        json_schema_extra=unit("seconds"),
    )
    target: str = Field(
        description="Digest of the manifest that was being applied; empty if it is not known.",
        examples=["sha256:" + 64 * "0"],
    )
    planned: Count = Field(
        description="Steps of the run.", examples=[9], json_schema_extra=unit("steps")
    )
    finished: Count = Field(
        description="Those of them that were done.", examples=[9], json_schema_extra=unit("steps")
    )
    instances: list[str] = Field(description="Instances that it changed.", examples=[["acme"]])
    failures: list[str] = Field(
        description="Why steps failed, or could not be taken back.",
        examples=[["/etc/pbx/failover-acme.conf: Read-only file system"]],
    )
    restores: int | None = Field(
        description="Generation that a rollback goes back to; null for an apply.",
        examples=[None],
        json_schema_extra=unit("number of a generation"),
    )


class SavedModel(Record):
    """A version of a file that somebody else had written, and that was replaced."""

    path: HostPathText = Field(
        description="The file that it was.", examples=["/usr/local/pbx-acme/pbx.xml"]
    )
    kept: HostPathText = Field(
        description="Where it is kept, until its record in saved/ is removed.",
        examples=["/var/lib/pbxfleet/kept/" + 64 * "0"],
    )


class StatusDocument(Document):
    """What status prints."""

    kind: Literal["status"] = Field(description="Which document this is.", examples=["status"])
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    open_run: OpenRunModel | None = Field(
        description="The run that is not at its end; null if there is none."
    )
    instances: list[StatusRowModel] = Field(description="One row an instance, by name.")
    saved: list[SavedModel] = Field(
        description="Versions of files that others had written and that were replaced, by digest."
    )
    settings: list[MadeModel] = Field(
        description="Settings that the PBX spells otherwise or did not take, by instance and name."
    )
    notes: list[NoteModel] = Field(description="What else is to be known.")
    probes: list[ProbedModel] = Field(
        description="What every listener of a running instance answers now."
    )
    debts: list[DebtModel] = Field(description="Restarts that running instances are owed.")


class StepResultModel(Record):
    """What became of one step."""

    number: int = Field(
        ge=1, description="The step.", examples=[1], json_schema_extra=unit("steps")
    )
    result: Literal["done", "failed", "undone", "not started"] = Field(
        description="What became of it.", examples=["done"]
    )
    message: str = Field(
        description="Why it failed, or what its undo left; may be empty.", examples=[""]
    )


class DowntimeModel(Record):
    """How long one instance was down."""

    instance: str = Field(description="Name of the instance.", examples=["acme"])
    seconds: float = Field(
        ge=0,
        description="From the stop to the proof that it runs as declared, or again as before.",
        examples=[1.204],
        json_schema_extra=unit("seconds"),
    )
    own_seconds: float | None = Field(
        description="The part in which neither the PBX nor its service manager was waited for; null "
        "where the change was put back.",
        examples=[0.031],
        json_schema_extra=unit("seconds"),
    )


class AbandonedModel(Record):
    """An instance that was left as it was."""

    instance: str = Field(description="Name of the instance.", examples=["acme"])
    why: str = Field(description="Why.", examples=["3 calls on it after 300 s"])
    calls: Count | None = Field(
        description="Calls on it then; null if they are not known.",
        examples=[3],
        json_schema_extra=unit("calls"),
    )


class ApplyDocument(Document):
    """What apply prints; steps and what follows are missing where nothing was to be done."""

    kind: Literal["apply"] = Field(description="Which document this is.", examples=["apply"])
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    plan: PlanDocument = Field(description="The plan that was applied.")
    steps: list[StepResultModel] | None = Field(None, description="What became of each step.")
    unproven: list[NoteModel] | None = Field(
        None, description="What still differed after our own start."
    )
    applied: list[str] | None = Field(
        None, description="Waves that succeeded.", examples=[["acme"]]
    )
    undone: list[str] | None = Field(
        None, description="Waves that were put back.", examples=[["birch"]]
    )
    broken: list[str] | None = Field(
        None, description="Waves that could not be put back.", examples=[["cedar"]]
    )
    failure: str | None = Field(
        None, description="Why it stopped; empty if it did not.", examples=[""]
    )
    downtimes: list[DowntimeModel] | None = Field(
        None, description="Instances that were stopped and run again, in the order of the waves."
    )
    abandoned: list[AbandonedModel] | None = Field(
        None, description="Instances whose change stays pending; apply again."
    )
    cut: list[CallsModel] | None = Field(
        None, description="Calls that were on instances when they were stopped all the same."
    )
    waits: list[str] | None = Field(
        None,
        description="Instances that wait for their maintenance windows.",
        examples=[["acme"]],
    )
    debts: list[DebtModel] | None = Field(
        None, description="Restarts that running instances are still owed."
    )
    remaining: list[str] | None = Field(
        None,
        description="Resources that a second look still found different.",
        examples=[["service:pbx-acme"]],
    )
