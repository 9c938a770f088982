"""Applied state: what was written last, remembered on the host as digests, never as contents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.model.target import PROBES, ExpectedListener, InstanceTarget, Login, probes_from


class AppliedResource(NamedTuple):
    """What apply left behind for one resource.

    `digest` is of the content as it lay on disk; for settings it is of the whole pbx.xml, "" if an
    element was not as declared even then; `fields` holds a digest per declared element (None:
    removed; `seeded`, `secret`: not ours), `fields_digest` that of the declaration. `stat` identifies
    a release file that need not be read again while it is unchanged: (device, inode, size in bytes,
    mtime ns, ctime ns).
    """

    kind: str
    path: str
    digest: Digest
    mode: int | None
    owner: str
    fields_digest: Digest | None
    fields: Mapping[str, str | None]
    stat: tuple[int, int, int, int, int] | None


class Proof(NamedTuple):
    """What could not be proven right after our own last start, so that restarting again will not help.

    Each entry is a difference by its key (`listener tcp 0.0.0.0:8080=listening`), an element of
    pbx.xml with the digest of what it was instead (`setting sys_name=...`). `normalised` are elements
    that the PBX spells in its own way, with the digests of that and of the declared value: for the
    release (in `declared`) of this record, the newest last.
    """

    unproven: tuple[str, ...]
    normalised: tuple[str, ...] = ()


NOTHING_PROVEN = Proof(())


class Live(NamedTuple):
    """Settings that were changed in a running process, whose file may not have them yet.

    `process` is its identity, "" if there is none: with the end of that process all this is over.
    `values` and `refused` are digests of declared values by name: those it took, and those it did not.
    """

    process: str = ""
    values: Mapping[str, str | None] = MappingProxyType({})
    refused: Mapping[str, str | None] = MappingProxyType({})


NOT_LIVE = Live()


class Started(NamedTuple):
    """What a process was started with, of all that takes effect only at a start.

    `process` is its identity, "" if it is not known; `parts` are digests by resource id.
    """

    process: str = ""
    parts: Mapping[str, str] = MappingProxyType({})


NOT_STARTED = Started()


class AppliedRecord(NamedTuple):
    """The applied state of one instance, or of the host's own resources (`instance` is "").

    `declared` is the instance as it was declared then, needed to stop it once nobody declares it.
    """

    instance: str
    declared: InstanceTarget | None
    resources: Mapping[str, AppliedResource]
    proof: Proof
    live: Live = NOT_LIVE
    started: Started = NOT_STARTED


def as_remembered(instance: InstanceTarget | None) -> InstanceTarget | None:
    """The declaration as it is stored: without the place where it stood, which moves with every comment."""
    return None if instance is None else instance._replace(origin="")


def element_digest(value: str | None) -> str | None:
    """Digest of one declared value, short (128 bits): it only ever meets digests of the same element."""
    if value is None:
        return None
    return digest_of(value.encode("utf-8", "surrogatepass"))[7:39]


def encode_record(record: AppliedRecord) -> bytes:
    """The record as it is stored: JSON, the same bytes for the same record."""
    import json

    data = {
        "format": 1,
        "instance": record.instance,
        "declared": record.declared,
        "resources": {key: record.resources[key] for key in sorted(record.resources)},
        "unproven": record.proof.unproven,
    }
    if record.proof.normalised:
        data["normalised"] = record.proof.normalised
    if record.live.process:
        live = record.live
        data["live"] = [live.process, dict(live.values), dict(live.refused)]
    if record.started.process:
        data["started"] = [record.started.process, dict(sorted(record.started.parts.items()))]
    return (json.dumps(data, sort_keys=False, separators=(",", ":")) + "\n").encode()


def decode_record(content: bytes) -> AppliedRecord:
    """The stored record; ValueError if it is not one."""
    import json

    try:
        data = json.loads(content)
        if data["format"] != 1:
            raise ValueError(f"format {data['format']} is not known")
        if not isinstance(data["instance"], str):
            raise TypeError("the name of the instance is not text")
        resources = {
            key: AppliedResource(
                kind,
                path,
                digest,
                mode,
                owner,
                fields_digest,
                fields,
                tuple(stat) if stat is not None else None,
            )
            for key, (kind, path, digest, mode, owner, fields_digest, fields, stat) in data[
                "resources"
            ].items()
        }
        declared = data["declared"]
        return AppliedRecord(
            data["instance"],
            None if declared is None else instance_target(declared),
            resources,
            Proof(tuple(data["unproven"]), tuple(data.get("normalised", ()))),
            _live(data["live"]) if "live" in data else NOT_LIVE,
            _started(data["started"]) if "started" in data else NOT_STARTED,
        )
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"not an applied record: {error}") from error


def _live(stored: list[Any]) -> Live:
    process, values, refused = stored if len(stored) == 3 else ("", None, None)
    if not (type(process) is str and type(values) is type(refused) is dict):
        raise TypeError("what was changed live is not understood")
    return Live(process, values, refused)


def _started(stored: list[Any]) -> Started:
    process, parts = stored if len(stored) == 2 else ("", None)
    if not (type(process) is str and type(parts) is dict):
        raise TypeError("what was started is not understood")
    return Started(process, parts)


def instance_target(fields: list) -> InstanceTarget:  # type: ignore[type-arg]
    """The instance that was stored as a list of its fields; ValueError if it is of a later version."""
    # Fields that came later stand at the end and have a default; older records lack them.
    values = dict(zip(InstanceTarget._fields, fields, strict=False))
    if len(fields) > len(InstanceTarget._fields):
        raise ValueError("not an applied record: it has fields of a later version")
    values["listeners"] = tuple(ExpectedListener(*entry) for entry in values["listeners"])
    values["addresses"] = tuple(values["addresses"])
    values["api"] = Login(*api) if (api := values.get("api")) else None
    values["probes"] = probes_from(values["probes"]) if "probes" in values else PROBES
    values["rtp"] = None if values["rtp"] is None else tuple(values["rtp"])
    return InstanceTarget(**values)
