"""Resources of one instance and of the host itself, each with its bytes if it is a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.digest import Digest, digest_of, digest_of_data
from pbxfleet.core.drives import in_tree
from pbxfleet.core.paths import HostPath, join
from pbxfleet.core.span import Span
from pbxfleet.model.desired import ArtefactPin, ServiceBackend
from pbxfleet.model.manifest import fields_digest
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.model.target import Impact, Kind, Resource
from pbxfleet.pbx import layout
from pbxfleet.render import mirror, network, schedule
from pbxfleet.render.backups import lists, scripts
from pbxfleet.render.backups.places import host_exclude_path
from pbxfleet.render.network import nftables
from pbxfleet.render.services import BACKENDS, windows
from pbxfleet.render.services.base import FileText, executable_path
from pbxfleet.render.settings import CompiledSettings

OWNER = "root:root"


class Piece(NamedTuple):
    """A resource, and the bytes of its file in the rendered tree; None if it has none there."""

    resource: Resource
    content: bytes | None


def instance_pieces(
    host: ResolvedHost,
    instance: ResolvedInstance,
    settings: CompiledSettings,
    failover: bytes | None,
) -> Iterator[Piece]:
    """Everything that one instance consists of on its host."""
    paths = instance.paths
    name = instance.name
    yield Piece(_directory(instance), None)
    program = executable_path(host, instance)
    yield Piece(_artefact(instance, program, instance.release.pbxctrl, 0o755), None)
    resources = join(paths.directory, layout.RESOURCES)
    yield Piece(_artefact(instance, resources, instance.release.dat, 0o644), None)
    yield _pbx_xml(instance, settings)
    unit = BACKENDS[host.services].service_file(host, instance)
    unit_digest = None
    if unit is not None and paths.unit is not None:
        made_by = (instance.span, host.file.services.origin)
        piece = _file(name, paths.unit, unit, Impact.RESTART, made_by)
        unit_digest = piece.resource.digest
        yield piece
    yield Piece(_service(host, instance, unit_digest), None)
    if failover is not None and paths.failover_file is not None and instance.failover is not None:
        # How the PBX reads this file is not documented, so that a change counts as the worst.
        text = FileText(failover, 0o640)
        origin = instance.failover.origin
        yield _file(name, paths.failover_file, text, Impact.RESTART, (origin,))
    if host.services is ServiceBackend.WINDOWS:
        return  # what follows is read by programs of Linux
    for made in nftables.instance_files(instance):
        wished = (instance.source_addresses[0].origin,)
        yield _file(name, made.path, FileText(made.content, made.mode), Impact.NONE, wished)
    if instance.failover is not None and paths.mirror_exclude is not None:
        text = FileText(mirror.excludes(instance), 0o644)
        yield _file(name, paths.mirror_exclude, text, Impact.NONE, (instance.failover.origin,))
    yield from _backup_pieces(host, instance)


def _backup_pieces(host: ResolvedHost, instance: ResolvedInstance) -> Iterator[Piece]:
    paths, file = instance.paths, host.file
    listed = (
        (paths.backup_list, lists.instance_list(instance), file.backup_list.origin),
        (paths.backup_exclude, lists.instance_excludes(instance), file.backup_exclude.origin),
    )
    for path, content, origin in listed:
        text = FileText(content, 0o644)
        yield _file(instance.name, path, text, Impact.NONE, (instance.span, origin))
    for path, text in scripts.instance_files(host, instance):
        made_by = (instance.span, *_backup_origin(host))
        yield _file(instance.name, path, text, Impact.NONE, made_by)


def host_pieces(host: ResolvedHost) -> Iterator[Piece]:
    """What the host has besides its instances: lists and scripts for a backup of all of them."""
    if host.services is ServiceBackend.WINDOWS:
        script = windows.host_script(host)
        for path, text in script:
            yield _file("", path, text, Impact.NONE, (host.file.services.origin,))
        return
    origins = (host.file.host_backup_list.origin,)
    listed = host.file.host_backup_list.value
    text = FileText(lists.host_list(host), 0o644)
    yield _file("", listed, text, Impact.NONE, origins)
    text = FileText(lists.host_excludes(host), 0o644)
    yield _file("", host_exclude_path(host), text, Impact.NONE, origins)
    for path, text in scripts.host_files(host):
        yield _file("", path, text, Impact.NONE, _backup_origin(host))
    yield from network_pieces(host)


def network_pieces(host: ResolvedHost) -> Iterator[Piece]:
    """Files of the host's network."""
    for file in network.network_files(host):
        text = FileText(file.content, file.mode)
        yield _file("", file.path, text, Impact.NONE, network.origins(host))
    for made in schedule.files(host):
        yield _file("", made.path, FileText(made.content, 0o644), Impact.NONE, made.origins)


