"""SysV init scripts: one text for the Red Hat and the Debian family."""

from __future__ import annotations

import shlex

from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.render.own_templates import render
from pbxfleet.render.services.base import FileText, no_problems, service_values


def service_file(host: ResolvedHost, instance: ResolvedInstance) -> FileText | None:
    """The init script, 0755."""
    text = render("sysv.sh.j2", service_values(host, instance), {"word": shlex.quote})
    return FileText(text.encode(), 0o755)


problems = no_problems  # every path can be quoted
