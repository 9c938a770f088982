"""If a host is lost: where do its instances start, and what is missing for the others?

Answered from the repository alone, for one host at a time. Room is counted by the allocator, who goes
where is decided exactly (`placement`), and the resolver and the checks of a host are asked whether it
comes true (`trial`); what they refuse is learned, and decided again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.desired import Auto, Desired, FailoverRole, InstanceFile, ServiceBackend
from pbxfleet.model.ledger_parts import NOTHING, joined, parts_of
from pbxfleet.model.rehearsal import (
    Bereft,
    HostRehearsal,
    Lack,
    Refusal,
    Start,
    Stranded,
    Takeover,
)
from pbxfleet.model.resolved import (
    Ledger,
    Reference,
    Resolved,
    ResolvedHost,
    ResolvedInstance,
)
from pbxfleet.resolve.context import FleetContext, fleet_context
from pbxfleet.resolve.host import askings_of
from pbxfleet.resolve.layers import join
from pbxfleet.resolve.placement import Placement, Unit, least_missing, most_placed
from pbxfleet.resolve.recovery import Terms, moved, wish_version
from pbxfleet.resolve.room import CORE, IPV4, IPV6, Room, needs_of, pool_of, room_of
from pbxfleet.resolve.trial import Guest, Trial, changes, seat_of, trial

# Instances that do not get along are told apart one pair at a time; each round settles at least one.
ROUNDS_AT_MOST = 200
NOTHING_LEFT = "ALC101"
_PAIR = "pair "  # begins the resource that two instances may not both have on a host


class Rehearsed(NamedTuple):
    """One lost host, and the ledger with which the plan compiles."""

    rehearsal: HostRehearsal
    ledger: Ledger


@dataclass
class Stage:
    """The fleet as it stands, and what was worked out about its hosts on the way."""

    desired: Desired
    resolved: Resolved
    ledger: Ledger
    context: FleetContext
    hosts: dict[str, ResolvedHost]
    terms: dict[str, Terms]
    room: dict[str, dict[str, Room]]
    parts: dict[str, Ledger]
    needs: dict[tuple[object, ...], Mapping[str, int]] = field(default_factory=dict)

    def files(self, host: ResolvedHost) -> list[InstanceFile]:
        """The files of the host's instances, in order of their names."""
        return [self.desired.instances[instance.name] for instance in host.instances]

    def part(self, host: ResolvedHost) -> Ledger:
        """What the ledger remembers of the host."""
        return self.parts.get(host.name, NOTHING)


@dataclass
class Lost:
    """What was learned while the instances of one lost host are placed.

    `refusals` are by instance and host. `apart` are sets of instances that no host may have together,
    by host.
    """

    host: ResolvedHost
    units: list[ResolvedInstance]
    refusals: dict[str, dict[str, str]] = field(default_factory=dict)
    apart: dict[str, list[frozenset[str]]] = field(default_factory=dict)


def rehearse(
    desired: Desired,
    resolved: Resolved,
    references: Mapping[str, Reference],
    ledger: Ledger,
    only: Collection[str] = (),
) -> Iterator[Rehearsed]:
    """The loss of each host (or of those in `only`), in order of names.

    The fleet is one without errors, and `ledger` what its compile remembers.
    """
    stage = _stage(desired, resolved, references, ledger)
    for host in resolved.hosts:
        if not only or host.name in only:
            yield _loss(stage, host)


def _stage(
    desired: Desired, resolved: Resolved, references: Mapping[str, Reference], ledger: Ledger
) -> Stage:
    hosts = {host.name: host for host in resolved.hosts}
    terms = {
        name: Terms(host.file, join(host.file.defaults, desired.fleet.defaults), pool_of(host))
        for name, host in hosts.items()
    }
    context = fleet_context(desired.fleet, references, desired.instances)
    parts = parts_of(ledger, {name: file.host.value for name, file in desired.instances.items()})
    stage = Stage(desired, resolved, ledger, context, hosts, terms, {}, parts)
    most = max((sum(map(_addresses, host.instances)) for host in resolved.hosts), default=0)
    for name, host in hosts.items():
        pool = terms[name].pool
        askings = askings_of(pool, stage.files(host), terms[name].defaults)
        stage.room[name] = room_of(pool, askings, stage.part(host), most)
    return stage