def _backup_origin(host: ResolvedHost) -> tuple[Span, ...]:
    """The places of [backup] that its files are made from."""
    backup = host.file.backup
    return () if backup is None else tuple(target.place.origin for target in backup.targets)


def _directory(instance: ResolvedInstance) -> Resource:
    path = instance.paths.directory
    return Resource(
        id=f"{Kind.DIRECTORY}:{path}",
        kind=Kind.DIRECTORY,
        path=path,
        instance=instance.name,
        mode=0o755,
        owner=OWNER,
        digest=digest_of(b""),
        impact=Impact.NONE,
        source="",
        fields_digest=None,
        origin=_places(instance.directory_origin),
    )


def _artefact(instance: ResolvedInstance, path: HostPath, pin: ArtefactPin, mode: int) -> Resource:
    return Resource(
        id=f"{Kind.ARTEFACT}:{path}",
        kind=Kind.ARTEFACT,
        path=path,
        instance=instance.name,
        mode=mode,
        owner=OWNER,
        digest=Digest(f"sha256:{pin.sha256.value}"),
        impact=Impact.RESTART,
        source=pin.source.value,
        fields_digest=None,
        origin=_places(instance.release_origin, pin.sha256.origin),
    )


def _pbx_xml(instance: ResolvedInstance, settings: CompiledSettings) -> Piece:
    path = join(instance.paths.directory, layout.SETTINGS_FILE)
    resource = Resource(
        id=f"{Kind.SETTINGS}:{path}",
        kind=Kind.SETTINGS,
        path=path,
        instance=instance.name,
        mode=0o600,  # it holds secrets
        owner=OWNER,
        digest=digest_of(settings.pbx_xml),
        impact=Impact.RESTART,
        source=_in_tree(path),
        fields_digest=fields_digest(settings.fields),
        origin=_places(instance.span, instance.release.reference.origin),
    )
    return Piece(resource, settings.pbx_xml)


def _service(host: ResolvedHost, instance: ResolvedInstance, unit: Digest | None) -> Resource:
    paths = instance.paths
    declared = {"enabled": True, "running": True, "unit": unit}
    return Resource(
        id=f"{Kind.SERVICE}:{paths.service_name}",
        kind=Kind.SERVICE,
        path=paths.unit or paths.directory,
        instance=instance.name,
        mode=None,
        owner=OWNER,
        digest=digest_of_data(declared),
        impact=Impact.RESTART,
        source="",
        fields_digest=None,
        origin=_places(instance.span, host.file.services.origin),
    )


def _file(
    instance: str, path: HostPath, text: FileText, impact: Impact, origins: tuple[Span, ...]
) -> Piece:
    resource = Resource(
        id=f"{Kind.FILE}:{path}",
        kind=Kind.FILE,
        path=path,
        instance=instance,
        mode=text.mode,
        owner=OWNER,
        digest=digest_of(text.content),
        impact=impact,
        source=_in_tree(path),
        fields_digest=None,
        origin=_places(*origins),
    )
    return Piece(resource, text.content)


def _in_tree(path: HostPath) -> str:
    return f"root{in_tree(path)}"


def _places(*spans: Span) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(span) for span in spans))
