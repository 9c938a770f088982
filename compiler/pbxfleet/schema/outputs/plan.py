"""Plans, printed and stored."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pbxfleet.schema.outputs.base import (
    Count,
    DigestText,
    Document,
    DoWord,
    HostPathText,
    ImpactWord,
    KindWord,
    Record,
    SeverityWord,
    StatusWord,
    VerbWord,
    unit,
)


class SummaryModel(Record):
    """The counts of a plan's headline."""

    instances: list[str] = Field(
        description="Instances that will be changed.", examples=[["acme", "birch"]]
    )
    restarts: list[str] = Field(
        description="Those of them that run and will be stopped and started.", examples=[["acme"]]
    )
    removed: list[str] = Field(description="Instances that will be removed.", examples=[["elm"]])
    files: Count = Field(
        description="Files to write or remove.", examples=[3], json_schema_extra=unit("files")
    )
    settings: Count = Field(
        description="Settings to write or remove.",
        examples=[2],
        json_schema_extra=unit("settings"),
    )
    drifted: Count = Field(
        description="Resources that somebody else changed.",
        examples=[0],
        json_schema_extra=unit("resources"),
    )
    conflicts: Count = Field(
        description="Resources that both sides changed.",
        examples=[0],
        json_schema_extra=unit("resources"),
    )
    blocked: Count = Field(
        description="Notes that forbid applying.", examples=[0], json_schema_extra=unit("notes")
    )
    live: Count = Field(
        description="Settings that change in the running process, without a restart.",
        examples=[5],
        json_schema_extra=unit("settings"),
    )
    calls: Count | None = Field(
        description="Calls on instances that will be stopped, as far as they are known; null if nobody "
        "was asked.",
        examples=[37],
        json_schema_extra=unit("calls"),
    )
    calls_not_known: list[str] = Field(
        description="Instances whose calls are not known, each with the reason.",
        examples=[["acme: no [api]"]],
    )


class FieldModel(Record):
    """One field of a resource that differs; secret values are always `(secret)`."""

    name: str = Field(description="Element of pbx.xml, mode, content, ...", examples=["sys_name"])
    before: str | None = Field(
        description="As observed; null where it is not there.", examples=["Acme"]
    )
    after: str | None = Field(
        description="As the target says; null where it shall not be there.", examples=["ACME"]
    )
    status: StatusWord = Field(description="Whose change it is.", examples=["pending"])
    origin: str = Field(
        description="Where the value comes from; may be empty.",
        examples=["desired/instances/acme.yaml:9:13"],
    )


class ChangeModel(Record):
    """One resource that is not as the target says."""

    resource: str = Field(
        description="Id of the resource.", examples=["settings:/usr/local/pbx-acme/pbx.xml"]
    )
    kind: KindWord = Field(description="What it is.", examples=["settings"])
    instance: str = Field(
        description="Instance that it belongs to; empty for the host.", examples=["acme"]
    )
    path: HostPathText = Field(
        description="Where it lies on the host.", examples=["/usr/local/pbx-acme/pbx.xml"]
    )
    status: StatusWord = Field(description="Whose change it is.", examples=["pending"])
    action: VerbWord = Field(description="What apply will do about it.", examples=["update"])
    impact: ImpactWord = Field(
        description="What that costs the calls on the instance.", examples=["restart"]
    )
    reason: str = Field(description="Why, in words.", examples=["declared, not there yet"])
    fields: list[FieldModel] = Field(description="What differs in it.")
    origin: list[str] = Field(
        description="Places that it was compiled from.", examples=[["desired/fleet.toml:3:1"]]
    )


class NoteModel(Record):
    """Something to know that apply will not act on; severity error forbids applying."""

    code: str = Field(description="Code of the note.", examples=["PLN120"])
    severity: SeverityWord = Field(description="How bad it is.", examples=["warning"])
    instance: str = Field(
        description="Instance that it is about; empty for the host.", examples=["acme"]
    )
    message: str = Field(description="What is to be known.", examples=["acme does not run"])
    hint: str = Field(
        description="What to do about it; may be empty.", examples=["look into its log"]
    )
    resource: str = Field(
        description="Resource that it is about; empty for none.", examples=["service:pbx-acme"]
    )
    name: str = Field(
        "", description="What differs in the resource; empty for none.", examples=["cpu"]
    )
    declared: str = Field(
        "", description="How it is declared; empty where it is not.", examples=["3"]
    )
    found: str = Field("", description="How it was seen; empty where it is not.", examples=["0-7"])


class CallsModel(Record):
    """Calls on one instance that will be stopped."""

    instance: str = Field(description="Name of the instance.", examples=["acme"])
    number: Count | None = Field(
        description="Calls on it now; null if they are not known.",
        examples=[37],
        json_schema_extra=unit("calls"),
    )
    why: str = Field(description="Why they are not known; empty if they are.", examples=[""])


