"""What the PBX made of declared settings, for `status`: spelled otherwise, or not taken."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.app.live import Live, Looked
from pbxfleet.apply.merge import read_content, read_document
from pbxfleet.apply.readback import verdicts
from pbxfleet.core.errors import HostError
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.runtime import SETTING, setting_key
from pbxfleet.model.target import Kind, Resource
from pbxfleet.model.verdict import ReadBack, Verdict


def not_literal(live: Live, looked: Looked) -> tuple[tuple[str, ReadBack], ...]:
    """Instance and setting, in that order, where pbx.xml has not literally what is declared.

    A value that was not taken is one that the last start of this release did not change; any other
    difference is drift or pending. Only a file that may have such a setting is read.
    """
    found: list[tuple[str, ReadBack]] = []
    for resource in live.target.resources.values():
        record = live.records.get(resource.instance)
        if (
            resource.kind is Kind.SETTINGS
            and record is not None
            and _may_have(record, looked, resource)
        ):
            found += [(resource.instance, read) for read in _told(live, resource, record)]
    return tuple(sorted(found))


def _may_have(record: AppliedRecord, looked: Looked, resource: Resource) -> bool:
    told = (*record.proof.normalised, *record.proof.unproven)
    return resource.id in looked.observed.settings or any(key.startswith(SETTING) for key in told)


def _told(live: Live, resource: Resource, record: AppliedRecord) -> Iterator[ReadBack]:
    try:
        document = read_document(resource.path, read_content(live.machine, resource.path))
    except HostError:
        return  # the plan says why
    declared = live.target.instances[resource.instance]
    is_same = record.declared is not None and record.declared.release == declared.release
    stuck = record.proof.unproven if is_same else ()
    for read in verdicts(document, live.tree.fields(resource.instance), ()):
        is_stuck = setting_key(read.name, read.observed) in stuck
        if read.verdict is Verdict.NORMALISED or (read.verdict is Verdict.REJECTED and is_stuck):
            yield read
