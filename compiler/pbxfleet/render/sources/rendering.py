"""One rendered file of a host, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pbxfleet.core.paths import HostPath
from pbxfleet.model.target import Resource
from pbxfleet.render.failover import failover_text, read_template, template_file
from pbxfleet.render.network import nftables
from pbxfleet.render.resources import host_pieces, instance_pieces, network_pieces
from pbxfleet.render.settings import CompiledSettings
from pbxfleet.render.sources.levers import Stage

NO_SETTINGS = CompiledSettings(b"", ())  # pbx.xml is made another way


class Wanted(NamedTuple):
    """A file by its path on the host; `owner` is the index of its instance, None for the host's own."""

    path: HostPath
    owner: int | None


class Made(NamedTuple):
    """The file, and its resource."""

    resource: Resource
    content: bytes


def render_file(stage: Stage, wanted: Wanted, templates: Mapping[str, bytes]) -> Made | None:
    """The file as this stage has it, None if it has none there. `templates` are those of failover."""
    if wanted.owner is None:
        of_filter = wanted.path in (
            nftables.FIREWALL,
            nftables.SOURCE,
        )  # without scripts of backups
        pieces = (network_pieces if of_filter else host_pieces)(stage.host)
    else:
        instance = stage.host.instances[wanted.owner]
        failover = None
        if instance.paths.failover_file == wanted.path:
            failover = _failover(stage, wanted.owner, templates)
        pieces = instance_pieces(stage.host, instance, NO_SETTINGS, failover)
    for piece in pieces:
        if piece.resource.path == wanted.path and piece.content is not None:
            return Made(piece.resource, piece.content)
    return None


def _failover(stage: Stage, owner: int, templates: Mapping[str, bytes]) -> bytes | None:
    instance, file = stage.host.instances[owner], template_file(stage.host)
    if instance.failover is None or file is None or file not in templates:
        return None
    template = read_template(file, templates[file]).value
    if template is None:
        return None
    return failover_text(template, stage.fleet, stage.host, instance, instance.failover).value
