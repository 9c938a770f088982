"""Who is told how a run on a host ended."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import Sourced
from pbxfleet.model.sinks import NO_SINKS, Sinks
from pbxfleet.schema import names, scalars, shapes
from pbxfleet.schema.guards import matching
from pbxfleet.schema.table import Items, Reads, Table

METRICS = r"^/[!-~]*[^/]\.prom$"  # the collector reads files of that name only
REPORT = r"^/[!-~]*[^/]\.json$"
ADDRESS = r"^[A-Za-z0-9._+][A-Za-z0-9._+-]*(@[A-Za-z0-9][A-Za-z0-9.-]*)?$"
_HERE = r"http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?"
_THERE = r"https://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?"
WEBHOOK = rf"^(({_THERE}|{_HERE})([/?][!-~]*)?|file:/[!-~]+)$"

_Truth: TypeAlias = Annotated[Sourced[bool], Reads(scalars.truth, shapes.TRUTH)]
_HostPath: TypeAlias = Annotated[Sourced[HostPath], Reads(names.plain_host_path, shapes.HOST_PATH)]
_Metrics: TypeAlias = Annotated[
    Sourced[str], matching(METRICS, "an absolute path that ends in .prom")
]
_Report: TypeAlias = Annotated[
    Sourced[str], matching(REPORT, "an absolute path that ends in .json")
]
_Address: TypeAlias = Annotated[
    Sourced[str], matching(ADDRESS, "a mail address, or the name of a local user")
]
_Webhook: TypeAlias = Annotated[
    Sourced[str],
    matching(WEBHOOK, 'an https address, or "file:" and the path of a file that holds one'),
]


class SinksModel(Table):
    """Who is told how a drift or an apply ended, besides its output."""

    metrics: _Metrics | None = Field(
        None,
        description="File on the host for the textfile collector of the node exporter of Prometheus.",
        examples=["/var/lib/prometheus/node-exporter/pbxfleet.prom"],
    )
    report: _Report | None = Field(
        None,
        description="File on the host that holds the JSON document of the last drift.",
        examples=["/var/lib/pbxfleet-report/drift.json"],
    )
    mail: (
        Annotated[list[_Address], Items(single=True, wanted="an address or a list of addresses")]
        | None
    ) = Field(
        None,
        description="Who gets a mail, through the machine's sendmail, when there is something new.",
        examples=[["ops@example.com"]],
    )
    webhook: _Webhook | None = Field(
        None,
        description="Web address that is posted the JSON document when what it tells has changed; where the "
        "address is a secret, file: and a path on the host.",
        examples=["https://hooks.example.com/pbxfleet"],
    )
    webhook_secret: _HostPath | None = Field(
        None,
        description="File on the host with the secret that posts are signed with.",
        examples=["/etc/pbxfleet/webhook.secret"],
    )
    journal: _Truth | None = Field(
        None,
        description="Whether the journal of systemd is told, with fields of its own.",
        json_schema_extra={"default": False},
    )


def lower_sinks(model: SinksModel | None) -> Sinks:
    """What is written; silent where nothing is."""
    if model is None:
        return NO_SINKS
    return Sinks(
        metrics="" if model.metrics is None else model.metrics.value,
        report="" if model.report is None else model.report.value,
        mail=tuple(one.value for one in model.mail or ()),
        webhook="" if model.webhook is None else model.webhook.value,
        secret_file="" if model.webhook_secret is None else model.webhook_secret.value,
        journal=None if model.journal is None else model.journal.value,
    )