class StepModel(Record):
    """One action of apply, with what must be true before it."""

    number: int = Field(
        ge=1, description="Place in the order.", examples=[1], json_schema_extra=unit("steps")
    )
    wave: str = Field(
        description="Steps done together, by instance; empty for the host.", examples=["acme"]
    )
    do: DoWord = Field(description="What is done.", examples=["write"])
    resource: str = Field(
        description="Resource that it is done to; empty for the whole host.",
        examples=["file:/etc/init.d/pbx-acme"],
    )
    path: str = Field(
        description="Where that lies on the host; may be empty.",
        examples=["/etc/init.d/pbx-acme"],
    )
    expects: str = Field(
        description="State that it was planned on: a digest, absent, symlink, running, stopped, or "
        "empty for any.",
        examples=["absent"],
    )
    undo: str = Field(description="How it is undone, in words.", examples=["remove it"])
    reason: str = Field(description="Why it is done.", examples=["declared, not there yet"])
    impact: ImpactWord = Field(
        description="What it costs the calls on the instance.", examples=["none"]
    )
    to: str = Field(
        "", description="Where a directory goes; empty for what moves nothing.", examples=[""]
    )


class DebtModel(Record):
    """A restart that a running instance is owed."""

    instance: str = Field(description="Name of the instance.", examples=["acme"])
    resource: str = Field(
        description="Id of the resource.", examples=["file:/etc/systemd/system/pbx-acme.service"]
    )
    names: list[str] = Field(
        description="What of it: settings, release, unit, or the path of a file.",
        examples=[["unit"]],
    )
    reason: str = Field(
        description="Why, in words.",
        examples=["/etc/pbx/failover-acme.conf is not what the process was started with"],
    )
    since: str = Field(
        description="When it was changed on disk, in UTC (ISO 8601); empty where that is not known.",
        examples=["2026-03-01T02:00:00Z"],
    )
    process: str = Field(
        description="The process that is owed: its number, its start in ticks of the kernel, and the "
        "boot of the machine.",
        examples=["4711 8312 0b2e6f0e-5f2a-4c43-9d0b-1f0b1a0e7f55"],
    )
    started_with: str = Field(
        description="Digest of what the process was started with; empty where that is not known.",
        examples=["sha256:" + "0" * 64],
    )


class WaitingModel(Record):
    """An instance that is left as it is until its maintenance window opens."""

    instance: str = Field(description="Name of the instance.", examples=["acme"])
    opens: str = Field(
        description="When it opens, in UTC (ISO 8601); empty where that is not known.",
        examples=["2026-03-02T01:00:00Z"],
    )
    text: str = Field(
        description="The same in words.",
        examples=["waits for its window: next Mon 02:00 (in 3 h)"],
    )
    changes: list[ChangeModel] = Field(description="Its changes that wait.")


class SelectionModel(Record):
    """The part of a host that a plan is about."""

    only: list[str] = Field(
        description="Instances and ids of resources; empty for everything.", examples=[["acme"]]
    )
    without: list[str] = Field(
        description="Instances and ids of resources that are left out.", examples=[["birch"]]
    )


class PlanDocument(Document):
    """What plan and show print."""

    kind: Literal["plan"] = Field(description="Which document this is.", examples=["plan"])
    host: str = Field(description="Host that it is about.", examples=["fra1"])
    root: str = Field(description="Folder that plays the host's /.", examples=["/"])
    summary: SummaryModel = Field(description="The counts of the headline.")
    changes: list[ChangeModel] = Field(description="Resources that differ.")
    notes: list[NoteModel] = Field(description="What else is to be known.")
    steps: list[StepModel] = Field(description="What apply does, in order.")
    outdated_records: list[str] = Field(
        description="Instances whose applied record is brought up to date though nothing changes.",
        examples=[["birch"]],
    )
    calls: list[CallsModel] = Field(
        description="Calls on instances that will be stopped, where they were asked for."
    )
    selection: SelectionModel = Field(description="What the plan was asked for.")
    left: list[str] = Field(
        description="Ids of resources that differ and were not asked for.", examples=[[]]
    )
    debts: list[DebtModel] = Field(
        description="Restarts that running instances are owed, whether this plan pays them or not."
    )
    waits: list[WaitingModel] = Field(
        description="Instances that are left as they are until their maintenance windows open."
    )


class BasisModel(Record):
    """What a plan was made from; apply refuses when any of it has moved."""

    target: DigestText = Field(
        description="Digest of the manifest.", examples=["sha256:" + "0" * 64]
    )
    observed: dict[str, str] = Field(
        description="Short digests of what was seen, by resource or instance.",
        examples=[{"service:pbx-acme": "0f6a1c2b"}],
    )
    applied: dict[str, str] = Field(
        description="Short digests of the applied record, by resource or instance.",
        examples=[{"service:pbx-acme": "0f6a1c2b"}],
    )


class PlanFileDocument(PlanDocument):
    """A plan file, as `plan --out FILE` writes it."""

    basis: BasisModel = Field(description="What the plan was made from.")
