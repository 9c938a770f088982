"""Changes and plans as data: what differs, whose change it was, and the steps that settle it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import HostPath
from pbxfleet.model.asking import CallsSeen
from pbxfleet.model.debt import RestartDebt
from pbxfleet.model.target import Impact, Kind


class Status(StrEnum):
    """Whose change a difference is, from target, applied and observed (DESIGN section 5)."""

    PENDING = "pending"  # observed = applied, target moved: ours
    DRIFT = "drift"  # target = applied, observed moved: somebody else's
    ADOPT = "adopt"  # never applied: it was there before us
    CONFLICT = "conflict"  # both moved


class Verb(StrEnum):
    """What apply will do about a change. `keep` says that it will do nothing, and why."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    START = "start"
    RESTART = "restart"
    ENABLE = "enable"
    KEEP = "keep"
    MOVE = "move"


class FieldDelta(NamedTuple):
    """One field of a resource: a pbx.xml element, `mode`, `owner`, `content`, `running`, `listener`, ...

    `before` is observed and `after` is target, both as shown to people; None says "not there".
    Secret values are always `(secret)`.
    """

    name: str
    before: str | None
    after: str | None
    status: Status
    origin: str


class Change(NamedTuple):
    """One resource that is not as the target says. `impact` is what settling it costs."""

    resource: str
    kind: Kind
    instance: str
    path: HostPath
    status: Status
    action: Verb
    impact: Impact
    reason: str
    fields: tuple[FieldDelta, ...]
    origin: tuple[str, ...]


class Note(NamedTuple):
    """Something a reader of the plan must know that apply will not act on.

    `severity` `error` means that the plan can be shown but not applied. `resource` is the id of what
    it is about, "" if that is no single resource. Of a difference, `name` says what differs in it,
    `declared` and `found` how, "" where there is nothing.
    """

    code: str
    severity: str
    instance: str
    message: str
    hint: str
    resource: str = ""
    name: str = ""
    declared: str = ""
    found: str = ""


class Do(StrEnum):
    """One thing the host can be asked to do."""

    MAKE_DIRECTORY = "make directory"
    WRITE = "write"
    COPY_IN = "copy in"
    MERGE = "merge settings"
    CONFIGURE = "change settings live"
    SET_ATTRIBUTES = "set attributes"
    REMOVE = "remove"
    RELOAD = "reload services"
    ENABLE = "enable"
    DISABLE = "disable"
    STOP = "stop"
    START = "start"
    PROVE = "prove"
    REMEMBER = "remember"  # stands in journals only: the record of a wave
    ARCHIVE = "archive"
    MOVE_ASIDE = "move aside"


class Step(NamedTuple):
    """One action with what must be true before it and how it is undone.

    `expects` is the state the step was planned on: a content digest, `absent`, `symlink`, `running`,
    `stopped`, or "" where any state will do. `undo` is a sentence. `resource` is "" for steps of the
    whole host. `to` is where a directory goes, "" for steps that move nothing.
    """

    number: int
    wave: str
    do: Do
    resource: str
    path: HostPath
    expects: str
    undo: str
    reason: str
    impact: Impact
    to: str = ""


class Selection(NamedTuple):
    """Names of instances and ids of resources: `only` these (all, where none is named), `without` those."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


EVERYTHING = Selection()


class Basis(NamedTuple):
    """What a plan was made from; apply refuses when any of it has moved.

    `observed` and `applied` hold one short digest per resource or instance, by id.
    """

    target: Digest
    observed: Mapping[str, str]
    applied: Mapping[str, str]


class Closed(NamedTuple):
    """A window that is closed: until when, in UTC (ISO 8601; "" if nobody can tell), and in words."""

    opens: str
    text: str


class Waiting(NamedTuple):
    """An instance whose maintenance window is closed, and its changes that wait for it.

    `opens` is UTC in ISO 8601, "" where that is not known; `text` says it to people.
    """

    instance: str
    opens: str
    text: str
    changes: tuple[Change, ...]


class Plan(NamedTuple):
    """Steps in order with the changes that caused them. Nothing to do when there are no steps.

    `changes` holds what differs; `outdated` names instances whose applied record will be brought up
    to date although nothing on the host changes. `basis` is filled where a plan is stored or applied
    from a file. `calls` are those on instances that will be stopped, where they were asked for. `left`
    are ids of resources that differ and that `selection` leaves as they are. `debts` are restarts that
    running instances are owed, whether this plan pays them or not. `waits` are instances that are left
    for their window.
    """

    host: str
    root: str
    changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    steps: tuple[Step, ...]
    outdated: tuple[str, ...]
    basis: Basis
    calls: tuple[CallsSeen, ...] = ()
    selection: Selection = EVERYTHING
    left: tuple[str, ...] = ()
    debts: tuple[RestartDebt, ...] = ()
    waits: tuple[Waiting, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done and nothing forbids it: the host is as declared."""
        return not (self.steps or self.outdated or self.blocked or self.waits)

    def untouched(self) -> tuple[str, ...]:
        """Ids of resources that differ and stay as they are: not asked for, or left for a window."""
        return (*self.left, *(c.resource for w in self.waits for c in w.changes))

    @property
    def blocked(self) -> tuple[Note, ...]:
        """Notes that forbid applying this plan."""
        return tuple(n for n in self.notes if n.severity == "error")

    def restarts(self) -> tuple[str, ...]:
        """Instances that are running now and will be stopped and started, in order of the waves."""
        started = {s.wave for s in self.steps if s.do is Do.START}
        return tuple(
            dict.fromkeys(s.wave for s in self.steps if s.do is Do.STOP and s.wave in started)
        )

    def removed_instances(self) -> tuple[str, ...]:
        """Instances that are no longer declared and will be taken out of service."""
        return tuple(
            dict.fromkeys(
                c.instance
                for c in self.changes
                if c.kind is Kind.SERVICE and c.action is Verb.REMOVE
            )
        )


class StepResult(NamedTuple):
    """What became of one step: `done`, `failed`, `undone` or `not started`.

    `message` says why it failed, or what its undo left as it was.
    """

    number: int
    result: str
    message: str


class Downtime(NamedTuple):
    """How long an instance was down: `seconds` from the stop to the proof that it runs as declared.

    `own_seconds` is the part in which neither the PBX nor its service manager was waited for; None where
    the change was put back, and the instance runs as it did before.
    """

    instance: str
    seconds: float
    own_seconds: float | None


class Abandoned(NamedTuple):
    """An instance whose change stays pending, and why; `calls` on it then, None if not known."""

    instance: str
    why: str
    calls: int | None


class ApplyReport(NamedTuple):
    """What an apply did. `failure` is "" if every step was done and remembered.

    `unproven` are differences that remained after our own start; `applied` are the waves that
    succeeded, `undone` those that were put back, `broken` those that could not be put back. `downtimes`
    are of the instances that were stopped and run again. `abandoned` are instances that were left as they
    were; `cut` are calls that were on instances when they were stopped all the same.
    """

    results: tuple[StepResult, ...]
    unproven: tuple[Note, ...]
    applied: tuple[str, ...]
    undone: tuple[str, ...]
    broken: tuple[str, ...]
    failure: str
    downtimes: tuple[Downtime, ...] = ()
    abandoned: tuple[Abandoned, ...] = ()
    cut: tuple[CallsSeen, ...] = ()
