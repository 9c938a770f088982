"""Target: what a host shall hold, as resources with ids. Read by the host half from manifest.json.

NamedTuples rather than dataclasses: a plan of a thousand instances creates five thousand of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.guards import NO_GUARDS, Guards
from pbxfleet.model.ignoring import LEFT_ALONE
from pbxfleet.model.maintenance import NO_MAINTENANCE, Maintenance
from pbxfleet.model.policy import NO_RULES, Rules
from pbxfleet.model.sinks import NO_SINKS, Sinks


class Kind(StrEnum):
    """What a resource is, which decides how it is observed and changed."""

    DIRECTORY = "directory"  # exists; mode and owner are set when it is made, then the host's
    FILE = "file"  # whole content is ours: unit, init script, failover file, backup list
    ARTEFACT = "artefact"  # a release file: content by digest, copied from the artefact source
    SETTINGS = "settings"  # pbx.xml: we own elements of it
    SERVICE = "service"  # enabled and running


class Impact(StrEnum):
    """What a change costs the calls on an instance. Sorts from cheap to dear by `IMPACT_ORDER`."""

    NONE = "none"
    LIVE = "live"
    RESTART = "restart"


class Need(StrEnum):
    """How much a probe after a start counts: it reverts the instance, is a note, or is not asked."""

    MUST = "must"
    MAY = "may"
    OFF = "off"


SEEDED = (
    "seeded"  # ownership: written once, then the application's; anything else is kept as declared
)
ONCE = (SEEDED, LEFT_ALONE)  # written only where there is nothing yet

FORMER = "former:"
"""Begins the source of a file that was on the host before us: it is put back, and is not ours then."""

IMPACT_ORDER = (Impact.NONE, Impact.LIVE, Impact.RESTART)


class Resource(NamedTuple):
    """One managed thing. `id` is `<kind>:<path>`, or `service:<name>`.

    `mode` is permission bits, None where they are not ours; `owner` is `user:group`.
    `digest` is of the content: of the compiled pbx.xml for settings, of the declaration for
    services.
    `source` is where content comes from: a path in the rendered tree (`root/...`) or an
    artefact source.
    `fields_digest` is, for settings, the digest of the declared elements.
    `origin` are places as text.
    """

    id: str
    kind: Kind
    path: HostPath
    instance: str
    mode: int | None
    owner: str
    digest: Digest
    impact: Impact
    source: str
    fields_digest: Digest | None
    origin: tuple[str, ...]


class Field(NamedTuple):
    """One declared pbx.xml element.

    `value` None removes it; `secret` names a secret instead of a value.
    """

    name: str
    value: str | None
    secret: str | None
    ownership: str
    impact: Impact
    label: str
    origin: str
    overrode: tuple[str, ...]


class ExpectedListener(NamedTuple):
    """A socket that the running instance must hold; `address` is literal text.

    `protocol` is `tcp`, `udp`, or `any` where the transport of a bind is not known. `role` is what
    answers on it: a role's word (`sip_udp`), or the element of a bind that no role is mapped to.
    """

    protocol: str
    address: str
    port: int
    role: str = ""

    @property
    def bind(self) -> tuple[str, str, int]:
        """The socket alone, as the kernel lists it."""
        return self[:3]


class Login(NamedTuple):
    """Who may ask the PBX; `password_file` is a path on the host, never the password itself."""

    user: str
    password_file: HostPath


class Probes(NamedTuple):
    """What is asked of an instance after its start.

    `session` is the HTTP call on web listeners, `sip_options` the SIP request on SIP listeners,
    `certificate` what is presented on those with TLS. For `stable_s` seconds the process must stay.
    """

    session: Need = Need.MUST
    sip_options: Need = Need.MAY
    certificate: Need = Need.MAY
    stable_s: int = 2


PROBES = Probes()


def probes_from(values: Sequence[Any]) -> Probes:
    """Probes from plain values as JSON has them; ValueError or TypeError if they are none."""
    session, sip_options, certificate, stable_s = values
    if type(stable_s) is not int:
        raise TypeError(f"{stable_s!r} is not a number of seconds")
    return Probes(Need(session), Need(sip_options), Need(certificate), stable_s)


class InstanceTarget(NamedTuple):
    """What must be true of one running instance, for starting, stopping and proving it.

    `cpu` is a core number or None for "not pinned". `release` is the name of its release.
    `rtp` is `(first, last)` with `rtp_address`, or None. `api` None: it can be asked without a login only.
    """

    name: str
    directory: HostPath
    service: str
    executable: HostPath
    executable_digest: Digest
    pid_file: HostPath
    cpu: int | None
    listeners: tuple[ExpectedListener, ...]
    addresses: tuple[str, ...]
    rtp_address: str | None
    rtp: tuple[int, int] | None
    peer: str | None
    origin: str
    release: str = ""
    api: Login | None = None
    probes: Probes = PROBES


class ReleaseTarget(NamedTuple):
    """A declared release: what it is ordered by ("" if nothing tells), and its two files.

    `settings` is the digest of the rendered list of all settings that it knows, "" where none is known.
    """

    version: str
    pbxctrl: Digest
    dat: Digest
    settings: str = ""

    @property
    def settings_file(self) -> str:
        """Where the list lies in the rendered tree."""
        return f"releases/{self.settings.removeprefix('sha256:')}.txt"


NO_RELEASES: Mapping[str, ReleaseTarget] = MappingProxyType({})


class Target(NamedTuple):
    """A host's target.

    `digest` identifies it; `inputs` maps the desired files it came from to digests. Timeouts are in
    seconds: to stop, and to hold all declared sockets after a start. `releases` are all that the
    fleet declares, by name; `downgrades` is `refuse` or `allow`. `artefacts` is the folder of release
    files by digest, relative to the repository. `program` is what runs compose
    files, `network` how containers are connected; both are empty with other service managers.
    `guards` are what a removal and a wrong machine are met with, `rules` what the policy asks of a change,
    `sinks` who is told how a run ended. `maintenance` says when running instances may be stopped.
    `other_roles` are by path what failover files would be if their half had the other role.
    """

    host: str
    fleet: str
    services: str
    affinity: str
    stop_timeout_s: int
    deletion_budget: int
    addresses: tuple[str, ...]
    instances: Mapping[str, InstanceTarget]
    resources: Mapping[str, Resource]
    inputs: Mapping[str, Digest]
    digest: Digest
    start_timeout_s: int = 60
    releases: Mapping[str, ReleaseTarget] = NO_RELEASES
    downgrades: str = "refuse"
    artefacts: str = "artefacts"
    program: str = ""
    network: str = ""
    guards: Guards = NO_GUARDS
    rules: Rules = NO_RULES
    sinks: Sinks = NO_SINKS
    maintenance: Maintenance = NO_MAINTENANCE
    other_roles: Mapping[str, Digest] = MappingProxyType({})

    @property
    def own_networks(self) -> bool:
        """Whether instances have addresses that the machine itself does not have."""
        return self.network not in ("", "host")
