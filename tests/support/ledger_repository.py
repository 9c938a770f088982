"""A fleet in git whose ledger is written by the command itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from pbxfleet.schema import read_ledger_file
from support.e2e import Done, in_process
from support.pages import base_fleet

LEDGER = "desired/ledger.toml"
HOST = (
    'addresses = ["{net}.10-{net}.39"]\ncpus = "0-15"\nrtp = "49152-64511"\nports = "8000-8999"\n'
)
AUTO = 'host = "{host}"\naddress = "auto"\ncpu = "auto"\nrtp = "auto"\n'


class Repository:
    """A fleet in git with two hosts and two instances on each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, content in base_fleet().items():
            if "/hosts/" not in name and "/instances/" not in name:
                self.write(name, content.decode())
        for host, net in (("fra1", "203.0.113"), ("ber1", "192.0.2")):
            self.write(f"desired/hosts/{host}.toml", HOST.format(net=net))
        for name, host in (("birch", "fra1"), ("elm", "fra1"), ("cedar", "ber1"), ("oak", "ber1")):
            self.add(name, host)
        self.git("init", "-q", "-b", "main")
        self.compile()
        self.commit("base")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def add(self, name: str, host: str = "fra1", text: str = AUTO) -> None:
        self.write(f"desired/instances/{name}.toml", text.format(host=host))

    def remove(self, name: str) -> None:
        (self.folder / f"desired/instances/{name}.toml").unlink()

    def git(self, *words: str) -> int:
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        argv = ("git", "-C", str(self.folder), *identity, *words)
        return subprocess.run(argv, capture_output=True, check=False, timeout=60).returncode

    def commit(self, text: str) -> None:
        assert self.git("add", "-A") == self.git("commit", "-qm", text) == 0

    def pbxfleet(self, *words: str) -> Done:
        return in_process("-C", str(self.folder), *words)

    def compile(self) -> None:
        done = self.pbxfleet("compile")
        assert done.code == 0, done

    def branch(self, name: str, change: Callable[[Repository], None]) -> None:
        """A branch of the base with a change, compiled."""
        assert self.git("checkout", "-q", "-b", name, "main") == 0
        change(self)
        self.compile()
        self.commit(name)

    def merge(self, *changes: Callable[[Repository], None]) -> bool:
        """Whether branches with these changes merge, as far as the desired files go."""
        for number, change in enumerate(changes):
            self.branch(f"b{number}", change)
        assert self.git("checkout", "-q", "b0") == 0
        self.git("merge", "-q", "b1")
        argv = ("git", "-C", str(self.folder), "diff", "--name-only", "--diff-filter=U")
        found = subprocess.run(argv, capture_output=True, check=True, timeout=60, text=True)
        conflicts = [name for name in found.stdout.split() if not name.startswith("rendered/")]
        assert conflicts in ([], [LEDGER])
        return not conflicts

    def things(self) -> dict[tuple[str, str], list[str]]:
        """Who holds what, by host and thing."""
        ledger = read_ledger_file(LEDGER, (self.folder / LEDGER).read_bytes()).value
        assert ledger is not None
        held: dict[tuple[str, str], list[str]] = {}
        for name, entry in {**ledger.tombstones, **ledger.allocations}.items():
            for thing in entry.things:
                held.setdefault((entry.host, thing.words), []).append(name)
        return held

    def keep(self, *, both: bool) -> None:
        """Resolve the conflict in the ledger: both sides, or ours."""
        path = self.folder / LEDGER
        kept, side = [], ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line[:7] in ("<<<<<<<", "=======", ">>>>>>>"):
                side = {"<": "ours", "=": "theirs", ">": ""}[line[0]]
            elif both or side != "theirs":
                kept.append(line)
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")

    def nothing_is_shared(self) -> None:
        self.compile()
        assert all(len(names) == 1 for names in self.things().values())
