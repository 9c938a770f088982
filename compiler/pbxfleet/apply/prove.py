"""After a start: look until the instance runs as declared, or the time is over."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import join
from pbxfleet.host.base import Host
from pbxfleet.model.elements import needs_edit
from pbxfleet.model.observed import RuntimeSeen
from pbxfleet.model.runtime import RuntimeFacts, declared_facts, observed_facts, unproven_key
from pbxfleet.model.target import Field, InstanceTarget
from pbxfleet.pbx.layout import PBX_XML
from pbxfleet.pbx.pbx_xml import PbxXmlError, read

PROBE_INTERVAL_S = 0.1


def prove(
    host: Host, instance: InstanceTarget, fields: Sequence[Field], timeout_s: int
) -> tuple[str, ...]:
    """Wait until every declared listener is held; HostError if the process ends or one stays missing.

    Returns what another restart would not mend, as texts that the applied record remembers:
    sockets beyond the declared ones, another core, elements that the PBX has not accepted.
    """
    declared = declared_facts(instance)
    missing: list[str] = []
    observed = RuntimeFacts(frozenset(), "")
    for attempt in range(int(timeout_s / PROBE_INTERVAL_S)):
        runtime = host.runtime([instance]).get(instance.name, RuntimeSeen((), ""))
        if not runtime.trees and attempt:
            raise HostError(instance.service, "the process ended right after it was started")
        if runtime.trees:
            observed = observed_facts(instance, runtime.trees[0])
            missing = sorted(declared.listeners - observed.listeners)
            if not missing or runtime.unreadable:
                break
        host.pause(PROBE_INTERVAL_S)
    else:
        if not missing:
            raise HostError(instance.service, "no process of it was found after the start")
        raise HostError(instance.service, "runs, but does not hold " + ", ".join(missing))
    extra = [
        unproven_key(name, "listening") for name in sorted(observed.listeners - declared.listeners)
    ]
    if observed.cpu != declared.cpu:
        extra.append(unproven_key("cpu", observed.cpu))
    return (*extra, *_not_accepted(host, instance, fields))


def _not_accepted(host: Host, instance: InstanceTarget, fields: Sequence[Field]) -> list[str]:
    """Declared elements that read differently after the PBX has started on them."""
    path = join(instance.directory, PBX_XML)
    content = host.read(path)
    if content is None:
        raise HostError(path, "vanished while the instance was started")
    try:
        document = read(content)
    except PbxXmlError as error:
        raise HostError(f"{path}:{error.line}:{error.column}", error.message) from error
    found = []
    for field in fields:
        element = document.get(field.name)
        value = None if element is None else element.value
        opaque = element is not None and element.encrypted
        # known=True: a seeded element was written before the start and is the PBX's from here on
        if needs_edit(field, value, opaque=opaque, known=True):
            found.append(unproven_key(f"setting {field.name}", value))
    return found
