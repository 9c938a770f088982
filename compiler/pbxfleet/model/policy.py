"""What the fleet's policy asks of one change of a host, and what people have acknowledged of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from pbxfleet.model.ignoring import SUBJECTS, Ignored

RESTARTS = "POL101"
REMOVAL = "POL102"
UNFIT = "POL103"
EXPIRED = "POL104"
DOWNGRADED = "PLN140"
REPLACED = "PLN142"
OF_INSTANCE = (REMOVAL, DOWNGRADED, REPLACED)
"""Rules about one instance: they are acknowledged for `host/instance`."""
ACKNOWLEDGED = (RESTARTS, *OF_INSTANCE)
"""Every code that may be acknowledged; `RESTARTS` is, for a host."""


class Removals(StrEnum):
    """What a removal of an instance needs besides the budget."""

    BUDGET = "budget"  # nothing
    ACKNOWLEDGE = "acknowledge"  # an acknowledgement that names the instance


class Acknowledgement(NamedTuple):
    """A person says that this is meant: `what` is a host or `host/instance`.

    It holds until the end of the day `expires`, YYYY-MM-DD in UTC.
    """

    code: str
    what: str
    reason: str
    expires: str


class Rules(NamedTuple):
    """The policy for changes of one host.

    `restart_budget` is the number of running instances that one apply may restart, None without a limit.
    `warned` are codes that the fleet wants as warnings. `acknowledged` is what concerns this host,
    `ignored` are differences on it that are accepted for a while.
    """

    restart_budget: int | None = None
    removals: str = Removals.BUDGET.value
    warned: tuple[str, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    def acknowledgement(self, code: str, what: str, today: str) -> Acknowledgement | None:
        """The first one for this that has not expired."""
        return next(
            (
                one
                for one in self.acknowledged
                if (one.code, one.what) == (code, what) and one.expires >= today
            ),
            None,
        )


NO_RULES = Rules()


def rules_from(raw: Any) -> Rules:
    """Rules from a JSON object; KeyError, TypeError or ValueError if it is none."""
    budget, removals = raw["restart_budget"], Removals(raw["removals"]).value
    named = tuple(
        Acknowledgement(*(one[name] for name in Acknowledgement._fields))
        for one in raw["acknowledged"]
    )
    warned = tuple(raw["warned"])
    ignored = tuple(
        Ignored(*(one[name] for name in Ignored._fields)) for one in raw.get("ignored", ())
    )
    texts = (*warned, *(text for one in (*named, *ignored) for text in one))
    if any(type(text) is not str for text in texts) or type(budget) not in (int, type(None)):
        raise TypeError("a value has the wrong type")
    if any(one.what not in SUBJECTS for one in ignored):
        raise ValueError("what is ignored is not known")
    return Rules(budget, removals, warned, named, ignored)


class Effects(NamedTuple):
    """What a change does to one host, in names of instances.

    `downgrades` are pairs of an instance and the sentence that says from what to what.
    """

    host: str
    restarts: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    downgrades: tuple[tuple[str, str], ...] = ()
