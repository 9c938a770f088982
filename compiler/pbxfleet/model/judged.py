"""What becomes of diagnostics once the fleet has had its say about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pbxfleet.core.diagnostics import Diagnostic
    from pbxfleet.model.plans import Suppression


class Scope(NamedTuple):
    """Who is who: the host of each instance, and of each file its host or `host/instance`.

    `is_whole` tells that every file of the fleet was understood.
    """

    hosts: Mapping[str, str]
    files: Mapping[str, str]
    is_whole: bool = True


class Suppressed(NamedTuple):
    """A diagnostic that is accepted, and the suppression that says so."""

    diagnostic: Diagnostic
    by: Suppression


class Judged(NamedTuple):
    """Diagnostics as the fleet wants them, in order of places, and those that it accepts."""

    diagnostics: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
