"""A pair of instances on two hosts, and what the checks say of it."""

from __future__ import annotations

from typing import Any

from pbxfleet.core.diagnostics import Diagnostic
from pbxfleet.model.desired import Desired
from pbxfleet.resolve import resolve_and_check
from support.wishes import NO_LEDGER, fleet, host, instance, reference


def told(desired: Desired, *releases: str) -> list[Diagnostic]:
    """All diagnostics but the advice that every small fleet gets."""
    references = {name: reference()["70.5"] for name in ("70.5", *releases)}
    found = resolve_and_check(desired, references, NO_LEDGER).outcome.diagnostics
    return [one for one in found if one.code not in ("ADV102", "ADV106", "RTP107")]


def codes(desired: Desired) -> list[str]:
    """The codes of `told`."""
    return [one.code for one in told(desired)]


def halves(peer: dict[str, Any] | None = None, own: dict[str, Any] | None = None) -> Desired:
    """Primary alpha on fra1 and secondary beta on fra2, with these keys changed."""
    return fleet(
        host("fra1"),
        host("fra2", addresses=["203.0.113.130-203.0.113.139", "2001:db8:2::1-2001:db8:2::9"]),
        instance(
            "alpha", "fra1", **{"failover": {"role": "primary", "peer": "beta"}, **(own or {})}
        ),
        instance(
            "beta", "fra2", **{"failover": {"role": "secondary", "peer": "alpha"}, **(peer or {})}
        ),
    )
