"""The compiled form of a host: its manifest, and the declared elements of each pbx.xml."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from pbxfleet.schema.outputs.base import (
    Count,
    DigestText,
    FormatNumber,
    HostPathText,
    ImpactWord,
    KindWord,
    PortNumber,
    Record,
    unit,
)
from pbxfleet.schema.shapes import CORE_NUMBER

_SOME_DIGEST = "sha256:" + "0" * 64

_Listener: TypeAlias = tuple[Literal["tcp", "udp", "any"], str, PortNumber, str]
_Need: TypeAlias = Literal["must", "may", "off"]


class ResourceModel(Record):
    """One thing that the host shall have."""

    id: str = Field(description="Kind and path or name.", examples=["file:/etc/init.d/pbx-acme"])
    kind: KindWord = Field(
        description="What it is, which decides how it is observed and changed.", examples=["file"]
    )
    path: HostPathText = Field(
        description="Where it lies on the host.", examples=["/etc/init.d/pbx-acme"]
    )
    instance: str = Field(
        description="Instance that it belongs to; empty for the host.", examples=["acme"]
    )
    mode: str | None = Field(
        description="Permission bits in octal; null where they are not ours.",
        pattern="^[0-7]{4}$",
        examples=["0755"],
    )
    owner: str = Field(description="user:group; may be empty.", examples=["root:root"])
    digest: str = Field(
        description="Digest of the content, of the compiled pbx.xml, or of the declaration of a "
        "service; may be empty.",
        examples=[_SOME_DIGEST],
    )
    impact: ImpactWord = Field(
        description="What a change of it costs the calls on the instance.", examples=["restart"]
    )
    source: str = Field(
        description="Where content comes from: a path beside the manifest, or the source of a "
        "release file; may be empty.",
        examples=["root/etc/init.d/pbx-acme"],
    )
    fields_digest: DigestText | None = Field(
        description="Digest of the declared elements; null for all but settings.",
        examples=[_SOME_DIGEST],
    )
    origin: list[str] = Field(
        description="Places that it was compiled from.", examples=[["desired/fleet.toml:3:1"]]
    )


class InstanceTargetModel(Record):
    """What must be true of one running instance."""

    name: str = Field(description="Name of the instance.", examples=["acme"])
    directory: HostPathText = Field(
        description="Working directory.", examples=["/usr/local/pbx-acme"]
    )
    service: str = Field(description="Name of its service.", examples=["pbx-acme"])
    executable: HostPathText = Field(
        description="Program that it runs.", examples=["/usr/local/pbx-acme/pbxctrl"]
    )
    executable_digest: DigestText = Field(
        description="Digest of that program.", examples=[_SOME_DIGEST]
    )
    pid_file: HostPathText = Field(description="PID file.", examples=["/run/pbx-acme.pid"])
    cpu: int | None = Field(
        ge=0,
        description="Core that it is pinned to; null where it is not.",
        examples=[3],
        json_schema_extra=unit(CORE_NUMBER),
    )
    listeners: list[_Listener] = Field(
        description="Sockets that it must hold: protocol, address, port, role.",
        examples=[[["tcp", "203.0.113.10", 80, "http"]]],
    )
    addresses: list[str] = Field(description="Its addresses.", examples=[["203.0.113.10"]])
    rtp_address: str | None = Field(
        description="Address that media is bound to; null where that is not known.",
        examples=["203.0.113.10"],
    )
    rtp: tuple[PortNumber, PortNumber] | None = Field(
        description="First and last port of media; null where they are not known.",
        examples=[[49152, 51199]],
    )
    peer: str | None = Field(
        description="The other half of its failover pair; null without one.", examples=["acme-dr"]
    )
    release: str = Field(
        description="Release that it runs; empty where the manifest is of an earlier version.",
        examples=["70.5"],
    )
    api: tuple[str, HostPathText] | None = Field(
        description="Administrator that pbxfleet logs in as, and the file with the password; null "
        "without one.",
        examples=[["admin", "/etc/pbx/api-acme"]],
    )
    probes: tuple[_Need, _Need, _Need, Count] = Field(
        description="How much the session call, SIP OPTIONS and the certificate count after a start; "
        "seconds that the process must stay.",
        examples=[["must", "may", "may", 2]],
        json_schema_extra=unit("seconds"),
    )
    origin: str = Field(
        description="Place of its declaration.", examples=["desired/instances/acme.yaml:1:1"]
    )


class ReleaseTargetModel(Record):
    """A declared release."""

    version: str = Field(
        description="What tells an upgrade from a downgrade; empty if nothing does.",
        examples=["70.5"],
    )
    settings: str = Field(
        description="Digest of the list of settings that it knows; empty where none is known.",
        examples=[""],
    )
    pbxctrl: DigestText = Field(description="Digest of the executable.", examples=[_SOME_DIGEST])
    dat: DigestText = Field(description="Digest of the resource bundle.", examples=[_SOME_DIGEST])


class GuardsModel(Record):
    """What a removal, and a wrong machine, are met with."""

    removed_directory: Literal["keep", "aside", "archive"] = Field(
        description="What becomes of the directory of a removed instance.", examples=["keep"]
    )
    archives: HostPathText = Field(
        description="Folder for archives of removed directories.",
        examples=["/var/backups/pbxfleet"],
    )
    may_be_empty: bool = Field(
        description="Whether a host without any instance is meant.", examples=[False]
    )
    node_name: str = Field(
        description="Name that the machine must have; empty where any will do.",
        examples=["fra1.example.net"],
    )
    machine_id: str = Field(
        description="Number that the machine must have; empty where any will do.", examples=[""]
    )
    generations: int = Field(
        ge=1,
        description="How many runs are kept on the host to go back to.",
        examples=[20],
        json_schema_extra=unit("generations"),
    )


class MaintenanceModel(Record):
    """When running instances may be stopped."""

    timezone: str = Field(description="Time zone of the windows.", examples=["Europe/Berlin"])
    host: list[str] = Field(
        description="Windows of the host; empty for any time.", examples=[["Mon-Fri 02:00-04:00"]]
    )
    instances: dict[str, list[str]] = Field(
        description="Windows of instances that have others.", examples=[{"acme": []}]
    )
    on_deadline: Literal["abandon", "force"] = Field(
        description="What apply --drain does with an instance that still has calls.",
        examples=["abandon"],
    )


class AcknowledgementModel(Record):
    """A change that the policy would refuse and that is meant."""

    code: str = Field(description="Code of the rule.", examples=["POL102"])
    what: str = Field(description="Host, or host/instance.", examples=["fra1/acme"])
    reason: str = Field(description="Why it is meant.", examples=["the contract ended"])
    expires: str = Field(description="Last day on which it holds.", examples=["2027-01-31"])


class IgnoredModel(Record):
    """A difference that is neither shown as drift nor overwritten by apply."""

    what: Literal["setting", "path", "listener"] = Field(
        description="What the pattern is about.", examples=["setting"]
    )
    pattern: str = Field(description="Names; * stands for any characters.", examples=["log_*"])
    kind: str = Field(description="Class of drift; empty for all.", examples=[""])
    instance: str = Field(description="Instance; empty for the whole host.", examples=["acme"])
    reason: str = Field(description="Why it may stay.", examples=["the vendor looks into it"])
    expires: str = Field(description="Last day on which it holds.", examples=["2027-01-31"])


class RulesModel(Record):
    """What the policy asks of a change of this host."""

    restart_budget: Count | None = Field(
        description="Running instances that one apply may restart; null without a limit.",
        examples=[10],
        json_schema_extra=unit("instances"),
    )
    removals: Literal["budget", "acknowledge"] = Field(
        description="What a removal of an instance needs.", examples=["acknowledge"]
    )
    warned: list[str] = Field(
        description="Codes that the fleet wants as warnings.", examples=[["POL101"]]
    )
    acknowledged: list[AcknowledgementModel] = Field(
        description="Acknowledgements that are about this host."
    )
    ignored: list[IgnoredModel] = Field(
        [],
        description="Differences on the host that count for nothing; left out if there are none.",
    )


class SinksTargetModel(Record):
    """Who is told how a run ended; empty values are sinks that are not wanted."""

    metrics: str = Field(
        description="File for a textfile collector.",
        examples=["/var/lib/prometheus/node-exporter/pbxfleet.prom"],
    )
    report: str = Field(description="File for the JSON document.", examples=[""])
    mail: list[str] = Field(description="Addresses of mail.", examples=[["ops@example.com"]])
    webhook: str = Field(
        description="Web address, or file: and the path of a file that holds one.", examples=[""]
    )
    secret_file: str = Field(
        description="File with the secret that posts are signed with.", examples=[""]
    )
    journal: bool | None = Field(
        description="Whether the journal of systemd is told; null if nothing is said.",
        examples=[True],
    )


class ManifestDocument(Record):
    """rendered/HOST/manifest.json: what a host shall hold; compile writes it, the host half reads it."""

    format: FormatNumber = Field(description="Number of this format.", examples=[1])
    fleet: str = Field(description="Name of the fleet.", examples=["example-voice"])
    host: str = Field(description="Name of the host.", examples=["fra1"])
    addresses: list[str] = Field(
        description="Addresses that the host must have.", examples=[["203.0.113.2"]]
    )
    services: str = Field(description="How instances are run.", examples=["systemd"])
    affinity: str = Field(description="Who pins a process.", examples=["unit"])
    stop_timeout_s: Count = Field(
        description="Time that an instance may take to stop.",
        examples=[30],
        json_schema_extra=unit("seconds"),
    )
    start_timeout_s: Count = Field(
        description="Time in which a started instance must hold its sockets.",
        examples=[60],
        json_schema_extra=unit("seconds"),
    )
    deletion_budget: Count = Field(
        description="Instances that one apply may remove.",
        examples=[1],
        json_schema_extra=unit("instances"),
    )
    downgrades: Literal["refuse", "allow"] = Field(
        description="Whether apply may put an older release in the place of a newer one.",
        examples=["refuse"],
    )
    artefacts: str = Field(
        description="Folder of release files, as the host file names it.", examples=["artefacts"]
    )
    inputs: dict[str, DigestText] = Field(
        description="Digests of the desired files that it was compiled from, by name.",
        examples=[{"desired/fleet.toml": _SOME_DIGEST}],
    )
    guards: GuardsModel | None = Field(
        None, description="Guards of the host; left out where nothing is declared."
    )
    rules: RulesModel | None = Field(
        None, description="Policy for changes of the host; left out where there is none."
    )
    sinks: SinksTargetModel | None = Field(
        None, description="Who is told how a run ended; left out where nobody is."
    )
    maintenance: MaintenanceModel | None = Field(
        None, description="Maintenance windows; left out where nothing is declared."
    )
    other_roles: dict[str, DigestText] | None = Field(
        None,
        description="By path, what failover files would be if their half had the other role.",
        examples=[{"/etc/pbx/failover-acme.conf": _SOME_DIGEST}],
    )
    instances: dict[str, InstanceTargetModel] = Field(description="Instances by name.")
    releases: dict[str, ReleaseTargetModel] | None = Field(
        None, description="Releases that the fleet declares, by name."
    )
    resources: list[ResourceModel] = Field(description="Resources, by instance and id.")


class ElementModel(Record):
    """One declared element of a pbx.xml."""

    name: str = Field(description="Name of the element.", examples=["sys_name"])
    value: str | None = Field(
        description="Its value; null with a secret, or where the element is removed.",
        examples=["ACME"],
    )
    secret: str | None = Field(
        description="Name of the secret that is its value.", examples=["acme/admin"]
    )
    ownership: Literal["owned", "seeded"] = Field(
        description="Kept as declared, or written once.", examples=["owned"]
    )
    impact: ImpactWord = Field(description="What a change of it costs.", examples=["live"])
    label: str = Field(description="What people call it.", examples=["settings.sys_name"])
    origin: str = Field(
        description="Place of the value.", examples=["desired/instances/acme.yaml:9:13"]
    )
    overrode: list[str] = Field(
        description="Places of values that it was laid over.",
        examples=[["desired/reference/pbx-70.xml:15:17"]],
    )


class SettingsDocument(Record):
    """rendered/HOST/settings/INSTANCE.json: the declared elements of one pbx.xml."""

    format: FormatNumber = Field(description="Number of this format.", examples=[1])
    fields: list[ElementModel] = Field(description="The elements, in order.")
