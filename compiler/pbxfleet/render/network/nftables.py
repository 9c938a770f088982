"""nftables: a filter for the addresses of instances, and source addresses for their outgoing TCP.

Two tables of our own; each file replaces its table in one transaction and touches no other. A unit loads
them, before the network is up and again after nftables.service, whose file starts with `flush ruleset` on
Debian. Source addresses go by the cgroup of the service, because all instances run as the same user:
kernel 5.13, nft 1.0 and the unified hierarchy are needed (nft(8), SOCKET EXPRESSION).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pbxfleet.core.digest import digest_of
from pbxfleet.core.paths import HostPath
from pbxfleet.model.desired import ServiceBackend
from pbxfleet.model.net import Address
from pbxfleet.model.network import Firewall, standard_addresses
from pbxfleet.model.resolved import ResolvedHost, ResolvedInstance
from pbxfleet.render.network.base import HEADING, NetworkFile
from pbxfleet.render.network.openings import Openings, openings
from pbxfleet.render.own_templates import render

FOLDER = "/etc/pbxfleet"
FIREWALL = HostPath(f"{FOLDER}/firewall.nft")
SOURCE = HostPath(f"{FOLDER}/source.nft")
UNIT = "pbxfleet-nftables.service"
UNITS = "/etc/systemd/system"
LOADING = HostPath(f"{UNITS}/{UNIT}")
STARTING = HostPath(f"{UNITS}/multi-user.target.d/50-pbxfleet.conf")

NO_PROOF = "0" * 16  # in the templates, where the proof comes

# A container engine is itself a service of systemd on what it is packaged for.
BOOTED_BY_SYSTEMD = (ServiceBackend.SYSTEMD, ServiceBackend.COMPOSE)

# Of the packets of one start of a connection, between our two chains: in ASCII "pbx" and a number.
FIRST_MARK = 0x70627800


def files(host: ResolvedHost) -> Iterator[NetworkFile]:
    """Files of the host: rules, the unit that loads them, and what makes it start."""
    filtered, sourced = _filters(host), _sourced(host)
    if filtered:
        yield _proven(FIREWALL, "firewall.nft.j2", FilterValues(openings(host)))
    if sourced:
        yield _proven(SOURCE, "source.nft.j2", SourceValues(host, sourced))
    if (filtered or sourced) and host.services in BOOTED_BY_SYSTEMD:
        loads = LoadValues(filtered=filtered, names=tuple(i.name for i in sourced))
        yield _file(LOADING, "nftables.service.j2", loads)
        text = f"# {HEADING}\n[Unit]\nWants={UNIT}\n"
        yield NetworkFile(STARTING, text.encode(), 0o644)


def paths(host: ResolvedHost) -> Iterator[HostPath]:
    """Paths of `files`, without what is in them."""
    filtered, sourced = _filters(host), bool(_sourced(host))
    yield from (FIREWALL,) if filtered else ()
    yield from (SOURCE,) if sourced else ()
    if (filtered or sourced) and host.services in BOOTED_BY_SYSTEMD:
        yield from (LOADING, STARTING)


def instance_files(instance: ResolvedInstance) -> Iterator[NetworkFile]:
    """Files of one instance: its service tells the kernel its cgroup whenever it starts."""
    if instance.source_addresses:
        rules = enrolling(instance.name)
        service = f"{instance.paths.service_name}.service"
        text = (
            f"# {HEADING}\n"
            f"flush set inet pbxfleet_source {set_name(instance.name)}\n"
            f"add element inet pbxfleet_source {set_name(instance.name)} "
            f'{{ "system.slice/{service}" }}\n'
        )
        yield NetworkFile(rules, text.encode(), 0o644)
        drop_in = HostPath(f"{UNITS}/{service}.d/50-pbxfleet-source.conf")
        yield _file(drop_in, "source.conf.j2", EnrolValues(rules))


def enrolling(name: str) -> HostPath:
    """The rules by which the cgroup of an instance becomes known to the kernel."""
    return HostPath(f"{FOLDER}/source-{name}.nft")


def set_name(name: str) -> str:
    """Name of the set that holds the cgroup of an instance."""
    return f"pbx-{name}"


def _sourced(host: ResolvedHost) -> tuple[ResolvedInstance, ...]:
    return tuple(instance for instance in host.instances if instance.source_addresses)


def _filters(host: ResolvedHost) -> bool:
    declared = host.file.network
    return declared is not None and declared.firewall.value is Firewall.NFTABLES


def _file(path: HostPath, template: str, values: object) -> NetworkFile:
    return NetworkFile(path, render(template, values, {}).encode(), 0o644)


def _proven(path: HostPath, template: str, values: object) -> NetworkFile:
    """A file of rules that bring a digest of themselves into the kernel, where it can be read."""
    text = render(template, values, {})
    proof = digest_of(text.encode()).removeprefix("sha256:")[: len(NO_PROOF)]
    return NetworkFile(path, text.replace(NO_PROOF, proof).encode(), 0o644)


class FamilyFilter(NamedTuple):
    """What the filter has of one address family, as nft writes it."""

    name: str
    version: str
    keyword: str
    managed: tuple[str, ...]
    open: tuple[str, ...]
    admin: tuple[str, ...]


class FilterValues:
    """What the template of the filter sees."""

    heading = HEADING

    def __init__(self, found: Openings) -> None:
        families = (_family(found, 4), _family(found, 6))
        self.families = tuple(family for family in families if family.managed)


def _family(found: Openings, version: int) -> FamilyFilter:
    keyword = "ip" if version == 4 else "ip6"
    return FamilyFilter(
        name=f"ipv{version}",
        version=str(version),
        keyword=keyword,
        managed=tuple(str(a) for a in found.managed if a.version == version),
        open=tuple(
            f"{o.address} . {o.protocol} . {_ports(o.first, o.last)}"
            for o in found.open
            if o.address.version == version
        ),
        admin=tuple(
            f"{o.address} . {o.network} . {o.port}"
            for o in found.admin
            if o.address.version == version
        ),
    )


def _ports(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


class SourceRule(NamedTuple):
    """One instance and one family: what comes from `standard` shall leave from `address`."""

    set: str
    keyword: str
    mark: str
    standard: str
    address: str


class SourceValues:
    """What the template of source addresses sees."""

    heading = HEADING

    def __init__(self, host: ResolvedHost, instances: tuple[ResolvedInstance, ...]) -> None:
        self.sets = tuple(set_name(instance.name) for instance in instances)
        self.rules = tuple(_source_rules(host, instances))


def _source_rules(
    host: ResolvedHost, instances: tuple[ResolvedInstance, ...]
) -> Iterator[SourceRule]:
    own = tuple(standard_addresses(host.file))
    mark = FIRST_MARK
    for instance in instances:
        for wish in instance.source_addresses:
            mark += 1
            address = wish.value
            known = [a for a in own if a.version == address.version]
            if known and address not in known:
                name = set_name(instance.name)
                yield SourceRule(name, _word(address), f"{mark:#x}", _set(known), str(address))


def _word(address: Address) -> str:
    return "ip" if address.version == 4 else "ip6"


def _set(addresses: list[Address]) -> str:
    return "{ " + ", ".join(str(a) for a in sorted(addresses, key=int)) + " }"


class LoadValues:
    """What the template of the loading unit sees."""

    heading = HEADING

    def __init__(self, *, filtered: bool, names: tuple[str, ...]) -> None:
        self.files = ((FIREWALL,) if filtered else ()) + ((SOURCE,) if names else ())
        self.tables = (("pbxfleet",) if filtered else ()) + (("pbxfleet_source",) if names else ())
        self.enrolling = tuple(enrolling(name) for name in names)


class EnrolValues(NamedTuple):
    """What the template of the drop-in of a service sees."""

    rules: HostPath
    heading: str = HEADING
    unit: str = UNIT
