"""Target: what a host shall hold, as resources with ids. Read by the host half from manifest.json.

NamedTuples rather than dataclasses: a plan of a thousand instances creates five thousand of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.guards import NO_GUARDS, Guards


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


SEEDED = (
    "seeded"  # ownership: written once, then the application's; anything else is kept as declared
)

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

    `protocol` is `tcp`, `udp`, or `any` where the transport of a bind is not known.
    """

    protocol: str
    address: str
    port: int


class InstanceTarget(NamedTuple):
    """What must be true of one running instance, for starting, stopping and proving it.

    `cpu` is a core number or None for "not pinned". `release` is the name of its release.
    `rtp` is `(first, last)` with `rtp_address`, or None.
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
    `guards` are what a removal and a wrong machine are met with.
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

    @property
    def own_networks(self) -> bool:
        """Whether instances have addresses that the machine itself does not have."""
        return self.network not in ("", "host")
