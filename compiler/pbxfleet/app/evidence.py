"""Evidence of who made a difference: looked for only where something differs, and only what bears on it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from pbxfleet.app.live import Live
from pbxfleet.app.record_names import record_name
from pbxfleet.app.unfinished import unfinished_run, what_is_open
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.asking import ask_web
from pbxfleet.host.state import RECORDS
from pbxfleet.host.traces import file_trace, process_owner, process_trace
from pbxfleet.model.asking import Question
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.evidence import Earlier, Ending, Evidence, FileTrace, ProcessTrace
from pbxfleet.model.observed import Observed
from pbxfleet.model.runtime import LISTENER, listener_name
from pbxfleet.model.target import Kind
from pbxfleet.pbx.rest import Logged, changes_in, update_in
from pbxfleet.plan.drift import RELEASE
from pbxfleet.plan.runtime import FOREIGN
from pbxfleet.plan.who import CONTENT

FILES = ("file:", "artefact:", "settings:", "path:")


def evidence_for(live: Live, observed: Observed, items: Iterable[DriftItem]) -> Evidence:
    """What bears on these differences; nothing is asked of an instance that has none."""
    found = tuple(items)
    unfinished, run = _unfinished(live)
    return Evidence(
        unfinished,
        run,
        {name: frozenset(r.proof.unproven) for name, r in live.records.items()},
        dict(_files(live, found)),
        dict(_processes(live, observed, found)),
        dict(_logged(live, found)),
        frozenset(_updated(live, found)),
        frozenset(_services(live, observed)),
        dict(_endings(live, found)),
        dict(_earlier(live, observed, found)),
        frozenset(_other_roles(live, observed, found)),
    )


def _unfinished(live: Live) -> tuple[frozenset[str], str]:
    try:
        run = unfinished_run(live.state)
    except Refused:
        return frozenset(), ""
    if run is None or run.over:
        return frozenset(), ""
    resources = {entry.resource for entry in run.standing if entry.resource}
    for name in run.in_the_middle:
        instance = live.target.instances.get(name)
        resources |= set() if instance is None else {f"{Kind.SERVICE}:{instance.service}"}
    return frozenset(resources), what_is_open(run)


def _files(live: Live, items: Iterable[DriftItem]) -> Iterator[tuple[str, FileTrace]]:
    machine = live.machine
    for resource in dict.fromkeys(item.resource for item in items):
        if resource.startswith(FILES):
            path = HostPath(resource.partition(":")[2])
            trace = file_trace(machine.root, machine.owners, path)
            if trace is not None:
                yield resource, trace


def _processes(
    live: Live, observed: Observed, items: Iterable[DriftItem]
) -> Iterator[tuple[tuple[str, str], ProcessTrace]]:
    holders = {
        f"{FOREIGN}{listener_name(*socket[:3]).removeprefix(LISTENER)}": socket.pid
        for socket in observed.foreign
    }
    for item in items:
        runtime = observed.runtime.get(item.instance)
        pid = holders.get(item.name)
        if item.name.startswith("processes") and runtime is not None and runtime.trees:
            pid = runtime.trees[-1].pids[0]  # the one that was started last
        if pid is not None:
            trace = process_trace(live.machine.processes.proc, live.machine.owners, pid)
            if trace is not None:
                yield (item.instance, item.name), trace


def _logged(live: Live, items: Iterable[DriftItem]) -> Iterator[tuple[tuple[str, str], str]]:
    by_instance: dict[str, set[str]] = {}
    for item in items:
        if item.resource.startswith(f"{Kind.SETTINGS}:"):
            by_instance.setdefault(item.instance, set()).add(item.name)
    for name, settings in by_instance.items():
        for setting, logged in _changes_of(live, name, settings).items():
            yield (name, setting), _said(setting, logged)


def _changes_of(live: Live, name: str, settings: set[str]) -> Mapping[str, Logged]:
    instance = live.target.instances.get(name)
    if instance is None or instance.api is None:
        return {}
    try:
        applied = live.machine.identity(join(RECORDS, *record_name(name).split("/")))
    except HostError:
        applied = None
    if applied is None:
        return {}
    answer = ask_web(live.machine, instance, Question.CHANGES)
    return changes_in(answer, settings, applied[3] / 1e9, instance.api.user)


def _said(setting: str, logged: Logged) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(logged.at_s))
    admin = f" by {logged.admin}" if logged.admin else ""
    address = f" from {logged.address}" if logged.address else ""
    return f"the changes log of the PBX names {setting}{admin}{address} at {at}"


def _updated(live: Live, items: Iterable[DriftItem]) -> Iterator[str]:
    for name in dict.fromkeys(item.instance for item in items if item.name == RELEASE):
        instance = live.target.instances.get(name)
        if instance is not None and update_in(ask_web(live.machine, instance, Question.UPDATE)):
            yield name


def _services(live: Live, observed: Observed) -> Iterator[int]:
    proc = live.machine.processes.proc
    for runtime in observed.runtime.values():
        for tree in runtime.trees:
            uid = process_owner(proc, tree.pids[0])
            if uid is not None:
                yield uid


def _endings(live: Live, items: Iterable[DriftItem]) -> Iterator[tuple[str, Ending]]:
    if live.target.services != "systemd" or not live.machine.runs_services:
        return
    for name in dict.fromkeys(item.instance for item in items if item.name == "running"):
        from pbxfleet.host.commands import Runner
        from pbxfleet.host.endings import ending_of

        instance = live.target.instances.get(name)
        ending = None if instance is None else ending_of(Runner(), instance.service)
        if ending is not None:
            yield name, ending


def _earlier(
    live: Live, observed: Observed, items: Iterable[DriftItem]
) -> Iterator[tuple[str, Earlier]]:
    """Files that are as a generation before the present one left them: the newest such one of each."""
    found = {r: d for r, d in _contents(observed, items) if r.startswith(f"{Kind.FILE}:")}
    if not found:
        return
    from pbxfleet.app.generations import generations, unpacked_file
    from pbxfleet.app.rollback import current_generation
    from pbxfleet.model.manifest import MANIFEST, decode

    try:
        known = generations(live.state)
        now = current_generation(known)
        if now is None:
            return
        inputs = decode(unpacked_file(live.state, now.number, MANIFEST) or b"").inputs
        for generation in reversed(known[: known.index(now)]):
            content = unpacked_file(live.state, generation.number, MANIFEST) or b""
            if not any(digest.encode() in content for digest in found.values()):
                continue  # much faster than to decode it
            target = decode(content)
            for resource in [r for r in found if r in target.resources]:
                if target.resources[resource].digest == found[resource]:
                    same = target.inputs == inputs
                    yield (
                        resource,
                        Earlier(generation.number, generation.version, now.version, same),
                    )
                    del found[resource]
    except (Refused, HostError):
        return  # what is not kept, or damaged, tells nothing


def _other_roles(live: Live, observed: Observed, items: Iterable[DriftItem]) -> Iterator[str]:
    for resource, digest in _contents(observed, items):
        if live.target.other_roles.get(resource.partition(":")[2]) == digest:
            yield resource


def _contents(observed: Observed, items: Iterable[DriftItem]) -> Iterator[tuple[str, Digest]]:
    """Files whose content differs, with what it is now."""
    for item in items:
        seen = observed.seen.get(item.resource)
        if item.name == CONTENT and seen is not None and seen.digest is not None:
            yield item.resource, seen.digest
