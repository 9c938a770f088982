"""What a fleet accepts of its diagnostics today: the one place that asks what day it is for that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pbxfleet.core.diagnostics import Diagnostic, in_order
from pbxfleet.host.clock import today
from pbxfleet.model.judged import Judged, Scope
from pbxfleet.model.plans import Judging


def judged(found: Iterable[Diagnostic], judging: Judging, scope: Scope) -> Judged:
    """The diagnostics as the fleet wants them told; the day decides which suppressions still hold.

    Nothing that is compiled depends on the day.
    """
    if judging.is_silent:
        return Judged(in_order(found), ())
    from pbxfleet.app.pages import codes  # a folder is listed, which most fleets need not pay
    from pbxfleet.resolve.judge import judge

    return judge(found, judging, scope, codes(), today())


def scope_files(
    hosts: Mapping[str, str], instance_files: Mapping[str, str], host_files: Mapping[str, str]
) -> dict[str, str]:
    """What each file is about: a host, or `host/instance`; `hosts` are those of the instances."""
    about = {file: f"{hosts[name]}/{name}" for name, file in instance_files.items()}
    return about | {file: name for name, file in host_files.items()}
