"""A running site between two states, each compiled in a repository of its own, and what must hold on it.

Going there and back again and again costs no new host for every fault: the same instances are updated,
removed and made again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from pbxfleet.pbx.pbx_xml import PbxXmlError, read
from support.e2e import PROGRAM
from support.running_site import RunningSite
from support.standin import processes

RECORDING = b"RIFF, a customer's"
STATE = "var/lib/pbxfleet"
TIME_ZONE = b"<timezone>Europe/Rome</timezone>"
OURS = "etc/pbx/backup-ash.list"  # the same in both states
TEMPORARY = ".pbxfleet-"
OTHERS = "etc/pbx/other.list"


class Found(NamedTuple):
    """Everything of a host that an apply may change, without our own state: files and processes."""

    files: dict[str, tuple[int, bytes]]
    running: dict[str, int]

    def differs(self, other: Found) -> list[str]:
        """Names of what is not the same on both."""
        names = sorted({*self.files, *other.files})
        changed = [name for name in names if self.files.get(name) != other.files.get(name)]
        runs = [n for n in self.running if self.running[n] != other.running.get(n)]
        return [*changed, *(f"{name}: {self.running[name]} processes" for name in runs)]


class FaultySite(RunningSite):
    """Three instances. `old` and `new` are the repositories of two states of the same host.

    New differs in release, settings and backup files of `ash` and `birch` (which rewrites its
    pbx.xml whenever it may), and has no `cedar`. `foreign` are bytes that have to stay, by file.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ("ash", "birch", "cedar"))
        fleet = (self.repo / "desired/fleet.toml").read_text(encoding="utf-8")
        self.declare(
            "desired/fleet.toml", fleet.replace("[policy]", '[policy]\ndowngrades = "allow"')
        )
        self.compile()
        self.old, self.new = self.repo, folder / "new"
        shutil.copytree(self.old, self.new)
        self.repo = self.new
        for name in ("ash", "birch"):
            head = 'release = "70.6"\nbackup = { recordings = true }'
            self.instance(name, head, sys_name="Updated")
        (self.new / "desired/instances/cedar.toml").unlink()
        self.compile()
        self.repo = self.old

        self.foreign: dict[str, bytes] = {}

    def begin(self) -> None:
        """Apply the old state; put something foreign into every instance."""
        self.behave("birch", rewrite="always")
        self.apply("--quiet")
        for name in self.addresses:
            self.post(name, {"timezone": "Europe/Rome"})
            self._is_foreign(f"usr/local/pbx-{name}/pbx.xml", TIME_ZONE)
            self._puts(f"usr/local/pbx-{name}/recording.wav", RECORDING)
        self._puts(OTHERS, RECORDING)
        for repository in (self.new, self.old):
            self.turn(repository)
            self.apply("--quiet")
        self.proven()

    def begin_anew(self) -> None:
        """A host on which nothing was applied yet, but somebody has put something there."""
        self.end()
        shutil.rmtree(self.root)
        self.turn(self.old)
        self.foreign = {}
        self._puts(OTHERS, RECORDING)
        self._puts("usr/local/pbx-ash/recording.wav", RECORDING)
        reference = (self.repo / "desired/reference/pbx.xml").read_bytes()
        assert reference.count(b"<timezone />") + reference.count(b"<timezone/>") <= 1
        theirs = reference.replace(b"</config>", b"  <theirs>kept</theirs>\n</config>")
        self._puts("usr/local/pbx-birch/pbx.xml", theirs)
        self._is_foreign("usr/local/pbx-birch/pbx.xml", b"  <theirs>kept</theirs>\n")

    def _puts(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._is_foreign(name, content)

    def _is_foreign(self, name: str, content: bytes) -> None:
        self.foreign[name] = content

    def turn(self, repository: Path) -> None:
        """What is declared is what that repository says."""
        self.repo = repository

    def disturb(self) -> None:
        """Somebody closes a file that is ours."""
        (self.root / OURS).chmod(0o600)

    def argv(self, *words: str) -> tuple[str, ...]:
        """The command that applies what is declared."""
        place = ("-C", str(self.repo), self.host, "--root", str(self.root))
        return (str(PROGRAM), "apply", *place, "--auto-approve", *words)

    def found(self) -> Found:
        """What is there now."""
        files = {}
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            ours = _is_ours(name) or path.name.startswith(TEMPORARY)
            if path.is_file() and not path.is_symlink() and not ours:
                files[name] = (path.lstat().st_mode & 0o7777, path.read_bytes())
        running = {name: len(processes(self.directory(name))) for name in self.addresses}
        return Found(files, running)

    # --- what must hold after a fault ---

    def wrong_at_once(self, known: tuple[Found, ...]) -> list[str]:
        """What may not be even before the next run: strange contents, two processes, foreign loss."""
        now = self.found()
        wrong = [f"{n} processes in {name}" for name, n in now.running.items() if n > 1]
        for name, (_, content) in now.files.items():
            last = name.rpartition("/")[2]
            contents = [state.files[name][1] for state in known if name in state.files]
            if last == "pbx.xml" and not _is_whole(content):
                wrong.append(f"{name} is half-written")
            elif last != "pbx.xml" and content not in contents:
                wrong.append(f"{name} is neither as before nor as declared")
        return [*wrong, *self.foreign_losses()]

    def foreign_losses(self) -> list[str]:
        """What of the customers' own is not there any more."""
        lost = []
        for name, content in self.foreign.items():
            path = self.root / name
            there = path.read_bytes() if path.exists() else b""
            if content not in there or (len(content) != len(there) and "pbx.xml" not in name):
                lost.append(f"{name}: something foreign is lost")
        return lost

    def is_unfinished(self) -> bool:
        """Whether the host tells of a run that did not come to its end; half a line tells nothing.

        One that is over and whose generation is not written yet did come to its end.
        """
        whole = (j.read_bytes().rpartition(b"\n")[0].splitlines() for j in self._journal())
        return any(lines and json.loads(lines[-1])["event"] != "end" for lines in whole)

    def litter(self) -> list[str]:
        """Temporary files, and a journal of a run that is over."""
        names = [path for path in self.root.rglob(".*") if path.name.startswith(TEMPORARY)]
        return [f"left: {p.relative_to(self.root)}" for p in (*names, *self._journal())]

    def _journal(self) -> list[Path]:
        journal = self.root / STATE / "journal"
        return [journal] if journal.exists() else []

    def not_as_declared(self) -> list[str]:
        """What the next run was to bring about and did not."""
        names = [n for n in self.addresses if (self.repo / f"desired/instances/{n}.toml").exists()]
        wrong = []
        for name, count in self.found().running.items():
            if count != (name in names):
                wrong.append(f"{name} has {count} processes")
        for name in names:
            if not wrong and self.sockets(name) != self.expected(name):
                wrong.append(f"{name} holds {self.sockets(name)}")
        plan = self.run("plan", "--detailed-exitcode")
        if plan.code != 0 or plan.out != f"{self.host}: nothing to do\n":
            wrong.append(f"a second plan is not empty: {plan}")
        return wrong

    def proven(self) -> None:
        """Everything is as the declared repository says."""
        wrong = [*self.not_as_declared(), *self.litter(), *self.foreign_losses()]
        assert not wrong, wrong


def _is_ours(name: str) -> bool:
    return name.startswith((STATE, "run/", "var/log/")) or name.endswith("standin.json")


def _is_whole(content: bytes) -> bool:
    try:
        read(content)
    except PbxXmlError:
        return False
    return True
