"""What people declare about asking a running instance: a login, and what must answer after a start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pbxfleet.model.desired import Sourced
    from pbxfleet.model.target import Need

API_USER = "admin"  # the PBX's own first administrator: https://doc.vodia.com/docs/admin-security


@dataclass(frozen=True, slots=True)
class ApiWish:
    """A login of the PBX for pbxfleet; `password_file` is a template of a path on the host."""

    user: Sourced[str] | None = None
    password_file: Sourced[str] | None = None


@dataclass(frozen=True, slots=True)
class ProbesWish:
    """What is asked after a start; `stable_s` are seconds in which the process must stay the same."""

    session: Sourced[Need] | None = None
    sip_options: Sourced[Need] | None = None
    certificate: Sourced[Need] | None = None
    stable_s: Sourced[int] | None = None


NO_API = ApiWish()
NO_PROBES = ProbesWish()
