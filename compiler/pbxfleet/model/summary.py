"""What fleet-wide checks know of a host: small records that can be pickled and kept.

They hold texts, numbers and places only, and no secret value.
"""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.span import Span


class Said(NamedTuple):
    """A text of one instance, and the place where it is written."""

    value: str
    origin: Span


class HalfSummary(NamedTuple):
    """Half of a failover pair as its instance declares it; `role` is `primary` or `secondary`.

    `web` are scheme, address and port of its own web listeners. `peer_url` is what it declares, None
    if it is derived. `licence` says which activation key it has without saying the key.
    """

    role: str
    peer: str
    origin: Span
    role_origin: Span
    web: tuple[tuple[str, str, int], ...] = ()
    peer_url: Said | None = None
    validation_url: Said | None = None
    action_url: Said | None = None
    licence: Said | None = None


class InstanceSummary(NamedTuple):
    """One instance as the rest of the fleet sees it; `addresses` are literal texts.

    `system_name` and the like are None where none is declared, `failover` for an instance without a
    peer. `licence` is never the key itself.
    """

    name: str
    span: Span
    release: str
    release_origin: Span
    addresses: tuple[Said, ...]
    tenants: tuple[Said, ...]
    system_name: Said | None
    failover: HalfSummary | None
    syslog_prefix: Said | None = None
    licence: Said | None = None
    management_dns: Said | None = None


class RuleSummary(NamedTuple):
    """A rule of [[ignore]] that is about a host; `matches` tells whether it can match anything there."""

    what: str
    pattern: Said
    matches: bool


class HostSummary(NamedTuple):
    """A host with its instances in order of their names, and the rules of [[ignore]] that are about it."""

    name: str
    span: Span
    instances: tuple[InstanceSummary, ...]
    rules: tuple[RuleSummary, ...] = ()
