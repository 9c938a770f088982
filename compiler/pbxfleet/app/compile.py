"""Desired to rendered: validate, resolve, check, render, and write only what differs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pbxfleet.app.fleet import Fleet
from pbxfleet.app.incremental import survey
from pbxfleet.core.diagnostics import Diagnostic, Severity, did_you_mean, in_order
from pbxfleet.core.errors import Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.disk import folder_names, read_file, write_file
from pbxfleet.host.owners import Owners
from pbxfleet.host.rooted import Root
from pbxfleet.host.views import FileView
from pbxfleet.host.workspace import read_tree
from pbxfleet.host.written_tree import write_tree
from pbxfleet.model.manifest import MANIFEST
from pbxfleet.model.observed import What

LEDGER = "desired/ledger.toml"


class Compiled(NamedTuple):
    """What a compile did, or with check would do. `changed` are paths in the repository, and those in
    `removed` are gone.

    `fleet.diagnostics` has every problem; nothing was written if one of them is an error. With check,
    `stale` says field by field what the manifests would say instead.
    """

    fleet: Fleet
    changed: tuple[str, ...]
    hosts: int
    instances: int
    stale: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()

    @property
    def failed(self) -> bool:
        """Whether there was an error, so that nothing was compiled."""
        return any(d.severity is Severity.ERROR for d in self.fleet.diagnostics)


def validate_fleet(repository: str) -> tuple[Fleet, int, int]:
    """The fleet with its diagnostics, and how many hosts and instances it has (0 after an error)."""
    quick = survey(repository)
    if quick is None:
        from pbxfleet.app.reading import read_fleet

        fleet = read_fleet(repository)
        hosts = fleet.resolved.hosts if fleet.resolved is not None else ()
        return fleet, len(hosts), sum(len(host.instances) for host in hosts)
    quick.notes.save(repository)
    fleet = Fleet(files=quick.files, diagnostics=quick.diagnostics, suppressed=quick.suppressed)
    return fleet, len(quick.hosts), sum(quick.hosts.values())


def compile_fleet(repository: str, only: Sequence[str] = (), *, check: bool = False) -> Compiled:
    """Compile hosts (all, or those named in `only`) and the ledger; with `check` write nothing.

    Raises Refused if a named host is not declared. Either everything is written or, after an error
    in any file, nothing.
    """
    quick = survey(repository, only or None)
    if quick is None:
        return _from_scratch(repository, only, check=check)
    fleet = Fleet(
        files=quick.files,
        ledger=quick.ledger,
        diagnostics=quick.diagnostics,
        suppressed=quick.suppressed,
    )
    _known(quick.hosts, only)
    stale = _stale_fields(repository, quick.trees) if check else ()
    changed, removed = _write(repository, fleet, quick.trees, quick.hosts, only, check=check)
    quick.notes.save(repository, None if check else quick.trees)
    hosts = only or tuple(quick.hosts)
    instances = sum(quick.hosts[host] for host in hosts)
    return Compiled(fleet, changed, len(hosts), instances, stale, removed)


def _from_scratch(repository: str, only: Sequence[str], *, check: bool) -> Compiled:
    """The same with nothing kept: the way that can tell all problems."""
    from pbxfleet.app.reading import inputs_of, read_fleet
    from pbxfleet.render.compile import compile_host

    fleet = read_fleet(repository)
    if fleet.resolved is None:
        return Compiled(fleet, (), 0, 0)
    declared = {host.name: len(host.instances) for host in fleet.resolved.hosts}
    _known(declared, only)
    trees: dict[str, Mapping[str, bytes]] = {}
    found: list[Diagnostic] = list(fleet.diagnostics)
    for host in fleet.resolved.hosts:
        if only and host.name not in only:
            continue
        outcome = compile_host(
            host,
            fleet.resolved.fleet_name,
            fleet.resolved.deletion_budget,
            fleet.references,
            fleet.templates,
            inputs_of(fleet, host.name),
        )
        found += outcome.diagnostics
        if outcome.value is not None:
            trees[host.name] = outcome.value.files
    fleet.diagnostics = in_order(found)
    compiled = Compiled(fleet, (), len(trees), sum(declared[host] for host in trees))
    if compiled.failed:
        return compiled
    stale = _stale_fields(repository, trees) if check else ()
    changed, removed = _write(repository, fleet, trees, declared, only, check=check)
    return compiled._replace(changed=changed, stale=stale, removed=removed)


def _known(declared: Collection[str], only: Sequence[str]) -> None:
    for name in only:
        if name not in declared:
            raise Refused(f"{name} is not a declared host", hint=did_you_mean(name, declared))


def _write(
    repository: str,
    fleet: Fleet,
    trees: Mapping[str, Mapping[str, bytes]],
    declared: Collection[str],
    only: Sequence[str],
    *,
    check: bool,
) -> tuple[tuple[str, ...], frozenset[str]]:
    """What was changed, or with check would be, in order; and what of it was removed."""
    changed: list[str] = []
    removed: set[str] = set()
    _refuse_links(repository, ["rendered"])
    gone: Iterable[str] = () if only else _left_over(repository, declared)
    targets: dict[str, Mapping[str, bytes]] = {**trees, **{host: {} for host in gone}}
    _refuse_links(repository, [f"rendered/{host}" for host in targets])
    for host, files in targets.items():
        if check:
            changed += _stale(repository, f"rendered/{host}", files)
            continue
        done = write_tree(f"{repository}/rendered/{host}", files)
        removed.update(f"rendered/{host}/{name}" for name in done.removed)
        changed += [f"rendered/{host}/{name}" for name in (*done.written, *done.removed)]
    if fleet.ledger is not None:
        from pbxfleet.resolve.ledger_text import ledger_text  # it rarely has to be

        text = ledger_text(fleet.ledger)
        before = fleet.files.get(LEDGER)
        if text != before and (fleet.ledger.remembers or before is not None):
            changed.append(LEDGER)
            if not check:
                write_file(f"{repository}/{LEDGER}", text, 0o644)
    return tuple(sorted(changed)), frozenset(removed)


def _left_over(repository: str, declared: Collection[str]) -> list[str]:
    """Folders of hosts that are no longer declared; whatever else is in rendered/ is not ours."""
    view = FileView(Root(repository, is_machine=False), Owners(matter=False))
    return [
        name
        for name in folder_names(f"{repository}/rendered")
        if name not in declared
        and view.look(HostPath(f"/rendered/{name}/{MANIFEST}")).what is What.FILE
    ]


def _refuse_links(repository: str, paths: Iterable[str]) -> None:
    """Nothing is written or removed behind a link: a pull request could point it anywhere."""
    view = FileView(Root(repository, is_machine=False), Owners(matter=False))
    for path in paths:
        if view.look(HostPath(f"/{path}")).what not in (What.ABSENT, What.DIRECTORY):
            raise Refused(f"{path} is not a folder", hint="remove it: compile makes it anew")


def _stale(repository: str, folder: str, files: Mapping[str, bytes]) -> list[str]:
    """The names that `write_tree` would write or remove."""
    there = read_tree(f"{repository}/{folder}", hidden=True)
    names = sorted({*there, *files})
    return [f"{folder}/{name}" for name in names if there.get(name) != files.get(name)]


def _stale_fields(repository: str, trees: Mapping[str, Mapping[str, bytes]]) -> tuple[str, ...]:
    """What differs between the manifests that are there and those that would be written, in words."""
    found: list[str] = []
    for host, files in trees.items():
        path = f"rendered/{host}/{MANIFEST}"
        before = read_file(f"{repository}/{path}")
        after = files[MANIFEST]
        if before is None or before == after:
            continue
        from pbxfleet.compare.keyed import deltas  # 220 ms, paid only where something differs

        try:
            found += [f"{path}: {d.text()}" for d in deltas(_keyed(before), _keyed(after))]
        except (ValueError, KeyError, TypeError, AttributeError):
            found.append(f"{path}: is not a manifest")
    return tuple(found)


def _keyed(manifest: bytes) -> dict[str, object]:
    """A manifest with its resources by id; digests of inputs say nothing that is not said elsewhere."""
    data = json.loads(manifest)
    resources = {r.pop("id"): r for r in data.pop("resources")}
    data.pop("inputs")
    return {**data, "resources": resources}
