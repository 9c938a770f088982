"""The probes of all running instances, as status shows them."""

from __future__ import annotations

from collections.abc import Iterable

from pbxfleet.app.live import Live
from pbxfleet.apply.probes import probe_once, sentence
from pbxfleet.apply.readback import NOT_ANSWERED
from pbxfleet.model.asking import Probed
from pbxfleet.model.observed import Observed
from pbxfleet.model.plan import Note


def probe_all(live: Live, observed: Observed) -> tuple[Probed, ...]:
    """Every probe of every instance that runs, in order of their names; what is stopped is not asked."""
    running = [
        instance
        for name, instance in sorted(live.target.instances.items())
        if name in observed.runtime
        and observed.runtime[name].trees
        and not observed.runtime[name].unreadable
    ]
    return tuple(probed for i in running for probed in probe_once(live.machine, i))


def probe_notes(probed: Iterable[Probed]) -> tuple[Note, ...]:
    """PLN127 for each probe that is not answered well."""
    return tuple(
        Note(
            NOT_ANSWERED,
            "warning",
            p.instance,
            sentence(p),
            "look into its log; what needs no answer is switched off in [probes]",
            f"service:pbx-{p.instance}",
        )
        for p in probed
        if p.ok is False
    )
