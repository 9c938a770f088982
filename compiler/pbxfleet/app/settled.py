"""The quick answer to "is there anything to do?", for hosts that are as they were left.

After an apply that leaves nothing to do below a root folder, what it looked at is written down as one
list, under the digest of the manifest that it applied. While the manifest is still that one and every
file on the list is as it says, the full comparison would find nothing either, so it is not made: no
target is decoded, no record read. Every content is read and digested here too, except that of release
files, which the kernel's stamps identify (`HostView.identity`).

The list can only be used to say "nothing to do". Whatever differs is left to the full comparison.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pbxfleet.app.freshness import stale_inputs
from pbxfleet.app.identity import is_of
from pbxfleet.core.digest import Digest, digest_of
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.disk import read_file
from pbxfleet.host.local import LocalHost
from pbxfleet.host.state import RECORDS, State
from pbxfleet.host.unchanged import Known, is_unchanged
from pbxfleet.model.applied import AppliedRecord, AppliedResource
from pbxfleet.model.target import InstanceTarget, Kind, Target
from pbxfleet.observe.strays import find_strays

RECORD = "settled"
FORMAT = 1
NOWHERE = HostPath("")


def remember(
    state: State, machine: LocalHost, target: Target, records: Mapping[str, AppliedRecord]
) -> None:
    """Write the list down, after an apply that left nothing to do and nothing to say."""
    from pbxfleet.app.record_names import APPLIED

    folders: dict[str, list[Known]] = {}
    for record in records.values():
        for resource in record.resources.values():
            _note(folders, resource, owners=machine.owners_matter)
    data = {
        "format": FORMAT,
        "manifest": target.digest,
        "services": target.services,
        "owners": machine.owners_matter,
        "inputs": target.inputs,
        "folders": [[folder, sorted(known)] for folder, known in sorted(folders.items())],
        "instances": [[i.name, i.directory, i.service] for i in target.instances.values()],
        "retired": [
            [record.declared.name, record.declared.directory, record.declared.service]
            for name, record in sorted(records.items())
            if name not in target.instances and record.declared is not None
        ],
        "applied": APPLIED,
        "records": _stamps_of_records(machine, APPLIED),
    }
    state.write_record(RECORD, (json.dumps(data, separators=(",", ":")) + "\n").encode())


def is_settled(repository: str, host: str, root: str) -> bool:
    """Whether nothing is to be done on the host; False also where only the full comparison can tell."""
    machine = LocalHost(root, "direct")
    if machine.root.is_machine:
        return False  # services run here, and what runs is not on the list
    manifest = read_file(f"{repository}/rendered/{host}/manifest.json")
    try:
        if not is_of(machine, State(machine), host):
            return False  # another host's, or not to be believed: the full comparison says so
        content = State(machine).read_record(RECORD)
        data = json.loads(content) if content and manifest else {}
        return bool(data) and _unchanged(repository, root, digest_of(manifest or b""), data)
    except (Refused, HostError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return False


def _unchanged(repository: str, root: str, manifest: Digest, data: Mapping[str, object]) -> bool:
    if data["format"] != FORMAT or data["manifest"] != manifest:
        return False
    machine = LocalHost(root, str(data["services"]))
    return (
        not machine.runs_services
        and data["owners"] is machine.owners_matter
        and not State(machine).journal()
        and _stamps_of_records(machine, str(data["applied"])) == data["records"]
        and not stale_inputs(repository, data["inputs"])  # type: ignore[arg-type]
        and all(
            is_unchanged(machine, HostPath(folder), [_known(*entry) for entry in known])
            for folder, known in data["folders"]  # type: ignore[attr-defined]
        )
        and _services_unchanged(machine, data)
    )


def _stamps_of_records(machine: LocalHost, folder: str) -> list[list[object]]:
    """What the kernel says of the applied records: the list stands for their contents."""
    place = join(RECORDS, folder)
    return [
        [name, list(machine.identity(join(place, name)) or ())] for name in machine.names(place)
    ]


def _note(folders: dict[str, list[Known]], resource: AppliedResource, *, owners: bool) -> None:
    """Put one resource on the list; a directory stands for itself, even with nothing declared in it."""
    if resource.kind == Kind.SERVICE:
        return
    if resource.kind == Kind.DIRECTORY:
        folders.setdefault(resource.path, [])
        return
    folder, _, name = resource.path.rpartition("/")
    ours = resource.kind != Kind.SETTINGS  # mode and owner of pbx.xml are the PBX's
    known = Known(
        name,
        resource.digest.removeprefix("sha256:"),
        resource.mode if ours else None,
        resource.owner if ours and owners else "",
        resource.stat,
    )
    folders.setdefault(folder or "/", []).append(known)


def _services_unchanged(machine: LocalHost, data: Mapping[str, object]) -> bool:
    instances = [_named(entry) for entry in data["instances"]]  # type: ignore[attr-defined]
    retired = [_named(entry) for entry in data["retired"]]  # type: ignore[attr-defined]
    files = {
        f"{folder}/{entry[0]}"
        for folder, known in data["folders"]  # type: ignore[attr-defined]
        for entry in known
    }
    if find_strays(machine, str(data["services"]), files, [*instances, *retired]):
        return False
    return all(seen.enabled for seen in machine.service_states(instances).values())


def _known(name: str, digest: str, mode: int | None, owner: str, stamps: list[int] | None) -> Known:
    return Known(name, digest, mode, owner, None if stamps is None else tuple(stamps))


def _named(entry: list[str]) -> InstanceTarget:
    """As much of an instance as is needed to ask for its service and to know its directory."""
    name, directory, service = entry
    nothing = (None, (), (), None, None, None, "")
    return InstanceTarget(
        name, HostPath(directory), service, NOWHERE, Digest(""), NOWHERE, *nothing
    )
