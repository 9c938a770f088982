"""The three-way table: whose change is a difference?"""

from __future__ import annotations

from pbxfleet.model.plan import Status


def status_of(
    target: str | None, observed: str | None, applied: str | None, *, known: bool
) -> Status | None:
    """The row of the table (DESIGN section 5) for one comparable value; None when in sync.

    Values are compared as text (digests, octal modes); None is "not there". `known` tells whether
    there is an applied record of this value at all; without one `applied` is ignored.
    """
    if target == observed:
        return None
    if not known:
        return Status.ADOPT if observed is not None else Status.PENDING
    if observed == applied:
        return Status.PENDING
    return Status.DRIFT if target == applied else Status.CONFLICT


def joined(statuses: list[Status]) -> Status:
    """One status for a resource whose fields differ for several reasons; the most serious wins."""
    for status in (Status.CONFLICT, Status.DRIFT, Status.ADOPT):
        if status in statuses:
            return status
    return Status.PENDING
