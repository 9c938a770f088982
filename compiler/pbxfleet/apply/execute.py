"""Perform a plan wave by wave; a wave that fails is put back, and ends the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pbxfleet.apply.effects import Effects, Undo
from pbxfleet.apply.io import Contents, Memory
from pbxfleet.apply.remember import record_of, retired_record
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.plan import ApplyReport, Do, Note, Plan, Step, StepResult
from pbxfleet.model.target import Target

Progress = Callable[[Step, str], None]


def apply_plan(
    plan: Plan,
    host: Host,
    target: Target,
    records: dict[str, AppliedRecord],
    contents: Contents,
    memory: Memory,
    progress: Progress,
) -> ApplyReport:
    """Do every step in order and remember each wave as it succeeds; `records` is brought up to date.

    A HostError or Refused in a wave undoes that wave's steps in reverse and ends the run; waves before
    it stay applied. Anything else that is raised (an interrupt, a bug) leaves the journal open.
    """
    run = _Run(Effects(host, target, records, contents), memory, progress)
    if plan.steps:
        memory.log("begin", host=plan.host, steps=len(plan.steps), target=target.digest)
    for wave in _waves(plan.steps):
        if not run.wave(wave):
            break
    else:
        run.outdated(plan.outdated)
    if plan.steps:
        memory.log("end", failure=run.failure)
    return run.report(plan)


def _waves(steps: Iterable[Step]) -> list[list[Step]]:
    """Steps that belong together: of one instance, or of instances that are interrupted together.

    Steps of a group interleave (stop both, change both, start both), so a wave lasts until every
    instance in it has had its last step.
    """
    ordered = list(steps)
    last = {step.wave: step.number for step in ordered}
    waves: list[list[Step]] = []
    end = 0
    for step in ordered:
        if step.number > end:
            waves.append([])
        waves[-1].append(step)
        end = max(end, last[step.wave])
    return waves


class _Run:
    """The state of one apply."""

    def __init__(self, effects: Effects, memory: Memory, progress: Progress) -> None:
        self.effects = effects
        self.memory = memory
        self.progress = progress
        self.results: dict[int, StepResult] = {}
        self.unproven: list[Note] = []
        self.applied: list[str] = []
        self.undone: list[str] = []
        self.broken: list[str] = []
        self.failure = ""

    def wave(self, steps: list[Step]) -> bool:
        """Do one wave; False if it failed (and was put back as far as that was possible)."""
        undos: list[tuple[Step, Undo]] = []
        proofs: dict[str, tuple[str, ...]] = {}
        for step in steps:
            self.memory.log("step", number=step.number, do=step.do, resource=step.resource)
            self.progress(step, "start")
            try:
                done = self.effects.perform(step)
            except (HostError, Refused) as error:
                self._failed(step, str(error))
                self._undo(steps, undos)
                return False
            undos.append((step, done.undo))
            if step.do is Do.PROVE:
                proofs[step.wave] = done.unproven
                self._say_unproven(step.wave, done.unproven)
            self.results[step.number] = StepResult(step.number, "done", "")
            self.memory.log("done", number=step.number)
            self.progress(step, "done")
        copied = {s.resource for s in steps if s.do is Do.COPY_IN}
        for name in dict.fromkeys(s.wave for s in steps):
            self._remember(name, proofs.get(name), copied)
            self.applied.append(name)
        return True

    def outdated(self, names: Iterable[str]) -> None:
        """Bring records up to date whose resources are as declared already."""
        for name in names:
            self._remember(name, None, frozenset())

    def report(self, plan: Plan) -> ApplyReport:
        """What became of every step."""
        results = tuple(
            self.results.get(s.number, StepResult(s.number, "not started", "")) for s in plan.steps
        )
        return ApplyReport(
            results,
            tuple(self.unproven),
            tuple(self.applied),
            tuple(self.undone),
            tuple(self.broken),
            self.failure,
        )

    def _failed(self, step: Step, message: str) -> None:
        self.failure = f"{step.wave or 'host'}: {step.do} {step.path}: {message}"
        self.results[step.number] = StepResult(step.number, "failed", message)
        self.memory.log("failed", number=step.number, message=message)
        self.progress(step, "failed")

    def _undo(self, steps: list[Step], undos: list[tuple[Step, Undo]]) -> None:
        """Put the wave back in reverse; what cannot be undone is named, the rest still is."""
        names = list(dict.fromkeys(s.wave for s in steps))
        failed = False
        for step, undo in self._half_done(steps) + undos[::-1]:
            try:
                undo()
                if step.number in self.results and self.results[step.number].result == "done":
                    self.results[step.number] = StepResult(step.number, "undone", "")
                self.memory.log("undone", number=step.number)
            except (HostError, Refused) as error:
                failed = True
                message = f"could not be undone: {error}"
                self.results[step.number] = StepResult(step.number, "failed", message)
                self.memory.log("failed", number=step.number, message=message)
            self.progress(step, "undone")
        (self.broken if failed else self.undone).extend(names)

    def _half_done(self, steps: list[Step]) -> list[tuple[Step, Undo]]:
        """The step that failed, if part of it may have happened: a start or a stop that took effect late."""
        failed = next(
            (s for s in steps if self.results.get(s.number, _NONE).result == "failed"), None
        )
        if failed is None or failed.do is not Do.START:
            return []
        effects = self.effects
        instance = effects.instance(failed)
        return [(failed, lambda: effects.host.stop(instance, effects.target.stop_timeout_s))]

    def _say_unproven(self, name: str, unproven: tuple[str, ...]) -> None:
        self.unproven += [
            Note("PLN120", "warning", name, f"after the start: {text}", "") for text in unproven
        ]

    def _remember(self, name: str, unproven: tuple[str, ...] | None, copied: Iterable[str]) -> None:
        effects = self.effects
        before = effects.records.get(name)
        if name and name not in effects.target.instances:
            if before is None:
                return
            record = retired_record(before)
        else:
            record = record_of(name, effects, before, unproven, frozenset(copied))
        self.memory.remember(record)
        effects.records[name] = record


_NONE = StepResult(0, "", "")
