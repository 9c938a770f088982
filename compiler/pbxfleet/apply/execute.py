"""Perform a plan wave by wave; a wave that fails is put back, and ends the run."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

from pbxfleet.apply.downtime import Downtimes
from pbxfleet.apply.effects import Effects
from pbxfleet.apply.gate import Answered, Stopped, Watch
from pbxfleet.apply.io import Contents, Memory
from pbxfleet.apply.readback import SEVERITY, Unproven
from pbxfleet.apply.remember import record_of, retired_record, told_spellings
from pbxfleet.apply.staging import can_be_staged, stage
from pbxfleet.apply.undo import undo_entries
from pbxfleet.core.digest import Digest
from pbxfleet.core.errors import HostError, Refused
from pbxfleet.core.paths import HostPath
from pbxfleet.host.base import Host
from pbxfleet.model.applied import AppliedRecord
from pbxfleet.model.asking import CallsSeen
from pbxfleet.model.journal import FORMAT, Entry, Inverse, TakenBack, encode_inverse
from pbxfleet.model.plan import Abandoned, ApplyReport, Do, Note, Plan, Step, StepResult
from pbxfleet.model.target import Target


def apply_plan(
    plan: Plan,
    host: Host,
    target: Target,
    records: dict[str, AppliedRecord],
    contents: Contents,
    memory: Memory,
    watch: Watch,
) -> ApplyReport:
    """Do every step in order and remember each wave as it succeeds; `records` is brought up to date.

    A HostError or Refused in a wave undoes that wave's steps in reverse and ends the run; waves before
    it stay applied. The journal stays open when something else is raised (an interrupt, a bug), or when
    a step could not be undone: it tells how to go on.
    A wave that the gate of `watch` does not let through is left as it was, and the run goes on.
    Refused, and nothing is done, if a content that some step needs is not there.
    """
    effects = Effects(host, target, records, contents, plan.untouched(), plan.debts)
    for step in plan.steps:
        effects.check(step)
    run = _Run(effects, memory, watch)
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


def _stopped(steps: Iterable[Step]) -> list[str]:
    return list(dict.fromkeys(step.wave for step in steps if step.do is Do.STOP))


class _Run:
    """The state of one apply."""

    def __init__(self, effects: Effects, memory: Memory, watch: Watch) -> None:
        self.gate = watch.gate
        self.abandoned: list[Abandoned] = []
        self.cut: list[CallsSeen] = []
        self.effects = effects
        self.memory = memory
        self.progress = watch.progress
        self.results: dict[int, StepResult] = {}
        self.unproven: list[Note] = []
        self.applied: list[str] = []
        self.undone: list[str] = []
        self.broken: list[str] = []
        self.failure = ""
        self.journaled = False
        self.number = 0  # of the last entry in the journal
        self.steps: dict[int, Step] = {}  # by the number of their entry
        self.downtimes = Downtimes(effects.host)
        self.kept: set[Digest] = set()  # before the stop

    def begin(self, plan: Plan) -> bool:
        """Open the journal, before anything is done; False if that cannot be."""
        target = self.effects.target
        try:
            if plan.steps:
                self.number = self.memory.last_number()
                self.memory.log(
                    "begin",
                    format=FORMAT,
                    host=plan.host,
                    steps=len(plan.steps),
                    target=target.digest,
                    services=target.services,
                    pin=target.affinity == "unit",
                    program=target.program,
                )
                self.journaled = True
        except HostError as error:
            self.failure = f"the journal cannot be written, nothing was done: {error}"
        return not self.failure

    def end(self) -> None:
        """Close the journal, also that of an earlier run: what had to be done is done, or put back."""
        if self.broken:
            return
        try:
            self.memory.log("end", failure=self.failure)
        except HostError as error:
            self.failure = self.failure or f"the journal could not be closed: {error}"

    def wave(self, steps: list[Step]) -> bool:
        """Do one wave and remember it; False if that failed (and it was put back where possible)."""
        proofs: dict[str, tuple[Unproven, ...]] = {}
        names = list(dict.fromkeys(s.wave for s in steps))
        answered = self.gate.begin(names, _stopped(steps))
        if answered.why:
            return self._abandon(steps, [], answered)
        with ExitStack() as hurry:
            try:
                succeeded = self._steps(steps, proofs, hurry)
            except Stopped as stopped:
                succeeded = False
                if self._abandon(steps, stopped.begun, stopped.answered):
                    self.effects.host.unstage()
                    return True
        self.effects.host.unstage()
        if not succeeded:
            return False
        self.applied += names
        for name in names:
            self._say_unproven(name, proofs.get(name, ()), "start")
            self._say_unproven(name, self.effects.said_live.get(name, ()), "change")
        return all([self._remember(name, proofs.get(name)) for name in names])

    def _steps(
        self, steps: list[Step], proofs: dict[str, tuple[Unproven, ...]], hurry: ExitStack
    ) -> bool:
        """Do the steps of a wave, or put them back; from the first stop on there is no time to lose."""
        begun: list[Entry] = []
        first_stop = next((step for step in steps if step.do is Do.STOP), None)
        for step in steps:
            self.progress(step, "start")
            failing = step
            try:
                if step is first_stop:
                    for failing in can_be_staged(
                        self.effects, self.memory, steps[steps.index(step) :]
                    ):
                        self.kept |= stage(self.effects, self.memory, failing)
                    failing = step
                    answered = self.gate.stop(_stopped(steps))
                    if answered.why:
                        raise Stopped(answered, begun)
                    self.cut += answered.calls
                    hurry.enter_context(self.effects.host.in_a_hurry())
                found = self._step(step, begun)
            except (HostError, Refused) as error:
                self._failed(failing, str(error))
                if self._undo(steps, begun):
                    self.downtimes.put_back()
                return False
            if step.do is Do.PROVE:
                proofs[step.wave] = found
                self.downtimes.up(
                    step.wave, self.effects.target.instances[step.wave].probes.stable_s
                )
            self.results[step.number] = StepResult(step.number, "done", "")
            self.progress(step, "done")
        self.downtimes.gone()
        return True

    def _step(self, step: Step, begun: list[Entry]) -> tuple[Unproven, ...]:
        ready = self.effects.prepare(step)
        for keep in ready.keep:
            if keep.digest not in self.kept:
                self.memory.keep(keep.digest, keep.path)
        entry = self._announce(step.wave, step.do, step.resource, step.path, ready.inverse)
        self.steps[entry.number] = step
        begun.append(entry)  # from here on it may be half done
        found = self.downtimes.measured(step, ready.do)
        self.memory.log("done", number=entry.number)
        return found

    def _announce(
        self, wave: str, do: Do, resource: str, path: HostPath, inverse: Inverse
    ) -> Entry:
        """Write down what is about to be done, and how it is taken back."""
        self.number += 1
        entry = Entry(self.number, wave, do, resource, path, inverse, done=False, undone=False)
        self.memory.log(
            "step",
            number=entry.number,
            wave=wave,
            do=do,
            resource=resource,
            path=path,
            inverse=encode_inverse(inverse),
        )
        return entry

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
            tuple(self.downtimes.found),
            tuple(self.abandoned),
            tuple(self.cut),
        )

    def _failed(self, step: Step, message: str) -> None:
        self.failure = f"{step.wave or 'host'}: {step.do} {step.path}: {message}"
        self.results[step.number] = StepResult(step.number, "failed", message)
        self._note_down("failed", number=step.number, message=message)
        self.progress(step, "failed")

    def _abandon(self, steps: list[Step], begun: list[Entry], answered: Answered) -> bool:
        """Leave a wave as it was; False if what was prepared for it could not be taken back."""
        if begun and not self._undo(steps, begun):
            self.failure = f"{steps[0].wave}: {answered.why}; what was prepared could not be undone"
            return False
        calls = {c.instance: c.number for c in answered.calls}
        names = list(dict.fromkeys(s.wave for s in steps))
        self.undone = [name for name in self.undone if name not in names]
        self.abandoned += [Abandoned(n, answered.why, calls.get(n)) for n in names]
        self._note_down("abandoned", names=", ".join(names), why=answered.why)
        return True

    def _undo(self, steps: list[Step], begun: list[Entry]) -> bool:
        """Put the wave back in reverse, and whether all of it could be; what could not is named."""

        def tell(taken: TakenBack) -> None:
            step = self.steps[taken.entry.number]
            before = self.results[step.number]
            if taken.problem:
                message = "; ".join(
                    filter(None, (before.message, f"could not be undone: {taken.problem}"))
                )
                self.results[step.number] = StepResult(step.number, "failed", message)
                self.progress(step, "failed")
                return
            if before.result == "done":
                self.results[step.number] = StepResult(step.number, "undone", taken.left)
            self.progress(step, "undone")

        clean, untold = undo_entries(self.effects.host, self.memory, begun, tell)
        self.failure += untold
        names = dict.fromkeys(s.wave for s in steps)
        (self.undone if clean else self.broken).extend(names)
        return clean

    def _note_down(self, event: str, **details: str | int) -> None:
        """Log what happens while a wave is put back: a full disk must not keep that from happening."""
        try:
            self.memory.log(event, **details)
        except HostError as error:
            self.failure += f"; and the journal cannot be written: {error}"

    def _say_unproven(self, name: str, unproven: Iterable[Unproven], after: str) -> None:
        resource = f"service:{self.effects.target.instances[name].service}" if unproven else ""
        told = told_spellings(name, self.effects, self.effects.records.get(name))
        self.unproven += [
            Note(f.code, SEVERITY[f.code], name, f"after the {after}: {f.text}", "", resource)
            for f in unproven
            if f.key not in told
        ]

    def _remember(self, name: str, unproven: tuple[Unproven, ...] | None) -> bool:
        effects = self.effects
        before = effects.records.get(name)
        try:
            if name and name not in effects.target.instances:
                record = retired_record(name, before)
            else:
                record = record_of(name, effects, before, unproven)
            self._write_record(name, record)
        except (HostError, Refused) as error:
            self.failure = (
                f"{name or 'host'}: is as declared, but that cannot be remembered: {error}"
            )
            return False
        effects.records[name] = record
        return True

    def _write_record(self, name: str, record: AppliedRecord) -> None:
        inverse = self.memory.record_inverse(record)
        if inverse is None:
            return
        if not self.journaled:  # only records are brought up to date: nothing was done
            self.memory.remember(record)
            return
        entry = self._announce(name, Do.REMEMBER, "", HostPath(inverse.name), inverse)
        self.memory.remember(record)
        self.memory.log("done", number=entry.number)