def _addresses(instance: ResolvedInstance) -> int:
    """The most addresses of one family that it has, at least 1: so many times it is to be reckoned."""
    versions = [address.value.version for address in instance.addresses]
    return max(versions.count(4), versions.count(6), 1)


def _loss(stage: Stage, host: ResolvedHost) -> Rehearsed:
    takeovers: list[Takeover] = []
    bereft: list[Bereft] = []
    lost = Lost(host, [])
    for instance in host.instances:
        pair = instance.failover
        if pair is None or pair.peer_host == host.name:
            lost.units.append(instance)
        elif pair.role is FailoverRole.PRIMARY:
            peer = next(i for i in stage.hosts[pair.peer_host].instances if i.name == pair.peer)
            takeovers.append(Takeover(instance.name, peer.name, pair.peer_host, seat_of(peer)))
        else:
            bereft.append(Bereft(instance.name, pair.peer, pair.peer_host))
    _refuse_other_systems(stage, lost)
    placement, trials = _settled(stage, lost)
    starts = _starts(stage, lost, placement, trials)
    placed = {start.instance for start in starts}
    stranded = [i.name for i in lost.units if i.name not in placed]
    lacks, proven = _lacks(stage, lost) if stranded else ((), True)
    rehearsal = HostRehearsal(
        host=host.name,
        instances=len(host.instances),
        takeovers=tuple(takeovers),
        bereft=tuple(bereft),
        starts=starts,
        stranded=tuple(_stranded(name, lost) for name in stranded),
        lacks=lacks,
        proven=proven and placement.proven,
    )
    kept = {n: a for n, a in stage.ledger.allocations.items() if n not in placed}
    new = joined(said.ledger for said in trials.values()).allocations
    return Rehearsed(rehearsal, replace(stage.ledger, allocations={**kept, **new}))


def _refuse_other_systems(stage: Stage, lost: Lost) -> None:
    """An executable of one operating system does not run on another, and paths differ too."""
    windows = lost.host.services is ServiceBackend.WINDOWS
    why = "it does not run Windows" if windows else "it runs Windows"
    for name, host in stage.hosts.items():
        if (host.services is ServiceBackend.WINDOWS) != windows:
            for instance in lost.units:
                lost.refusals.setdefault(instance.name, {})[name] = why


def _settled(stage: Stage, lost: Lost) -> tuple[Placement, dict[str, Trial]]:
    """A placement that every host it leads to says yes to, and what they say."""
    placement, trials = Placement({}, 0, proven=True), dict[str, Trial]()
    for _ in range(ROUNDS_AT_MOST):
        placement, trials = most_placed(_units(stage, lost), _room(stage, lost)), {}
        learned = False
        for host in sorted(set(placement.where.values())):
            guests = [i for i in lost.units if placement.where.get(i.name) == host]
            trials[host] = _trial(stage, lost, host, guests)
            if trials[host].faults:
                _learn(lost, host, guests, trials[host])
                learned = True
        if not learned:
            return placement, trials
    said_yes = {host: said for host, said in trials.items() if not said.faults}
    where = {name: host for name, host in placement.where.items() if host in said_yes}
    return Placement(where, len(lost.units) - len(where), proven=False), said_yes


def _trial(stage: Stage, lost: Lost, host: str, guests: list[ResolvedInstance]) -> Trial:
    terms, there, left = stage.terms[host], stage.hosts[host], lost.host.file
    arriving = [
        Guest(one, moved(stage.desired.instances[one.name], one, left, terms)) for one in guests
    ]
    home = (there, stage.files(there), stage.part(there))
    return trial(stage.context, terms, home, arriving)


def _learn(lost: Lost, host: str, guests: list[ResolvedInstance], said: Trial) -> None:
    """One guest alone cannot be there; several cannot be there together."""
    by_file = {guest.span.file: guest.name for guest in guests}
    for fault in said.faults:
        spans = [fault.span, *(span for span, _ in fault.related)]
        blamed = {by_file[s.file] for s in spans if s is not None and s.file in by_file}
        if not blamed or fault.code == NOTHING_LEFT:
            blamed = {guest.name for guest in guests}  # who came last was refused; all are too many
        if len(blamed) == 1:
            refused = lost.refusals.setdefault(min(blamed), {})
            refused.setdefault(host, _why(fault))
        elif frozenset(blamed) not in lost.apart.setdefault(host, []):
            lost.apart[host].append(frozenset(blamed))


def _why(fault: Diagnostic) -> str:
    return f"{fault.message} ({fault.code})"


