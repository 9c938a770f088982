"""systemd-networkd: a drop-in beside the operator's own .network file (systemd.network(5)).

Only one .network file applies to an interface, so that a second one would take the place of the
operator's; drop-ins of that file add to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.paths import HostPath
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.network.base import (
    HEADING,
    NetworkFile,
    Placed,
    declared_network,
    placed_addresses,
)
from pbxfleet.render.own_templates import render


def files(host: ResolvedHost) -> Iterator[NetworkFile]:
    """The drop-in, 0644: networkd reads it as a user of its own."""
    network = declared_network(host)
    placed = placed_addresses(host)
    if network.network_file is None or not placed:
        return
    path = f"/etc/systemd/network/{network.network_file.value}.d/50-pbxfleet.conf"
    text = render("networkd.conf.j2", Values(placed), {})
    yield NetworkFile(HostPath(path), text.encode(), 0o644)


class Values:
    """What the template sees."""

    heading = HEADING

    def __init__(self, placed: tuple[Placed, ...]) -> None:
        self.placed = placed
