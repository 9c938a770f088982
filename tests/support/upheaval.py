"""One apply with every kind of step: two swap addresses, one is upgraded, one goes, one is new."""

from __future__ import annotations

from support.events import happen
from support.machine import Machine, applied
from support.targets import Fleet, Wish, fleet


def before(services: str = "systemd") -> Fleet:
    """Three instances."""
    return fleet(
        Wish("alpha", "192.0.2.10", failover="one", settings={"mode": "a"}),
        Wish("beta", "192.0.2.11", cpu=1),
        Wish("gamma", "192.0.2.12"),
        services=services,
    )


def after(services: str = "systemd") -> Fleet:
    """Two swap their addresses, one of them is upgraded, loses a file and gets another core; one is
    removed, one is new; the host's own file changes.
    """
    return fleet(
        Wish("alpha", "192.0.2.11", failover=None, release="2", settings={"mode": "b"}),
        Wish("beta", "192.0.2.10", cpu=2, backup="-"),
        Wish("delta", "192.0.2.13"),
        services=services,
    )


def disturbed(services: str = "systemd") -> Machine:
    """As `before`, but for somebody's mode, link and foreign element."""
    known = before(services)
    machine = applied(known, services)
    alpha = known.target.instances["alpha"]
    happen(machine, alpha, ("replace", "<timezone/>", "<timezone>CET</timezone>"))
    happen(machine, alpha, ("mode", "/etc/pbx/backup-alpha.list", "0600"))
    happen(machine, alpha, ("link", "/etc/pbx/backup-beta.list", "/opt/list"))
    happen(machine, alpha, ("write", "/srv/pbx-gamma/cdr.db", "calls"))
    return machine
