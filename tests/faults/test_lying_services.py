"""Service managers that say they did what they did not: seen, said, and mended by the next run."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from pbxfleet.core.errors import HostError
from pbxfleet.core.paths import HostPath
from pbxfleet.host.fake import FakeHost
from pbxfleet.host.state import StateView
from pbxfleet.host.wrap import FailingHost, Power
from pbxfleet.model.target import InstanceTarget
from support import upheaval
from support.machine import Machine, apply_to, plan_of, settle
from support.worlds import foreign_text

BEFORE, AFTER = upheaval.before(), upheaval.after()
START = upheaval.disturbed()
EFFECTS = 90  # more than the apply has


class Liar(Machine):
    """A machine whose service manager lies while `lies` is set."""

    lies = ""

    def start(self, instance: InstanceTarget) -> None:
        """Says that it started something; nothing runs, or it ends at once."""
        if self.lies == "starts nothing":
            return
        super().start(instance)
        if self.lies == "ends at once":
            self.processes.pop(instance.executable, None)

    def stop(self, instance: InstanceTarget, timeout_s: int) -> None:
        """Says that it stopped something, and it still runs; or it comes back a moment later."""
        if self.lies == "stops nothing":
            return
        running = list(self.processes.get(instance.executable, ()))
        super().stop(instance, timeout_s)
        if self.lies == "comes back" and running:
            self.run(instance, by_hand=False)


LIES = ("starts nothing", "ends at once", "stops nothing", "comes back")


def liar(lie: str) -> Liar:
    machine = copy.deepcopy(START)
    machine.__class__ = Liar
    assert isinstance(machine, Liar)
    machine.lies = lie
    return machine
