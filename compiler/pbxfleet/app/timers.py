"""Do the timers of the host's own schedule run? What is declared is proven, here too."""

from __future__ import annotations

from pbxfleet.host.local import LocalHost
from pbxfleet.model.target import Kind, Target
from pbxfleet.model.timers import ACTIVE, FOLDER, TIMERS
from pbxfleet.plan.diff import Difference
from pbxfleet.plan.timers import with_timers


def with_timers_proven(machine: LocalHost, target: Target, difference: Difference) -> Difference:
    """The difference with each declared timer that systemd does not have active.

    Nothing is asked where none is declared, or a folder plays the host's /.
    """
    ids = {f"{Kind.FILE}:{FOLDER}/{timer}": timer for timer in TIMERS}
    declared = {name: ids[name] for name in ids if name in target.resources}
    if not declared or not machine.runs_services:
        return difference
    from pbxfleet.host.commands import Runner
    from pbxfleet.host.services.systemd import active_states

    states = active_states(Runner(), tuple(declared.values()))
    found = {
        target.resources[name]: states[timer]
        for name, timer in declared.items()
        if states[timer] != ACTIVE
    }
    return (
        difference._replace(changes=with_timers(difference.changes, found)) if found else difference
    )
