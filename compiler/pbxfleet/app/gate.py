"""When an instance may be stopped: within its window, and once it has no calls or was waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set

from pbxfleet.app.calls import as_it_runs
from pbxfleet.app.live import Live, times_of
from pbxfleet.apply.gate import Answered
from pbxfleet.model.asking import CallsSeen, listeners_of
from pbxfleet.model.maintenance import OnDeadline
from pbxfleet.model.target import InstanceTarget
from pbxfleet.observe.calls import calls_on

POLL_S = 2.0
BEFORE_BORDER_S = 2.0  # the last moment at which a stop is begun, before the window closes


class HostGate:
    """The gate of one apply. `needs` are, by instance, those that have to give up a bind first."""

    def __init__(
        self,
        live: Live,
        needs: Mapping[str, Set[str]],
        say: Callable[[str], None],
    ) -> None:
        self.live = live
        self.drain_s = live.drain.seconds
        policy = OnDeadline(live.target.maintenance.on_deadline)
        self.on_deadline = live.drain.on_deadline or policy
        self.needs = needs
        self.say = say
        self.abandoned: set[str] = set()

    def begin(self, names: Sequence[str], stopped: Sequence[str]) -> Answered:
        """Not if an instance before it was abandoned whose bind it takes, nor outside of its window."""
        for name in names:
            holders = sorted(self.needs.get(name, frozenset()) & self.abandoned)
            if holders:
                why = f"it takes an address and port of {holders[0]}, which was not changed"
                return self._not(names, Answered(why))
        if stopped and self._seconds_left(stopped) <= 0:
            return self._not(names, Answered("its maintenance window has closed"))
        return Answered()

    def stop(self, names: Sequence[str]) -> Answered:
        """Wait until none of them has calls: so long as may be waited, and the window is open."""
        machine = self.live.machine
        begun = machine.seconds()
        told = ""
        while True:
            window_s = self._seconds_left(names)
            if window_s <= 0:
                return self._not(names, Answered("its maintenance window has closed"))
            if self.drain_s is None:
                return Answered()
            asked = self._running(names)
            busy = tuple(c for c in calls_on(machine, asked) if c.number != 0)
            if not busy:
                return Answered()
            waited_s = machine.seconds() - begun
            left_s = min(self.drain_s - waited_s, window_s - BEFORE_BORDER_S)
            if left_s <= 0 or _is_hopeless(asked, busy):
                return self._decide(names, busy, waited_s, window_s)
            if (now := _shown(busy)) != told:
                told = now
                self.say(f"{', '.join(names)}: {now}, waiting for at most {left_s:.0f} s")
            machine.pause(min(POLL_S, left_s))

    def _decide(
        self, names: Sequence[str], busy: tuple[CallsSeen, ...], waited_s: float, window_s: float
    ) -> Answered:
        if self.on_deadline is OnDeadline.FORCE:
            self.say(f"{', '.join(names)}: {_shown(busy)}; cut, as was said")
            return Answered("", busy)
        when = f"after {waited_s:.0f} s"
        if window_s <= BEFORE_BORDER_S:
            when += ", when its maintenance window closes"
        return self._not(names, Answered(f"{_shown(busy)} {when}", busy))

    def _not(self, names: Sequence[str], answered: Answered) -> Answered:
        self.abandoned.update(names)
        return answered

    def _running(self, names: Sequence[str]) -> list[InstanceTarget]:
        found = [i for name in names if (i := as_it_runs(self.live, name)) is not None]
        runtime = self.live.machine.runtime(found)
        return [i for i in found if runtime[i.name].trees or runtime[i.name].unreadable]

    def _seconds_left(self, names: Sequence[str]) -> float:
        """How long the windows of all of them are open yet."""
        left_s = float("inf")
        for name in names:
            times = times_of(self.live, name)
            if not times.is_open:
                return 0.0
            if times.closes is not None:
                left_s = min(left_s, times.closes - self.live.clock())
        return left_s


def _is_hopeless(asked: Sequence[InstanceTarget], busy: Sequence[CallsSeen]) -> bool:
    """Whether no time would tell more: none of those in the way can ever be asked."""
    silent = {i.name for i in asked if i.api is None and not listeners_of(i, ("snmp",))}
    return all(c.number is None and c.instance in silent for c in busy)


def _shown(busy: Sequence[CallsSeen]) -> str:
    """`3 calls on it`, `calls not known: no [api]`."""
    known = sum(c.number or 0 for c in busy)
    unknown = dict.fromkeys(c.why for c in busy if c.number is None)
    parts = [f"{known} call{'' if known == 1 else 's'} on it"] if known else []
    return "; ".join([*parts, *(f"calls not known: {why}" for why in unknown)])
