"""Settings in a live pbx.xml that the release which is to come does not know."""

from __future__ import annotations

from collections.abc import Iterator

from pbxfleet.app.contents import Tree
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath, join
from pbxfleet.host.base import HostView
from pbxfleet.model.plan import Note
from pbxfleet.model.target import Target
from pbxfleet.pbx.layout import PBX_XML
from pbxfleet.plan.diff import Difference

UNKNOWN_TO_NEXT = "PLN143"
SHOWN = 5


def unknown_settings(
    tree: Tree, target: Target, view: HostView, difference: Difference
) -> Iterator[Note]:
    """Advice (PLN143) for every instance that changes its release; a broken file is others' to report.

    Only where the list of the coming release is exact: without one nobody knows what it lacks.
    """
    for switch in difference.switches:
        release = target.releases.get(switch.after)
        if release is None or not release.settings:
            continue
        content = tree.rendered(release.settings_file, Digest(release.settings))
        known = frozenset(content.decode().split())
        path = join(target.instances[switch.instance].directory, PBX_XML)
        names = [name for name in _names(view, path) if name not in known]
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield Note(
                UNKNOWN_TO_NEXT,
                "advice",
                switch.instance,
                f"release {switch.after} does not know {', '.join(names[:SHOWN])}{more}, "
                "which stand in pbx.xml and stay there",
                "what they did is to be set in another way, or to be given up; unset removes them",
                f"settings:{path}",
            )


def _names(view: HostView, path: HostPath) -> list[str]:
    from pbxfleet.pbx.pbx_xml import PbxXmlError, read

    try:
        content = view.read(path)
        return [] if content is None else sorted({s.name for s in read(content).settings})
    except (PbxXmlError, HostError):
        return []
