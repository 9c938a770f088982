"""Rules of the packet filter that the kernel has loaded; read only."""

from __future__ import annotations

from typing import NamedTuple

from pbxfleet.core.errors import HostError
from pbxfleet.host.commands import Runner

MARK = 'comment "pbxfleet '  # before the proof: part of the digest of the file that was loaded


class Loaded(NamedTuple):
    """What the kernel has: `proof` is "" where it has no such rules, `problem` says why nobody knows."""

    proof: str
    problem: str = ""


def loaded(runner: Runner, table: str, chain: str) -> Loaded:
    """Which file the rules of a table of ours came from; never an error."""
    try:
        ran = runner.run(("nft", "list", "chain", "inet", table, chain))
    except HostError as error:
        return Loaded("", error.message)
    if ran.returncode != 0 and "No such file or directory" not in ran.stderr:
        return Loaded("", (ran.stderr.strip().splitlines() or ["nft failed"])[0])
    return Loaded(proof_in(ran.stdout))


def proof_in(rules: str) -> str:
    """The proof in a file of rules or in what nft lists, "" without one."""
    return rules.partition(MARK)[2].partition('"')[0]
