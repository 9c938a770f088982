"""Service managers, one module each: what is rendered so that the manager runs an instance.

A new one is a module with the shape of `base.Backend`, a line in `BACKENDS`, and golden files.
"""

from __future__ import annotations

from collections.abc import Mapping

from pbxfleet.model.desired import ServiceBackend
from pbxfleet.render.services import compose, direct, systemd, sysv, windows
from pbxfleet.render.services.base import Backend

BACKENDS: Mapping[ServiceBackend, Backend] = {
    ServiceBackend.SYSTEMD: systemd,
    ServiceBackend.SYSV: sysv,
    ServiceBackend.COMPOSE: compose,
    ServiceBackend.WINDOWS: windows,
    ServiceBackend.DIRECT: direct,
}