def _units(stage: Stage, lost: Lost) -> list[Unit]:
    """The instances with the hosts they may go to, the best first."""
    hosts = _preferred(stage, lost)
    alike: dict[tuple[object, ...], dict[str, Mapping[str, int]]] = {}
    units = []
    for instance in lost.units:
        kind = _kind(stage, lost, instance)
        if kind not in alike:
            alike[kind] = {host: _needs(stage, lost, instance, kind, host) for host in hosts}
        options = alike[kind]
        refused = lost.refusals.get(instance.name, {})
        extra = {
            host: {_pair(group): 1 for group in groups if instance.name in group}
            for host, groups in lost.apart.items()
        }
        if refused or any(extra.values()):
            options = {
                host: {**needs, **extra.get(host, {})}
                for host, needs in options.items()
                if host not in refused
            }
        units.append(Unit(instance.name, options))
    return units


def _preferred(stage: Stage, lost: Lost) -> list[str]:
    """Hosts of the same service manager first, then those with the most room, then by name."""

    def rank(name: str) -> tuple[bool, int, str]:
        room = stage.room[name]
        free = sum(room[kind].free for kind in (IPV4, IPV6, CORE))
        return (stage.hosts[name].services is not lost.host.services, -free, name)

    return sorted((name for name in stage.hosts if name != lost.host.name), key=rank)


def _pair(group: frozenset[str]) -> str:
    return _PAIR + " ".join(sorted(group))


def _kind(stage: Stage, lost: Lost, instance: ResolvedInstance) -> tuple[object, ...]:
    """All that decides what the instance needs on another host; the same for many instances."""
    layer = stage.desired.instances[instance.name].layer
    said = (layer.cpu, layer.rtp, layer.ports)
    wishes = None if layer.address is None else tuple(wish.value for wish in layer.address)
    families = tuple(a.value.version for a in instance.addresses)
    values = tuple(None if one is None else one.value for one in said)
    any_family = wish_version(Auto.ANY, lost.host.file)
    return (wishes, values, families, instance.cpu is None, any_family)


def _needs(
    stage: Stage, lost: Lost, instance: ResolvedInstance, kind: tuple[object, ...], host: str
) -> Mapping[str, int]:
    key = (*kind, host)
    if key not in stage.needs:
        terms = stage.terms[host]
        found = moved(stage.desired.instances[instance.name], instance, lost.host.file, terms)
        stage.needs[key] = needs_of(join(found.file.layer, terms.defaults), terms)
    return stage.needs[key]


def _room(stage: Stage, lost: Lost) -> dict[str, dict[str, int]]:
    room = {
        name: {kind: found.free for kind, found in kinds.items()}
        for name, kinds in stage.room.items()
        if name != lost.host.name
    }
    for host, groups in lost.apart.items():
        room[host] |= {_pair(group): len(group) - 1 for group in groups}
    return room


def _starts(
    stage: Stage, lost: Lost, placement: Placement, trials: Mapping[str, Trial]
) -> tuple[Start, ...]:
    found = []
    for now in lost.units:
        host = placement.where.get(now.name)
        if host is None:
            continue
        then = trials[host].built[now.name]
        edits = trials[host].moved[now.name].edits
        found.append(Start(now.name, host, seat_of(then), changes(now, then), edits))
    return tuple(found)


def _stranded(name: str, lost: Lost) -> Stranded:
    refused = lost.refusals.get(name, {})
    return Stranded(name, tuple(Refusal(host, refused[host]) for host in sorted(refused)))


def _lacks(stage: Stage, lost: Lost) -> tuple[tuple[Lack, ...], bool]:
    """The least that is to be added so that everything can start, and whether that is proven."""
    units = _units(stage, lost)
    placement = least_missing(units, _room(stage, lost), lambda kind: kind.startswith(_PAIR))
    by_name = {unit.name: unit for unit in units}
    wanted: dict[str, dict[str, int]] = {}
    for name, host in placement.where.items():
        here = wanted.setdefault(host, {})
        for kind, amount in by_name[name].options[host].items():
            here[kind] = here.get(kind, 0) + amount
    lacks = []
    for host in sorted(wanted):
        for kind, amount in sorted(wanted[host].items()):
            room = stage.room[host].get(kind)
            if room is not None and amount > room.free:
                lacks.append(Lack(host, room.what, amount - room.free, room.free))
    return tuple(lacks), placement.proven
