"""What was changed on disk under a process that runs, as far as the stamps of files tell."""

from __future__ import annotations

from collections.abc import Container, Mapping

from pbxfleet.host.base import HostView
from pbxfleet.host.clock import in_utc
from pbxfleet.model.applied import NOT_STARTED, AppliedRecord
from pbxfleet.model.debt import is_part
from pbxfleet.model.observed import RuntimeSeen, Seen, StartSeen, process_key
from pbxfleet.model.target import Kind, Resource, Target

CTIME = 4  # in the identity of a file


def find_starts(
    view: HostView,
    target: Target,
    records: Mapping[str, AppliedRecord],
    runtime: Mapping[str, RuntimeSeen],
    boot: str,
    seen: Mapping[str, Seen],
    looked_into: Container[str],
) -> dict[str, StartSeen]:
    """One entry for each declared instance with exactly one process tree.

    Only a file of which the record does not tell that the process was started with it is asked for its
    stamps, and a pbx.xml that is `looked_into`. Of a process of which nobody knows when it was started
    every file may have changed later.
    """
    changed: dict[str, dict[str, str]] = {}
    found: dict[str, StartSeen] = {}
    for name in target.instances:
        process = process_key(runtime.get(name), boot)
        if process:
            changed[name] = {}
            found[name] = StartSeen(process, changed[name])
    started: dict[str, int] = {}
    for resource in target.resources.values():
        name = resource.instance
        if name not in found or not (
            resource.id in looked_into
            if resource.kind is Kind.SETTINGS
            else is_part(resource)
            and not _is_known(resource, found[name], records.get(name), seen[resource.id])
        ):
            continue
        if name not in started:
            started[name] = view.started_ns(runtime[name].trees[0]) or 0
        identity = view.identity(resource.path)
        if identity is not None and identity[CTIME] > started[name]:
            changed[name][resource.id] = in_utc(identity[CTIME])
    return found


def _is_known(
    resource: Resource, start: StartSeen, record: AppliedRecord | None, seen: Seen
) -> bool:
    """Whether our own start gave the process just the file that is there."""
    started = record.started if record is not None else NOT_STARTED
    return started.process == start.process and started.parts.get(resource.id) == seen.digest
