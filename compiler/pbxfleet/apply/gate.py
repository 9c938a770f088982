"""Whether a wave may begin, and whether its instances may be stopped now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from pbxfleet.model.asking import CallsSeen
from pbxfleet.model.journal import Entry
from pbxfleet.model.plan import Step


class Answered(NamedTuple):
    """`why` they are not stopped, "" if they may be; `calls` are those that are cut, or in the way."""

    why: str = ""
    calls: tuple[CallsSeen, ...] = ()


class Gate(Protocol):
    """Asked before anything of a wave is done, and again right before its first stop."""

    def begin(self, names: Sequence[str], stopped: Sequence[str]) -> Answered:
        """Whether a wave of these instances may begin, of which it will stop some."""
        ...

    def stop(self, names: Sequence[str]) -> Answered:
        """Whether these running instances may be stopped; may take as long as it is willing to wait."""
        ...


class OpenGate:
    """Nobody waits for anything."""

    def begin(self, names: Sequence[str], stopped: Sequence[str]) -> Answered:
        """At any time."""
        return Answered()

    def stop(self, names: Sequence[str]) -> Answered:
        """At any time."""
        return Answered()


OPEN = OpenGate()
Progress = Callable[[Step, str], None]


class Watch(NamedTuple):
    """Who is told of each step, and who is asked before instances are stopped."""

    progress: Progress
    gate: Gate = OPEN


class Stopped(Exception):
    """A wave that does not go on, with the entries of what was `begun` of it."""

    def __init__(self, answered: Answered, begun: list[Entry]) -> None:
        super().__init__(answered.why)
        self.answered = answered
        self.begun = begun
