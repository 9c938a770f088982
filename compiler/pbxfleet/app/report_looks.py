"""What the report page is told of machines: plan files, drift documents, a look at one host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from pbxfleet.app.planfile import content_of, load
from pbxfleet.core.diagnostics import did_you_mean
from pbxfleet.core.errors import Refused
from pbxfleet.model.picture import HostLook
from pbxfleet.report.drift_json import decode_drift

HINT = "pbxfleet --json drift HOST >FILE makes one"


class Told(NamedTuple):
    """Paths of plan files and of drift documents, and the folder that is the / of the one host.

    `root` is None where no host is looked at.
    """

    plans: tuple[str, ...] = ()
    drifts: tuple[str, ...] = ()
    root: str | None = None


NOTHING = Told()


def looks(repository: str, hosts: Collection[str], told: Told) -> Mapping[str, HostLook]:
    """What is known of the machines, by host, of those in `hosts`.

    Raises Refused where a file is something else, is about another host, or tells of one host again.
    """
    found: dict[str, HostLook] = {}
    for host, look in _all(repository, hosts, told):
        if host not in hosts:
            hint = did_you_mean(host, hosts)
            raise Refused(f"{look.sources[0]} is about {host}, which is not on the page", hint=hint)
        found[host] = look if host not in found else _both(host, found[host], look)
    return found


def _all(repository: str, hosts: Collection[str], told: Told) -> Iterator[tuple[str, HostLook]]:
    for path in told.plans:
        plan = load(path)
        yield plan.host, HostLook((f"plan file {path}",), plan=plan, debts=plan.debts)
    for path in told.drifts:
        one = decode_drift(content_of(path, HINT), path)
        source = (f"drift document {path}",)
        yield one.host, HostLook(source, drift=one.items, pending=one.pending, debts=one.debts)
    if told.root is not None:
        if len(hosts) != 1:
            raise Refused(
                "--root is the / of one host",
                hint="name that host: pbxfleet report HOST --root DIR",
            )
        (host,) = hosts
        yield host, _look_at(repository, host, told.root)


def _both(host: str, one: HostLook, other: HostLook) -> HostLook:
    """Two sources together; a drift document counts the changes that a plan lists."""
    if (one.plan and other.plan) or (one.drift is not None and other.drift is not None):
        raise Refused(f"{host} is told of twice: {one.sources[0]}, {other.sources[0]}")
    return HostLook(
        (*one.sources, *other.sources),
        one.plan or other.plan,
        other.drift if one.drift is None else one.drift,
        other.debts if other.debts is not None else one.debts,
    )


def _look_at(repository: str, host: str, root: str) -> HostLook:
    from pbxfleet.app.calls import with_calls
    from pbxfleet.app.drift import Wanted, drift
    from pbxfleet.app.live import look, open_live

    live = open_live(repository, host, root)
    plan = with_calls(live, look(live).plan)
    found = drift(live, Wanted(tells=False, keeps=False))
    where = "the machine" if root == "/" else "a folder that plays its /"
    return HostLook((f"a look at {where}",), plan, found.every, found.debts)
