"""Before an instance is stopped: everything that can be got ready is ready, and is what it should be."""

from __future__ import annotations

from collections.abc import Sequence

from pbxfleet.apply.effects import Effects
from pbxfleet.apply.io import Memory
from pbxfleet.core.digest import Digest
from pbxfleet.core.paths import parent
from pbxfleet.model.plan import Do, Step
from pbxfleet.model.target import Kind


def can_be_staged(effects: Effects, memory: Memory, steps: Sequence[Step]) -> list[Step]:
    """The steps whose content may lie ready; pbx.xml has to wait, its instance writes it to the end.

    Where they will lie is noted in the journal first: no step tells of them yet if the run is killed.
    """
    resources = effects.target.resources
    found = [
        step
        for step in steps
        if step.do in (Do.WRITE, Do.COPY_IN)
        and step.resource in resources
        and resources[step.resource].kind is not Kind.SETTINGS
    ]
    if found:
        memory.log("stage", folders={parent(step.path): step.wave for step in found})
    return found


def stage(effects: Effects, memory: Memory, step: Step) -> set[Digest]:
    """Lay what the step will write beside its place, and keep what it replaces; digests of what was kept.

    What it expects is looked at now, so that nothing is stopped for a plan that cannot be done: StalePlan,
    Refused or HostError as from the step itself.
    """
    kept = set()
    for keep in effects.prepare(step).keep:
        memory.keep(keep.digest, keep.path)
        kept.add(keep.digest)
    effects.stage(step)
    return kept
