"""What the PBX made of a declared setting, read back after its start: from pbx.xml, or over REST."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """`normalised` is another spelling of the same, by a rule that is known; anything else is rejected."""

    ACCEPTED = "accepted"
    NORMALISED = "normalised"
    REJECTED = "rejected"


class ReadBack(NamedTuple):
    """One setting: `declared` and `observed` values, None for "not there"."""

    name: str
    verdict: Verdict
    declared: str | None
    observed: str | None
