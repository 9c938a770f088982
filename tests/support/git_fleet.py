"""A fleet in a real git repository, with a history that a test writes commit by commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.e2e import SMALL, Done, in_process
from support.output_schemas import judge

IDENTITY = ("-c", "user.name=A. Author", "-c", "user.email=a@example.com")
DATES = {"GIT_AUTHOR_DATE": "2021-03-04T05:06:07Z", "GIT_COMMITTER_DATE": "2021-03-04T05:06:07Z"}


class GitFleet:
    """The fleet `folder`/`inside` of a repository `folder`; commands run in this process."""

    def __init__(self, folder: Path, inside: str = "", source: Path = SMALL) -> None:
        self.folder = folder
        self.fleet = folder / inside if inside else folder
        shutil.copytree(source, self.fleet, dirs_exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.compile()
        self.commit("Begin")

    def git(self, *words: str | bytes, cwd: Path | None = None) -> str:
        """Run git, which must end well; its output without white space around it."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **DATES}
        argv = ("git", *IDENTITY, "-c", "protocol.file.allow=always", *words)
        done = subprocess.run(
            argv, cwd=cwd or self.folder, env=env, check=False, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done
        return done.stdout.decode().strip()

    def commit(self, text: str) -> str:
        """Commit everything; the name of the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", text)
        return self.git("rev-parse", "HEAD")

    def path(self, name: str) -> Path:
        """A file of the fleet, whose folder is made."""
        path = self.fleet / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, text: str) -> None:
        """Write a file of the fleet."""
        self.path(name).write_bytes(text.encode())

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file, as a person would."""
        text = self.path(name).read_bytes().decode()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def remove(self, name: str) -> None:
        """Delete a file of the fleet."""
        (self.fleet / name).unlink()

    def compile(self) -> None:
        """Bring rendered/ up to date."""
        done = in_process("-C", self.fleet, "compile", "--quiet")
        assert done.code == 0, done

    def compiled_commit(self, text: str) -> str:
        """Compile, and commit everything."""
        self.compile()
        return self.commit(text)

    def run(self, *words: str | Path, at: Path | None = None) -> Done:
        """`pbxfleet diff` with these words."""
        return in_process("-C", at or self.fleet, "diff", *words)

    def diff(self, *words: str, code: int = 0, at: Path | None = None) -> Any:
        """The document of `pbxfleet diff`, which must be as its schema says."""
        done = self.run("--json", *words, at=at)
        assert done.code == code, done
        judge("diff.schema.json", done.data)
        return done.data

    def state(self) -> Mapping[str, object]:
        """Everything that a diff must leave as it is: index, refs, stashes, and what is checked out."""
        return {
            "refs": self.git("for-each-ref"),
            "head": self.git("rev-parse", "--symbolic-full-name", "HEAD"),
            "index": (Path(self.git("rev-parse", "--absolute-git-dir")) / "index").read_bytes(),
            "files": {
                str(path): (path.read_bytes(), path.stat().st_mtime_ns)
                for path in sorted(self.folder.rglob("*"))
                if path.is_file() and ".git" not in path.relative_to(self.folder).parts
            },
        }


def effects(data: Any) -> dict[str, tuple[str, str]]:
    """Action and impact by instance, without what happens to the hosts themselves."""
    return {e["instance"]: (e["action"], e["impact"]) for e in data["effects"] if e["instance"]}


def fields(data: Any, instance: str) -> dict[str, tuple[Any, Any]]:
    """Before and after of everything that is declared otherwise of an instance."""
    (effect,) = [e for e in data["effects"] if e["instance"] == instance]
    changes = [c for c in effect["changes"] if c["kind"] != "service"]
    listed = [f for c in changes for f in c["fields"]] + effect["facts"]
    return {f["name"]: (f["before"], f["after"]) for f in listed}
