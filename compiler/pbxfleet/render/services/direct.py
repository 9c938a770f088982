"""Processes started by pbxfleet itself: no file, and nothing starts with the machine."""

from __future__ import annotations

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.render.services.base import FileText


def service_file(host: ResolvedHost, instance: ResolvedInstance) -> FileText | None:
    """Nothing: the starter is pbxfleet, which reads what it needs from the manifest."""
    del host, instance
    return None


def problems(instance: ResolvedInstance) -> tuple[Diagnostic, ...]:
    """Nothing: no text is made from paths."""
    del instance
    return ()
