"""netplan: a file of its own; netplan joins the lists of one interface over all files."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.core.paths import HostPath
from pbxfleet.model.network import DeviceType
from pbxfleet.model.resolved import ResolvedHost
from pbxfleet.render.network.base import (
    HEADING,
    NetworkFile,
    Placed,
    declared_network,
    device,
    placed_addresses,
)
from pbxfleet.render.own_templates import render

PATH = HostPath("/etc/netplan/90-pbxfleet.yaml")


def files(host: ResolvedHost) -> Iterator[NetworkFile]:
    """The file, 0600 as netplan wants its files."""
    placed = placed_addresses(host)
    if placed:
        values = Values(declared_network(host).device_type.value, device(host), placed)
        text = render("netplan.yaml.j2", values, {})
        yield NetworkFile(PATH, text.encode(), 0o600)


class Values:
    """What the template sees."""

    heading = HEADING

    def __init__(self, section: DeviceType, device: str, placed: tuple[Placed, ...]) -> None:
        self.section = section.value
        self.device = device
        self.placed = placed
