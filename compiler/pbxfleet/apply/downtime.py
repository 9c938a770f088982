"""How long an instance was down, and how much of that was our doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pbxfleet.host.base import Host
from pbxfleet.model.plan import Do, Downtime, Step

T = TypeVar("T")

# What the PBX and its service manager take; everything else while an instance is down is our own work.
WAITING = (Do.STOP, Do.START, Do.PROVE)


class Downtimes:
    """From the moment at which a stop is asked for until the instance is proven to run as declared."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._waited_s = 0.0
        self._since: dict[str, tuple[float, float]] = {}
        self.found: list[Downtime] = []

    def measured(self, step: Step, do: Callable[[], T]) -> T:
        """Do a step, and take its time."""
        begun = self._host.seconds()
        if step.do is Do.STOP:
            self._since.setdefault(step.wave, (begun, self._waited_s))
        try:
            return do()
        finally:
            if step.do in WAITING:
                self._waited_s += self._host.seconds() - begun

    def up(self, name: str, watched_s: float) -> None:
        """The instance runs again, as declared; nothing is noted of one that was not stopped.

        For the last `watched_s` it served already, and was only looked at.
        """
        if name in self._since:
            begun, waited_s = self._since.pop(name)
            down_s = self._host.seconds() - begun
            own_s = down_s - (self._waited_s - waited_s)
            self.found.append(Downtime(name, max(0.0, down_s - watched_s), own_s))

    def put_back(self) -> None:
        """Instances that were stopped, and whose changes were undone, run again as before."""
        now = self._host.seconds()
        self.found += [
            Downtime(name, now - begun, None) for name, (begun, _) in self._since.items()
        ]
        self._since.clear()

    def gone(self) -> None:
        """Instances that were stopped for good were not down: nobody waits for them."""
        self._since.clear()
