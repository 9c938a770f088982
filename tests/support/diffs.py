"""Diffs of revisions as tests want them, without a repository."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.core.paths import HostPath
from pbxfleet.model.plan import Change, FieldDelta, Status, Verb
from pbxfleet.model.revisions import Effect, HostSides, Named, RevisionDiff, Source
from pbxfleet.model.target import Impact, Kind

BEFORE = Named("main", "a" * 40, "A. Author", "2026-01-02", "Before")
AFTER = Named("working tree", "", "", "", "")


def effect(
    host: str,
    instance: str,
    values: Sequence[tuple[str, str | None, str | None]],
    impact: Impact = Impact.RESTART,
    reason: str = "needed by pbx.xml",
) -> Effect:
    """An instance of which settings change."""
    path = HostPath(f"/usr/local/pbx-{instance}/pbx.xml")
    place = f"desired/instances/{instance}.toml"
    fields = tuple(
        FieldDelta(name, before, after, Status.PENDING, f"{place}:{n}:1")
        for n, (name, before, after) in enumerate(values, 1)
    )
    change = Change(
        f"settings:{path}",
        Kind.SETTINGS,
        instance,
        path,
        Status.PENDING,
        Verb.UPDATE,
        impact,
        "declared otherwise",
        fields,
        (),
    )
    words = (("instance", instance), ("host", host))
    return Effect(
        host,
        instance,
        Verb.UPDATE,
        "",
        impact,
        reason,
        (change,),
        words=words,
        place=f"{place}:1:1",
    )


def diff_of(effects: Sequence[Effect]) -> RevisionDiff:
    """A diff with these effects, of hosts that have no other instances."""
    names: dict[str, list[str]] = {}
    for one in effects:
        names.setdefault(one.host, []).append(one.instance)
    hosts = tuple(
        HostSides(host, Source.RENDERED, Source.RENDERED, tuple(own)) for host, own in names.items()
    )
    return RevisionDiff(BEFORE, AFTER, hosts, tuple(effects), (), (), ())
