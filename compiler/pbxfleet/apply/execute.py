"""Perform a plan wave by wave; a wave that fails is put back, and ends the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pbxfleet.apply.effects import Effects
from pbxfleet.apply.io import Contents, Memory
from pbxfleet.apply.prove import Unproven
from pbxfleet.apply.ready import Ready
from pbxfleet.apply.remember import record_of, retired_record
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.plan import ApplyReport, Do, Note, Plan, Step, StepResult
from pbxfleet.model.target import Target

Progress = Callable[[Step, str], None]
Prepared = list[tuple[Step, Ready]]


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
    Refused, and nothing is done, if a content that some step needs is not there.
    """
    effects = Effects(host, target, records, contents)
    for step in plan.steps:
        effects.check(step)
    run = _Run(effects, memory, progress)
    if run.begin(plan) and all(run.wave(wave) for wave in _waves(plan.steps)):
        run.outdated(plan.outdated)
    run.end()
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

    def begin(self, plan: Plan) -> bool:
        """Open the journal, before anything is done; False if that cannot be."""
        target = self.effects.target.digest
        try:
            if plan.steps:
                self.memory.log("begin", host=plan.host, steps=len(plan.steps), target=target)
        except HostError as error:
            self.failure = f"the journal cannot be written, nothing was done: {error}"
        return not self.failure

    def end(self) -> None:
        """Close the journal, also that of an earlier run: what had to be done is done, or put back."""
        try:
            self.memory.log("end", failure=self.failure)
        except HostError as error:
            self.failure = self.failure or f"the journal could not be closed: {error}"

    def wave(self, steps: list[Step]) -> bool:
        """Do one wave and remember it; False if that failed (and it was put back where possible)."""
        prepared: Prepared = []
        proofs: dict[str, tuple[Unproven, ...]] = {}
        for step in steps:
            self.progress(step, "start")
            try:
                found = self._step(step, prepared)
            except (HostError, Refused) as error:
                self._failed(step, str(error))
                self._undo(steps, prepared)
                return False
            if step.do is Do.PROVE:
                proofs[step.wave] = found
            self.results[step.number] = StepResult(step.number, "done", "")
            self.progress(step, "done")
        names = list(dict.fromkeys(s.wave for s in steps))
        self.applied += names
        for name in names:
            self._say_unproven(name, proofs.get(name, ()))
        return all([self._remember(name, proofs.get(name)) for name in names])

    def _step(self, step: Step, prepared: Prepared) -> tuple[Unproven, ...]:
        ready = self.effects.prepare(step)
        self.memory.log("step", number=step.number, do=step.do, resource=step.resource)
        prepared.append((step, ready))  # from here on it may be half done
        found = ready.do()
        self.memory.log("done", number=step.number)
        return found

    def outdated(self, names: Iterable[str]) -> None:
        """Bring records up to date whose resources are as declared already."""
        for name in names:
            if not self._remember(name, None):
                return

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
        self._note_down("failed", number=step.number, message=message)
        self.progress(step, "failed")

    def _undo(self, steps: list[Step], prepared: Prepared) -> None:
        """Put the wave back in reverse; what cannot be undone is named, the rest still is."""
        clean = True
        for step, ready in _in_reverse(prepared):
            before = self.results[step.number]
            try:
                left = ready.undo()
            except (HostError, Refused) as error:
                clean = False
                message = "; ".join(filter(None, (before.message, f"could not be undone: {error}")))
                self.results[step.number] = StepResult(step.number, "failed", message)
                self._note_down("failed", number=step.number, message=message)
                self.progress(step, "failed")
                continue
            if before.result == "done":
                self.results[step.number] = StepResult(step.number, "undone", left)
            self._note_down("undone", number=step.number)
            self.progress(step, "undone")
        names = dict.fromkeys(s.wave for s in steps)
        (self.undone if clean else self.broken).extend(names)

    def _note_down(self, event: str, **details: str | int) -> None:
        """Log what happens while a wave is put back: a full disk must not keep that from happening."""
        try:
            self.memory.log(event, **details)
        except HostError as error:
            self.failure += f"; and the journal cannot be written: {error}"

    def _say_unproven(self, name: str, unproven: Iterable[Unproven]) -> None:
        resource = f"service:{self.effects.target.instances[name].service}" if unproven else ""
        self.unproven += [
            Note("PLN120", "warning", name, f"after the start: {found.text}", "", resource)
            for found in unproven
        ]

    def _remember(self, name: str, unproven: tuple[Unproven, ...] | None) -> bool:
        effects = self.effects
        before = effects.records.get(name)
        try:
            if name and name not in effects.target.instances:
                record = retired_record(name, before)
            else:
                keys = None if unproven is None else tuple(found.key for found in unproven)
                record = record_of(name, effects, before, keys)
            self.memory.remember(record)
        except (HostError, Refused) as error:
            self.failure = (
                f"{name or 'host'}: is as declared, but that cannot be remembered: {error}"
            )
            return False
        effects.records[name] = record
        return True


def _in_reverse(prepared: Prepared) -> Prepared:
    """The order of undoing: the reverse, but service files are read again once they are back.

    A manager that still knew the new definition would start the old instance by it.
    """
    ordered: Prepared = []
    reloads: Prepared = []
    for step, ready in reversed(prepared):
        if step.do is Do.RELOAD:
            reloads.append((step, ready))
            continue
        if step.do in (Do.STOP, Do.DISABLE):
            ordered += reloads
            reloads = []
        ordered.append((step, ready))
    return ordered + reloads
