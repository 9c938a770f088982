"""What was found on machines, for the report page: a host on which people were at work."""

from __future__ import annotations

from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.drift import DriftItem
from pbxfleet.model.picture import FleetPicture, HostLook
from pbxfleet.model.plan import Plan
from pbxfleet.plan.drift import drift_items
from support.events import happen
from support.machine import Look, applied
from support.targets import Wish, fleet

BY_HAND = "<img src=x onerror=alert(1)>\u202e"
HOSTILE = f"{BY_HAND}\x1b[2J"
NUMBER = 12  # of instances with the same change
FIRST, LAST = "2031-05-01T03:10:00Z", "2031-05-06T03:10:00Z"
DEBT = RestartDebt("p01", "artefact:/srv/pbx-p01/pbxctrl", ("release",), "another file", FIRST)


def wishes(settings: dict[str, str | None]) -> list[Wish]:
    """The instances; `settings` are what all of them declare."""
    return [
        Wish(f"p{n:02}", f"192.0.2.{n + 10}", settings={**settings, "sys_name": f"PBX p{n:02}"})
        for n in range(NUMBER)
    ]


def looked() -> tuple[Plan, tuple[DriftItem, ...]]:
    """A plan in which all instances change alike but one that somebody changed, and the drift of it."""
    before = fleet(*wishes({"mode": "a"}), services="systemd")
    machine = applied(before, "systemd")
    happen(machine, before.target.instances["p03"], ("set", "sys_name", BY_HAND))
    happen(machine, before.target.instances["p04"], ("mode", "/etc/pbx/failover-p04.conf", "0666"))
    happen(machine, before.target.instances["p05"], ("mode", "/etc/pbx/failover-p05.conf", "0666"))
    look = Look(fleet(*wishes({"mode": "b"}), services="systemd"), machine)
    items = (
        item._replace(first_seen=FIRST, last_seen=LAST, sightings=6, flaps=2, evidence=HOSTILE)
        for item in drift_items(look.difference, look.observed)
    )
    return look.plan, tuple(items)


def with_look(picture: FleetPicture) -> FleetPicture:
    """The picture with what was found on its first host."""
    plan, items = looked()
    look = HostLook(("plan file a.plan", "drift document a.json"), plan, items, (DEBT,))
    first, *others = picture.hosts
    return picture._replace(hosts=(first._replace(look=look), *others))
