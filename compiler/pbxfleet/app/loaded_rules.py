"""Are the rules of the host's files those of its kernel? What is declared is proven, here too."""

from __future__ import annotations

from pbxfleet.host.local import LocalHost
from pbxfleet.model.plan import Note
from pbxfleet.model.target import Kind, Target
from pbxfleet.plan.activation import RULES, not_loaded


def rules_not_loaded(machine: LocalHost, target: Target) -> tuple[Note, ...]:
    """NET222 for each declared file of rules that lies on this machine and is not loaded.

    Nothing is asked of the kernel where no such file is declared, or a folder plays the host's /.
    """
    declared = [rules for rules in RULES if f"{Kind.FILE}:{rules.path}" in target.resources]
    if not declared or not machine.root.is_machine:
        return ()
    from pbxfleet.host.commands import Runner
    from pbxfleet.host.netfilter import loaded, proof_in

    found = []
    for rules in declared:
        content = machine.read(rules.path)
        if content is None:
            continue  # to be written first; the plan says so
        kernel = loaded(Runner(), rules.table, rules.chain)
        if kernel.problem or kernel.proof != proof_in(content.decode("utf-8", "replace")):
            found.append(not_loaded(rules, kernel.problem))
    return tuple(found)
